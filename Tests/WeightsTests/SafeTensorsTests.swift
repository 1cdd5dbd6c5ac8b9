import FireflyBase
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

@Suite struct SafeTensorsTests {
  @Test func writesAndReadsBack() throws {
    let folder = try TemporaryFolder()
    let values: [Float] = [1, -2.5, 3, 0.1, 1e-30, 65504]
    let wide = Tensor(values, [2, 3])
    let codes = Tensor(bytes: [1, 2, 3, 4, 5, 6, 7], [7])
    let half = Tensor([3], .bfloat16)
    half.copyBytes(littleEndian([UInt16(0x3F80), 0xC020, 0x0001]))
    let path = folder.path + "/a.safetensors"
    try SafeTensorsWriter.write([("codes", codes), ("half", half), ("wide", wide)], to: path)

    let store = try WeightStore.open(path)
    #expect(store.names == ["codes", "half", "wide"])
    #expect(try store.tensor("wide", shape: [2, 3], as: .float32).floats == values)
    #expect(bytes(try store.tensor("half", shape: [3], as: .bfloat16)) == bytes(half))
    #expect(bytes(try store.tensor("codes", shape: [7], as: .uint8)) == bytes(codes))
    #expect(store.info("wide")?.type == .float32)
    #expect(store.info("wide")?.shape == [2, 3])
  }

