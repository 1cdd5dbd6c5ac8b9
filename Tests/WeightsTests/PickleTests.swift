import FireflyBase
import Foundation
import Testing

@testable import FireflyWeights

/// Pickles that a file brings, as programs: what they can make and take is bounded by their size.
@Suite struct PickleTests {
  private func run(_ pickle: [UInt8]) throws -> PickleValue {
    try pickle.withUnsafeBytes { bytes in
      var machine = PickleMachine(path: "x.bin", bytes: bytes)
      return try machine.run()
    }
  }

  private static func name(_ text: String) -> [UInt8] {
    [UInt8(ascii: "X")] + withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { Array($0) } + text.utf8
  }

  /// A tensor of one number, as torch.save writes it.
  private static let tensor: [UInt8] = {
    var bytes = Array("ctorch._utils\n_rebuild_tensor_v2\n((".utf8) + name("storage")
    bytes += Array("ctorch\nFloatStorage\n".utf8) + name("0") + name("cpu")
    bytes += Array("K\u{1}tQK\0K\u{1}".utf8) + [0x85]
    bytes += Array("K\u{1}".utf8) + [0x85, 0x89]
    return bytes + Array("ccollections\nOrderedDict\n)RtR".utf8)
  }()

  /// All in one SETITEMS: each member costs its own bytes, not those of the members before it, and no name is lost.
  @Test func manyMembersOfOneDictionary() throws {
    let count = 100_000
    var pickle: [UInt8] = [0x80, 2] + Array("}(".utf8) + Self.name("t0") + Self.tensor
    pickle += Array("q\0".utf8)
    for index in 1..<count { pickle += Self.name("t\(index)") + Array("h\0".utf8) }
    pickle += Array("u.".utf8)
    guard case .dictionary(let dictionary) = try run(pickle) else {
      Issue.record("no dictionary")
      return
    }
    #expect(dictionary.tensors.count == count && dictionary.firstOther == nil)
    #expect(dictionary.tensors.last?.name == "t\(count - 1)")
    #expect(dictionary.tensors.last?.view.shape == [1])
  }

  @Test func collectionsAreBounded() {
    let pickle = [0x80, 2] + [UInt8](repeating: UInt8(ascii: "}"), count: 2_000_000)
    let error = #expect(throws: FireflyError.self) { try run(pickle) }
    #expect(error?.what.contains("more lists and dictionaries") == true)
  }
}
