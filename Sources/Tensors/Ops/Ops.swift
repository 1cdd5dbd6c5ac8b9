import CKernels
import FireflyBase
import Foundation

/// The one list of operations on tensors. Shapes are checked (a wrong one is a programmer's mistake), rows are
/// split between threads, and results do not depend on how many there are.
///
/// In the shapes below T is rows (tokens), C columns (channels), "c" the compute type: bfloat16 or float32.
public enum Ops {}

// MARK: - Instruction sets

extension Ops {
  package typealias Table = UnsafePointer<kernels>

  /// The tables this processor can run, the best last.
  private nonisolated(unsafe) static let tables: [Table] = (0..<3).compactMap { kernels_table($0) }

  /// The names of the instruction sets this processor can run: of "generic", "avx2", "avx512"; the best last.
  public static var instructionSets: [String] { tables.map { String(cString: $0.pointee.name) } }

  private nonisolated(unsafe) static let choice = Result {
    try table(named: ProcessInfo.processInfo.environment["FIREFLY_ISA"])
  }

  /// The table that FIREFLY_ISA asks for with this value; the best one when it is unset or empty.
  package static func table(named name: String?) throws -> Table {
    guard let name, !name.isEmpty else { return tables[tables.count - 1] }
    guard let index = instructionSets.firstIndex(of: name) else {
      throw FireflyError(
        "the instruction set is not one that this processor and build can run", at: "FIREFLY_ISA",
        expected: instructionSets.joined(separator: ", "), found: "\"\(name)\"",
        fix: "Set FIREFLY_ISA to one of these, or leave it unset")
    }
    return tables[index]
  }

  /// The name of the instruction set in use: the best one, or the one that FIREFLY_ISA names.
  ///
  /// - Throws: `FireflyError` when FIREFLY_ISA names none that can run here. Programs call this first, so that their
  ///   user reads the message; an operation on its own stops with the same text.
  public static func instructionSet() throws -> String {
    if let table = kernels_of_thread() { return String(cString: table.pointee.name) }
    return String(cString: try choice.get().pointee.name)
  }

  /// The kernels in use. An operation asks once, on its caller's thread, and hands them to its tasks.
  package static var kernels: Table {
    if let table = kernels_of_thread() { return table }
    switch choice {
    case .success(let table): return table
    case .failure(let error): preconditionFailure("\(error)")
    }
  }

  /// Runs `body` with the calling thread's operations on the named instruction set.
  package static func with<Result>(instructionSet name: String, _ body: () throws -> Result) rethrows
    -> Result
  {
    guard let index = instructionSets.firstIndex(of: name) else {
      preconditionFailure("instruction set \(name): this processor has \(instructionSets)")
    }
    let before = kernels_of_thread()
    kernels_use(tables[index])
    defer { kernels_use(before) }
    return try body()
  }
}

// MARK: - Splitting and checking

extension Ops {
  /// Below this many elements, starting another thread costs more than it gains.
  private static let grain = 16_384

  /// Runs `body` over ranges that together cover `0..<count`, each element costing about `cost` elements' work.
  static func split(
    _ count: Int, cost: Int, multiple: Int = 1, part: Ledger.Part = .elementwise, _ body: (Range<Int>) -> Void
  ) {
    guard count > 0 else { return }
    Ledger.measure(part) { run(count, cost, multiple, body) }
  }

  private static func run(_ count: Int, _ cost: Int, _ multiple: Int, _ body: (Range<Int>) -> Void) {
    let units = (count + multiple - 1) / multiple
    let tasks = min(Parallel.threads, units, max(1, count * max(cost, 1) / grain))
    if tasks <= 1 {
      body(0..<count)
      return
    }
    Parallel.run(tasks) { task in
      let start = units * task / tasks * multiple
      let end = min(units * (task + 1) / tasks * multiple, count)
      body(start..<end)
    }
  }

  static func checkCompute(_ dtype: DType) {
    precondition(dtype == .float32 || dtype == .bfloat16, "expected bfloat16 or float32, not \(dtype)")
  }

  static func checkFloat32(_ dtype: DType) {
    precondition(dtype == .float32, "expected float32, not \(dtype)")
  }

  static func checkSame(_ a: Matrix, _ b: Matrix) {
    precondition(
      a.rows == b.rows && a.columns == b.columns,
      "shapes differ: [\(a.rows), \(a.columns)] and [\(b.rows), \(b.columns)]")
  }

  static func checkCount(_ tensor: Tensor, _ count: Int, _ name: String) {
    checkFloat32(tensor.dtype)
    precondition(tensor.count == count, "\(name): expected \(count) elements, found shape \(tensor.shape)")
  }
}

extension DType {
  /// The kernels' name of a floating-point type.
  var code: Int32 {
    precondition(
      self == .float32 || self == .bfloat16 || self == .float16, "\(self) is not a floating-point type")
    return Int32(rawValue)
  }
}

extension Matrix {
  /// The first element of a row.
  package func row(_ row: Int) -> UnsafeMutableRawPointer { pointer + row * stride * dtype.byteCount }
  /// The first element of a row of float32.
  package func floatRow(_ row: Int) -> UnsafeMutablePointer<Float> {
    Ops.checkFloat32(dtype)
    return self.row(row).assumingMemoryBound(to: Float.self)
  }
}

extension Tensor {
  package var floatPointer: UnsafeMutablePointer<Float> {
    Ops.checkFloat32(dtype)
    return pointer.assumingMemoryBound(to: Float.self)
  }
}