  /// What other readers rely on: the header's padding, `__metadata__`, contiguous data, wide elements first.
  @Test func layoutIsThatOfTheReferenceWriter() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.safetensors"
    let narrow = Tensor.zeros([3], .uint8)
    try SafeTensorsWriter.write(
      [("a", narrow), ("b", Tensor([1, 2], [2]))], metadata: ["base": "x"], to: path)
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(length % 8 == 0)
    #expect(data.count == 8 + length + 11)
    let header = try JSONValue.parse(data[8..<8 + length], source: path)
    #expect(
      header
        == .object([
          "__metadata__": .object(["format": .string("pt"), "base": .string("x")]),
          "a": entry("U8", [3], 8, 11), "b": entry("F32", [2], 0, 8),
        ]))
    #expect(Array(data.suffix(11)) == littleEndian([1, 2] as [Float]) + [0, 0, 0])
  }

  private func entry(_ dtype: String, _ shape: [Int], _ begin: Int, _ end: Int) -> JSONValue {
    .object([
      "dtype": .string(dtype), "shape": .array(shape.map { .int($0) }),
      "data_offsets": .array([.int(begin), .int(end)]),
    ])
  }

  @Test func makesTensorsWhenTheirTurnComes() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.safetensors"
    var order: [String] = []
    let items = ["b", "a"].map { name in
      SafeTensorsWriter.Item(name: name, shape: [1], dtype: .float32) {
        order.append(name)
        return Tensor([1], [1])
      }
    }
    try SafeTensorsWriter.write(items, to: path)
    #expect(order == ["b", "a"])
    let store = try WeightStore.open(path)
    #expect(try store.tensor("b", shape: [1], as: .float32).floats == [1])
  }

  /// Pieces of several tensors come together and lie apart; each is let go of when it is written.
  @Test func writesTensorsInPieces() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.safetensors"
    var order: [String] = []
    let entries = ["x", "y"].map { SafeTensorsWriter.Item.Entry(name: $0, type: .float32, shape: [2, 2]) }
    let pieces = [Float(1), 2].map { row in
      WrittenPiece(release: { order.append("released \(row)") }) {
        order.append("made \(row)")
        return [Tensor([row, row], [1, 2]), Tensor([-row, -row], [1, 2])]
      }
    }
    var written: [Int] = []
    try SafeTensorsWriter.write([SafeTensorsWriter.Item(entries: entries, pieces: pieces)], to: path) {
      written.append($0)
    }
    #expect(order == ["made 1.0", "released 1.0", "made 2.0", "released 2.0"])
    #expect(written == [16, 16])
    let store = try WeightStore.open(path)
    #expect(try store.tensor("x", shape: [2, 2], as: .float32).floats == [1, 1, 2, 2])
    #expect(try store.tensor("y", shape: [2, 2], as: .float32).floats == [-1, -1, -2, -2])
  }

  @Test func leavesNothingWhenMakingATensorFails() throws {
    let folder = try TemporaryFolder()
    let old = try folder.write("old", to: "a.safetensors")
    let failing = SafeTensorsWriter.Item(name: "x", shape: [1], dtype: .float32) {
      throw FireflyError("cannot be made")
    }
    #expect(throws: FireflyError("cannot be made")) { try SafeTensorsWriter.write([failing], to: old) }
    #expect(try String(contentsOfFile: old, encoding: .utf8) == "old")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.safetensors"])
  }

  // MARK: - Conversions

  @Test func convertsBetweenFloatingTypes() throws {
    let folder = try TemporaryFolder()
    var random = TestRandom(seed: 3)
    // The last is a tie of bfloat16: it rounds to even.
    let values = (0..<999).map { _ in Float.random(in: -3...3, using: &random) } + [1.00390625]
    let path = folder.path + "/a.safetensors"
    let half = values.map { Float16($0) }
    let halfTensor = Tensor([1000], .float16)
    halfTensor.copyBytes(littleEndian(half.map(\.bitPattern)))
    try SafeTensorsWriter.write([("wide", Tensor(values, [1000])), ("half", halfTensor)], to: path)
    let store = try WeightStore.open(path)
    #expect(try store.tensor("half", shape: [1000], as: .float32).floats == half.map { Float($0) })
    let expected = littleEndian(values.map(bfloat16Bits))
    expectBytes(try store.tensor("wide", shape: [1000], as: .bfloat16), expected)
    let rounded = littleEndian(half.map { bfloat16Bits(Float($0)) })
    expectBytes(try store.tensor("half", shape: [1000], as: .bfloat16), rounded)
  }

  /// Data that does not stand at a multiple of its elements' size, as old writers left it.
  @Test(arguments: 0..<4) func readsMisalignedData(_ padding: Int) throws {
    let folder = try TemporaryFolder()
    let header =
      #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"# + String(repeating: " ", count: padding)
    let path = try folder.write(safeTensors(header, data: littleEndian([1, -2, 0.5])), to: "a.safetensors")
    let store = try WeightStore.open(path)
    #expect(try store.tensor("a", shape: [3], as: .float32).floats == [1, -2, 0.5])
    let half = try store.tensor("a", shape: [3], as: .bfloat16)
    expectBytes(half, littleEndian([1, -2, 0.5].map(bfloat16Bits)))
  }

  @Test func tensorsOutliveTheStore() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.safetensors"
    let values = (0..<5000).map { Float($0) }
    try SafeTensorsWriter.write([("a", Tensor(values, [5000]))], to: path)
    let tensor = try WeightStore.open(path).tensor("a", shape: [5000], as: .float32)
    #expect(tensor.floats == values)
  }

  @Test func readsEmptyAndScalarTensors() throws {
    let folder = try TemporaryFolder()
    let header =
      #"{"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"e":{"dtype":"F32","shape":[0,4],"data_offsets":[4,4]}}"#
    let store = try WeightStore.open(
      folder.write(safeTensors(header, data: littleEndian([2.5])), to: "a.safetensors"))
    #expect(try store.tensor("s", shape: [], as: .float32).floats == [2.5])
    #expect(try store.tensor("e", shape: [0, 4], as: .bfloat16).count == 0)
  }

  // MARK: - Damage

  struct Damage: Sendable, CustomTestStringConvertible {
    let header: String
    var data = 8
    /// Words of the message that name what is wrong and where.
    let says: [String]
    var testDescription: String { says.joined(separator: "; ") }
  }

  static let damages = [
    Damage(header: "{}", says: ["bytes follow"]),
    Damage(header: "", data: 0, says: ["not valid JSON"]),
    Damage(header: "[1]", says: ["not an object"]),
    Damage(header: #"{"w":{"dtype":"F32","shape":[2]}}"#, says: ["w", "incomplete"]),
    Damage(header: #"{"w":3}"#, says: ["w", "incomplete"]),
    Damage(header: #"{"w":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}"#, says: ["w", "F33"]),
    Damage(header: #"{"w":{"dtype":"Q4_0","shape":[2],"data_offsets":[0,8]}}"#, says: ["w", "Q4_0"]),
    Damage(header: #"{"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, says: ["w", "shape"]),
    Damage(header: #"{"w":{"dtype":"F32","shape":[1.5],"data_offsets":[0,8]}}"#, says: ["w", "shape"]),
    Damage(
      header: #"{"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}"#,
      says: ["w", "shape"]),
    Damage(
      header: #"{"w":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,8]}}"#,
      says: ["w", "shape"]),
    Damage(header: #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,12]}}"#, says: ["w", "outside"]),
    Damage(header: #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, says: ["w", "outside"]),
    Damage(header: #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}"#, says: ["w", "outside"]),
    Damage(
      header: #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,1e300]}}"#, says: ["w", "outside"]),
    Damage(header: #"{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, says: ["w", "size", "12"]),
    Damage(
      header: #"{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, says: ["w", "gap"]),
    Damage(
      header:
        #"{"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
      says: ["w", "overlaps"]),
    Damage(
      header:
        #"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
      says: ["w", "twice"]),
    Damage(header: #"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, says: ["bytes follow"]),
    Damage(
      header: #"{"__metadata__":{"format":1},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
      says: ["__metadata__"]),
  ]

  @Test(arguments: damages) func refuses(_ damage: Damage) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      safeTensors(damage.header, data: [UInt8](repeating: 0, count: damage.data)), to: "a.safetensors")
    let message = thrownError { _ = try WeightStore.open(path) }?.description ?? ""
    for word in damage.says + ["a.safetensors"] {
      #expect(message.contains(word), "\(message)")
    }
  }

  @Test(arguments: [0, 1, 7]) func refusesAFileTooShortForItsLength(_ count: Int) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Data(repeating: 0, count: count), to: "a.safetensors")
    let message = thrownError { _ = try WeightStore.open(path) }?.description ?? ""
    #expect(message.contains(count == 0 ? "empty" : "too short"), "\(message)")
  }

  @Test(arguments: [UInt64.max, UInt64(1) << 63, 1 << 40, 3]) func refusesAbsurdHeaderLength(_ length: UInt64)
    throws
  {
    let folder = try TemporaryFolder()
    let path = try folder.write(Data(littleEndian([length])) + Data("{}".utf8), to: "a.safetensors")
    let message = thrownError { _ = try WeightStore.open(path) }?.description ?? ""
    #expect(message.contains("header does not fit") && message.contains("\(length)"), "\(message)")
  }

  @Test func namesAGitLFSPointer() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", to: "a.safetensors")
    #expect(thrownError { _ = try WeightStore.open(path) }?.what.contains("Git LFS") == true)
  }

  @Test func deepNestingIsRefused() throws {
    let folder = try TemporaryFolder()
    let header = String(repeating: "[", count: 100_000)
    let path = try folder.write(safeTensors(header), to: "a.safetensors")
    #expect(thrownError { _ = try WeightStore.open(path) } != nil)
  }

  @Test func anyCutOrChangedByteThrowsOrSucceeds() throws {
    let folder = try TemporaryFolder()
    let header =
      #"{"__metadata__":{"format":"pt"},"v":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#
    let data = safeTensors(header, data: littleEndian([1, 2, 3] as [UInt32]))
    let result = fuzz(data, header: data.count) { candidate in
      try readAll(WeightStore.open(folder.write(candidate, to: "a.safetensors")))
    }
    // Every cut is refused; a changed byte of data or of a name is not wrong.
    #expect(result.refused > data.count)
    #expect(result.accepted >= 12)
  }

  // MARK: - Asking

  @Test func namesWhatIsMissingOrWrong() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.safetensors"
    let names = ["model.norm.weight", "model.layers.0.mlp.up_proj.weight", "extra"]
    try SafeTensorsWriter.write(names.map { ($0, Tensor([1, 2], [2])) }, to: path)
    let store = try WeightStore.open(path)

    let missing = thrownError {
      _ = try store.tensor("model.layers.0.mlp.upproj.weight", shape: [2], as: .float32)
    }
    #expect(missing?.fix?.contains("model.layers.0.mlp.up_proj.weight") == true)
    let moved = thrownError {
      _ = try store.tensor("transformer.model.norm.weight", shape: [2], as: .float32)
    }
    #expect(moved?.fix?.contains("model.norm.weight") == true)
    let shape = thrownError { _ = try store.tensor("model.norm.weight", shape: [1, 2], as: .float32) }
    #expect(shape?.place == "\(path): model.norm.weight")
    #expect(shape?.expected == "[1, 2]" && shape?.found == "[2]")
    let dtype = thrownError { _ = try store.tensor("extra", shape: [2], as: .uint8) }
    #expect(dtype?.found == "F32")

    try store.require(names)
    let several = thrownError { try store.require(["x", "model.norm.weight", "y"]) }
    #expect(several?.what.contains("2 of 3") == true && several?.what.contains("x, y") == true)

    _ = try store.tensor("model.norm.weight", shape: [2], as: .float32)
  }
}
