import FireflyBase
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// The GGUF container: metadata, tensor entries, and what can be wrong with them.
@Suite struct GGUFTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func open(_ builder: GGUFBuilder) throws -> GGUFFile {
    try GGUFFile(folder.write(builder.data, to: "m.gguf"))
  }

  private func refusal(_ builder: GGUFBuilder) -> String {
    thrownError { _ = try open(builder) }?.description ?? ""
  }

  @Test func readsEveryMetadataType() throws {
    var file = GGUFBuilder()
    file.set("u8", 0, [200])
    file.set("i8", 1, [0xFE])
    file.set("u16", 2, littleEndian([UInt16(60000)]))
    file.set("i16", 3, littleEndian([Int16(-3)]))
    file.set("u32", 4, littleEndian([UInt32.max]))
    file.set("i32", 5, littleEndian([Int32.min]))
    file.set("f32", 6, littleEndian([Float(1e-5)]))
    file.set("bool", 7, [1])
    file.set("string", 8, GGUFBuilder.string("é中😀"))
    file.set("u64", 10, littleEndian([UInt64(1) << 62]))
    file.set("large", 10, littleEndian([UInt64.max]))
    file.set("i64", 11, littleEndian([Int64.min]))
    file.set("f64", 12, littleEndian([Double(0.1).bitPattern]))
    let list = GGUFBuilder.string("a") + GGUFBuilder.string("")
    file.set("strings", 9, littleEndian([UInt32(8)]) + littleEndian([UInt64(2)]) + list)
    file.set("floats", 9, littleEndian([UInt32(6)]) + littleEndian([UInt64(2)]) + littleEndian([0.5, -1]))
    let numbers = littleEndian([Int32(-7), 8])
    file.set("numbers", 9, littleEndian([UInt32(5)]) + littleEndian([UInt64(2)]) + numbers)
    let inner = littleEndian([UInt32(0)]) + littleEndian([UInt64(1)]) + [9]
    file.set("nested", 9, littleEndian([UInt32(9)]) + littleEndian([UInt64(1)]) + inner)
    let metadata = try open(file).metadata
    #expect(
      metadata.filter { $0.key != "strings" } == [
        "u8": .integer(200), "i8": .integer(-2), "u16": .integer(60000), "i16": .integer(-3),
        "u32": .integer(4_294_967_295), "i32": .integer(-2_147_483_648), "f32": .float32(1e-5),
        "bool": .bool(true),
        "string": .string("é中😀"), "u64": .integer(1 << 62), "large": .large(.max), "i64": .integer(.min),
        "f64": .float64(0.1), "floats": .fractions([0.5, -1]), "numbers": .numbers([-7, 8]),
        "nested": .array([.array([.integer(9)])]),
      ])
    #expect(metadata["strings"]?.strings == ["a", ""] && metadata["strings"]?.count == 2)
    #expect(metadata["floats"]?.floats == [0.5, -1])
    #expect(metadata["floats"]?.strings == nil)
    #expect(metadata["f32"]?.double == 1e-5)
  }

  /// Strings are read when they are asked for, from a file that somebody may have written to since.
  @Test func stringsThatAreNoLongerThereAreNone() throws {
    var file = GGUFBuilder()
    let list = GGUFBuilder.string("a") + GGUFBuilder.string("b")
    file.set("strings", 9, littleEndian([UInt32(8)]) + littleEndian([UInt64(2)]) + list)
    let gguf = try open(file)
    #expect(gguf.metadata["strings"]?.strings == ["a", "b"])
    let handle = try FileHandle(forUpdating: URL(filePath: gguf.path))
    let size = try handle.seekToEnd()
    try handle.seek(toOffset: 0)
    try handle.write(contentsOf: Data(repeating: 0xFF, count: Int(size)))
    try handle.close()
    #expect(gguf.metadata["strings"]?.strings == nil)
  }

  @Test(arguments: [32, 64, 8]) func findsTensorsAtAnyAlignment(_ alignment: Int) throws {
    var file = GGUFBuilder()
    file.alignment = alignment
    file.set("general.alignment", alignment)
    file.add("a", [2, 3], [1, 2, 3, 4, 5, 6])
    file.add("b", [1], [7])
    let gguf = try open(file)
    #expect(gguf.tensors.map(\.name) == ["a", "b"])
    #expect(gguf.tensors[0].shape == [2, 3])
    let data = try Data(contentsOf: URL(fileURLWithPath: gguf.path))
    #expect(Array(data[gguf.tensors[1].range]) == littleEndian([7] as [Float]))
  }

  @Test func versionTwoHasTheSameLayout() throws {
    var file = GGUFBuilder.llama
    file.version = 2
    #expect(try open(file).tensors.count == 11)
  }

  // MARK: - Damage

  struct Damage: Sendable, CustomTestStringConvertible {
    let name: String
    let says: [String]
    let make: @Sendable (inout GGUFBuilder) -> Void
    var testDescription: String { name }

    init(_ name: String, says: [String], _ make: @escaping @Sendable (inout GGUFBuilder) -> Void) {
      (self.name, self.says, self.make) = (name, says, make)
    }
  }

  static let damages = [
    Damage("another magic", says: ["not a GGUF file"]) { $0.magic = "GGML" },
    Damage("version 1", says: ["version 1"]) { $0.version = 1 },
    Damage("big-endian", says: ["big-endian"]) { $0.version = UInt32(3).byteSwapped },
    Damage("too many tensors", says: ["number of tensors", "\(UInt64.max)"]) { $0.tensorCount = .max },
    Damage("too many pairs", says: ["number of metadata pairs"]) { $0.pairCount = 1 << 40 },
    Damage("one tensor more than there is", says: ["m.gguf"]) { $0.tensorCount = 2 },
    Damage("unknown value type", says: ["k", "unknown type", "13"]) { $0.set("k", 13, [0]) },
    Damage("a boolean of 2", says: ["k", "not a boolean"]) { $0.set("k", 7, [2]) },
    Damage("long string", says: ["k", "larger than the rest"]) {
      $0.set("k", 8, littleEndian([UInt64.max]))
    },
    Damage("not UTF-8", says: ["k", "UTF-8"]) { $0.set("k", 8, littleEndian([UInt64(2)]) + [0xC3, 0x28]) },
    Damage("long array", says: ["k", "larger than the rest"]) {
      $0.set("k", 9, littleEndian([UInt32(10)]) + littleEndian([UInt64(1) << 61]))
    },
    Damage("deep arrays", says: ["k", "nested"]) { file in
      let level = littleEndian([UInt32(9)]) + littleEndian([UInt64(1)])
      file.set("k", 9, (0..<50).flatMap { _ in level })
    },
    Damage("a key twice", says: ["k", "twice"]) { file in
      file.set("k", 1)
      file.pairs.append(file.pairs[0])
    },
    Damage("alignment 0", says: ["alignment", "found 0"]) { $0.set("general.alignment", 0) },
    Damage("alignment 24", says: ["alignment", "found 24"]) { $0.set("general.alignment", 24) },
    Damage("alignment of text", says: ["alignment", "a string"]) { $0.set("general.alignment", "32") },
    Damage("a tensor twice", says: ["t", "twice"]) { $0.entries.append($0.entries[0]) },
    Damage("no dimensions", says: ["t", "dimensions", "found 0"]) { $0.entries[0].dimensions = [] },
    Damage("five dimensions", says: ["t", "dimensions", "found 5"]) {
      $0.entries[0].dimensions = [1, 1, 1, 1, 4]
    },
    Damage("a dimension of 0", says: ["t", "dimensions are not possible"]) { $0.entries[0].dimensions = [0] },
    Damage("huge dimensions", says: ["t", "dimensions are not possible"]) {
      $0.entries[0].dimensions = [1 << 32, 1 << 32]
    },
    Damage("a dimension beyond Int", says: ["t", "dimensions are not possible"]) {
      $0.entries[0].dimensions = [.max]
    },
    Damage("rows of half a block", says: ["t", "blocks of 32"]) { file in
      file.entries[0].type = 2
      file.entries[0].dimensions = [16, 4]
    },
    Damage("unsupported type", says: ["t", "IQ2_XXS", "Q4_K"]) { $0.entries[0].type = 16 },
    Damage("unknown type", says: ["t", "type 99"]) { $0.entries[0].type = 99 },
    Damage("beyond the file", says: ["t", "outside"]) { $0.entries[0].dimensions = [1000] },
    Damage("offset beyond the file", says: ["t", "outside"]) { $0.entries[0].offset = 1 << 62 },
    Damage("offset beyond Int", says: ["t", "outside"]) { $0.entries[0].offset = .max - 31 },
    Damage("offset off the alignment", says: ["t", "multiple of 32"]) { $0.entries[0].offset = 4 },
    Damage("overlap", says: ["u", "overlaps", "t"]) { file in
      file.add("u", [4], [1, 2, 3, 4])
      file.entries[1].offset = 0
    },
  ]

  @Test(arguments: damages) func refuses(_ damage: Damage) {
    var file = GGUFBuilder()
    file.add("t", [4], [1, 2, 3, 4])
    damage.make(&file)
    let message = refusal(file)
    for word in damage.says + ["m.gguf"] { #expect(message.contains(word), "\(message)") }
  }

  @Test func refusesAnEmptyFile() throws {
    let path = try folder.write("", to: "m.gguf")
    #expect(thrownError { _ = try ModelSource.open(path) }?.what == "the file is empty")
  }

  @Test func anyCutOrChangedByteThrowsOrSucceeds() throws {
    let file = GGUFBuilder.llama
    let data = file.data
    let result = fuzz(data, header: data.count - file.bodyCount) { candidate in
      try readAll(ModelSource.open(folder.write(candidate, to: "m.gguf")).weights)
    }
    // Every cut is refused; a changed letter of an unknown tensor's or key's name is not wrong.
    #expect(result.refused > data.count - file.bodyCount)
    #expect(result.accepted > 50)
  }
}
