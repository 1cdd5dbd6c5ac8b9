import CKernels
import COneDNN
import CTiles
import FireflyBase
import Foundation

/// What the processor computes with: a table of kernels and, where there are matrix tiles, one of what runs on them.
/// It is the best one, or the one that FIREFLY_ISA names.
package enum InstructionSet {
  package typealias Table = UnsafePointer<kernels>

  /// A value of FIREFLY_ISA.
  package struct Choice {
    package let name: String
    package let kernels: Table
    /// Nil: oneDNN multiplies.
    let tiles: UnsafePointer<tiles>?
  }

  /// What this processor can run, the best last.
  private nonisolated(unsafe) static let choices: [Choice] = {
    let tables = (0..<3).compactMap { kernels_table($0) }
    var choices = tables.map { Choice(name: String(cString: $0.pointee.name), kernels: $0, tiles: nil) }
    if let tiles = tiles_hardware(), let kernels = tables.last {
      choices.append(Choice(name: String(cString: tiles.pointee.name), kernels: kernels, tiles: tiles))
    }
    return choices
  }()

  /// The tiles in C, over the best kernels: for tests on processors that have none.
  private nonisolated(unsafe) static let imitation: Choice = {
    let tiles = tiles_imitated()
    return Choice(
      name: String(cString: tiles.pointee.name), kernels: choices[choices.count - 1].kernels, tiles: tiles)
  }()

  /// The names of the instruction sets this processor can run: of "generic", "avx2", "avx512f" or "avx512", "amx"; the best last.
  package static var names: [String] { choices.map(\.name) }

  private static let asked = ProcessInfo.processInfo.environment["FIREFLY_ISA"] ?? ""

  private nonisolated(unsafe) static let choice = Result { try named(asked) }

  /// What FIREFLY_ISA asks for with this value; the best when it is unset or empty.
  package static func named(_ name: String?) throws -> Choice {
    guard let name, !name.isEmpty else { return choices[choices.count - 1] }
    guard let found = find(name) else {
      throw FireflyError(
        "the instruction set is not one that this processor and build can run", at: "FIREFLY_ISA",
        expected: names.joined(separator: ", "), found: "\"\(name)\"",
        fix: "Set FIREFLY_ISA to one of these, or leave it unset")
    }
    return found
  }

  private static func find(_ name: String) -> Choice? {
    (choices + [imitation] + olderAVX512).first { $0.name == name }
  }

  /// AVX-512's base alone, where this processor has more: for tests.
  private nonisolated(unsafe) static let olderAVX512: [Choice] =
    kernels_base_avx512().map { [Choice(name: String(cString: $0.pointee.name), kernels: $0, tiles: nil)] }
    ?? []

  /// The names that are there for tests.
  package static var namesForTests: [String] { ([imitation] + olderAVX512).map(\.name) }

  /// What tests of single operations run with: all names, or the one alone that FIREFLY_ISA has. Without one such a test goes through
  /// every table, so that runs of the tests with each name would go through all of them again.
  package static var namesTested: [String] { asked.isEmpty ? names : [chosen.name] }

  /// The same where only products differ: the best and the imitation of tiles.
  package static var namesOfProducts: [String] {
    asked.isEmpty ? [chosen.name, imitation.name] : [chosen.name]
  }

  /// The same where a table that only tests name has a kernel of its own.
  package static var namesOfAll: [String] { asked.isEmpty ? names + namesForTests : [chosen.name] }

  /// The name of the instruction set in use.
  ///
  /// - Throws: `FireflyError` when FIREFLY_ISA names none that can run here. Programs call this first, so that their
  ///   user reads the message; an operation on its own stops with the same text.
  package static func current() throws -> String {
    guard let table = kernels_of_thread() else { return try choice.get().name }
    return String(cString: tiles_of_thread()?.pointee.name ?? table.pointee.name)
  }

  /// The kernels in use. An operation asks once, on its caller's thread, and hands them to its tasks.
  package static var kernels: Table { kernels_of_thread() ?? chosen.kernels }

  /// The tiles in use, or nil; asked as the kernels are.
  static var tiles: UnsafePointer<tiles>? {
    kernels_of_thread() == nil ? chosen.tiles : tiles_of_thread()
  }

  /// Attention of operands of this type: on tiles where there are any and they multiply it. Asked as the kernels are.
  static func attention(of dtype: DType) -> kernels_attention {
    if dtype == .bfloat16, let tiles { return tiles.pointee.attention }
    return kernels.pointee.attention
  }

  private static var chosen: Choice {
    switch choice {
    case .success(let chosen): return chosen
    case .failure(let error): preconditionFailure("\(error)")
    }
  }

  /// Runs `body` with the calling thread's operations on the named instruction set.
  package static func with<Result>(_ name: String, _ body: () throws -> Result) rethrows -> Result {
    guard let choice = find(name) else {
      preconditionFailure("instruction set \(name): this processor has \(names)")
    }
    let before = (kernels_of_thread(), tiles_of_thread())
    kernels_use(choice.kernels)
    tiles_use(choice.tiles)
    defer {
      kernels_use(before.0)
      tiles_use(before.1)
    }
    return try body()
  }

  /// Whether bfloat16 products run at the processor's own bfloat16 rate; an older set that the process has chosen turns
  /// it off.
  static let multipliesBFloat16: Bool = {
    let chosen = try? choice.get().name
    return onednn_has_bfloat16() && chosen != "generic" && chosen != "avx2"
  }()
}
