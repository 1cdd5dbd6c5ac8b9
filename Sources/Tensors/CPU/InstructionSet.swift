import CKernels
import COneDNN
import FireflyBase
import Foundation

/// Which table of kernels the processor runs: the best one, or the one that FIREFLY_ISA names.
package enum InstructionSet {
  package typealias Table = UnsafePointer<kernels>

  /// The tables this processor can run, the best last.
  private nonisolated(unsafe) static let tables: [Table] = (0..<3).compactMap { kernels_table($0) }

  /// The names of the instruction sets this processor can run: of "generic", "avx2", "avx512"; the best last.
  package static var names: [String] { tables.map { String(cString: $0.pointee.name) } }

  private nonisolated(unsafe) static let choice = Result {
    try table(named: ProcessInfo.processInfo.environment["FIREFLY_ISA"])
  }

  /// The table that FIREFLY_ISA asks for with this value; the best one when it is unset or empty.
  package static func table(named name: String?) throws -> Table {
    guard let name, !name.isEmpty else { return tables[tables.count - 1] }
    guard let index = names.firstIndex(of: name) else {
      throw FireflyError(
        "the instruction set is not one that this processor and build can run", at: "FIREFLY_ISA",
        expected: names.joined(separator: ", "), found: "\"\(name)\"",
        fix: "Set FIREFLY_ISA to one of these, or leave it unset")
    }
    return tables[index]
  }

  /// The name of the instruction set in use.
  ///
  /// - Throws: `FireflyError` when FIREFLY_ISA names none that can run here. Programs call this first, so that their
  ///   user reads the message; an operation on its own stops with the same text.
  package static func current() throws -> String {
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
  package static func with<Result>(_ name: String, _ body: () throws -> Result) rethrows -> Result {
    guard let index = names.firstIndex(of: name) else {
      preconditionFailure("instruction set \(name): this processor has \(names)")
    }
    let before = kernels_of_thread()
    kernels_use(tables[index])
    defer { kernels_use(before) }
    return try body()
  }

  /// Whether bfloat16 products run at the processor's own bfloat16 rate; an older set that the process has chosen turns
  /// it off.
  static let multipliesBFloat16: Bool = {
    let chosen = (try? choice.get().pointee.name).map { String(cString: $0) }
    return onednn_has_bfloat16() && chosen != "generic" && chosen != "avx2"
  }()
}
