import FireflyBase
import FireflyPretrained
import FireflyText
import FireflyWeights
import Foundation
import Testing

@Suite struct GGUFVocabularyTests {
  /// A metadata value as a GGUF file writes it: its type's number and its bytes.
  struct Value {
    let type: UInt32
    let bytes: [UInt8]

    static func string(_ text: String) -> Value { Value(type: 8, bytes: spelled(text)) }
    static func bool(_ flag: Bool) -> Value { Value(type: 7, bytes: [flag ? 1 : 0]) }
    static func id(_ number: UInt32) -> Value { Value(type: 4, bytes: little(number)) }
    static func strings(_ list: [String]) -> Value { array(8, list.map(spelled)) }
    static func floats(_ list: [Float]) -> Value { array(6, list.map { little($0.bitPattern) }) }
    static func ids(_ list: [Int32]) -> Value { array(5, list.map { little(UInt32(bitPattern: $0)) }) }

    private static func array(_ type: UInt32, _ elements: [[UInt8]]) -> Value {
      Value(type: 9, bytes: little(type) + little(UInt64(elements.count)) + elements.flatMap { $0 })
    }
  }

  static func little<T: FixedWidthInteger>(_ number: T) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }

  static func spelled(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + Array(text.utf8) }

  static let whole: [String: Value] = [
    "tokenizer.ggml.model": .string("llama"), "tokenizer.ggml.tokens": .strings(["<unk>", "<s>", "a"]),
    "tokenizer.ggml.scores": .floats([0, 0, -1]), "tokenizer.ggml.token_type": .ids([2, 3, 1]),
    "tokenizer.ggml.bos_token_id": .id(1), "tokenizer.ggml.unknown_token_id": .id(0),
    "tokenizer.ggml.eos_token_id": .id(.max), "tokenizer.chat_template": .string("{{ x }}"),
  ]

  /// Reads the vocabulary of a file with `metadata` and no tensors.
  func read(_ metadata: [String: Value]) throws -> GGUFVocabulary {
    let path = NSTemporaryDirectory() + "vocabulary-\(UUID().uuidString).gguf"
    defer { unlink(path) }
    var bytes = Array("GGUF".utf8) + Self.little(UInt32(3)) + Self.little(UInt64(0))
    bytes += Self.little(UInt64(metadata.count))
    for (key, value) in metadata { bytes += Self.spelled(key) + Self.little(value.type) + value.bytes }
    try AtomicFile.write(Data(bytes), to: path)
    return try GGUFVocabulary(GGUFFile(path))
  }

  @Test func everythingIsReadAndDefaultsAreLlamaCpps() throws {
    let vocabulary = try read(Self.whole)
    #expect(vocabulary.model == "llama")
    #expect(vocabulary.tokens == ["<unk>", "<s>", "a"])
    #expect(vocabulary.scores == [0, 0, -1])
    #expect(vocabulary.types == [2, 3, 1])
    #expect(vocabulary.bos == 1)
    #expect(vocabulary.unk == 0)
    #expect(vocabulary.eos == nil)  // the largest number stands for none
    #expect(vocabulary.pad == nil)
    #expect(vocabulary.addBOS)
    #expect(vocabulary.chatTemplate == "{{ x }}")
    let byteLevel = try read([
      "tokenizer.ggml.model": .string("gpt2"), "tokenizer.ggml.tokens": .strings(["a", "b", "ab"]),
      "tokenizer.ggml.merges": .strings(["a b"]), "tokenizer.ggml.pre": .string("smollm"),
    ])
    #expect(byteLevel.merges == ["a b"])
    #expect(byteLevel.pre == "smollm")
    #expect(!byteLevel.addBOS)
  }

  @Test(
    arguments: [
      ("tokenizer.ggml.tokens", nil), ("tokenizer.ggml.model", nil), ("tokenizer.ggml.model", Value.id(1)),
      ("tokenizer.ggml.tokens", .ids([1])), ("tokenizer.ggml.scores", .floats([0])),
      ("tokenizer.ggml.token_type", .ids([1, 1, 1, 1])), ("tokenizer.ggml.bos_token_id", .id(3)),
      ("tokenizer.ggml.add_bos_token", .id(1)),
    ] as [(String, Value?)])
  func whatIsWrongIsNamed(key: String, value: Value?) {
    var metadata = Self.whole
    metadata[key] = value
    let error = #expect(throws: FireflyError.self) { try read(metadata) }
    #expect(error?.place?.hasSuffix(": \(key)") == true)
  }
}
