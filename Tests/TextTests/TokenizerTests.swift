import FireflyBase
import FireflyText
import Foundation
import Testing

/// Tiny tokenizers against tokenizers and sentencepiece (tools/reference/tokenizer_fixtures.py).
@Suite struct TokenizerTests {
  static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
    .path()
  static let files = ["byte_level.json", "llama_style.json", "pieces.model"]

  private struct Row {
    let text: String
    let ids: [Int32]
    let decoded: String
  }

  private func rows(_ file: String) throws -> [Row] {
    let lines = try String(contentsOfFile: Self.fixtures + "/vectors.jsonl", encoding: .utf8).utf8
      .split(separator: UInt8(ascii: "\n"))
    let rows = try lines.map { try JSONValue.parse(Data($0), source: "vectors.jsonl") }
    return try rows.filter { $0["file"]?.string == file }.map { row in
      Row(
        text: try #require(row["text"]?.string),
        ids: try #require(row["ids"]?.array).compactMap { $0.int.map(Int32.init) },
        decoded: try #require(row["decoded"]?.string))
    }
  }

  @Test(arguments: files) func encodesAndDecodesAsTheReference(_ file: String) throws {
    let tokenizer = try Tokenizers.load(Self.fixtures + "/" + file)
    let rows = try rows(file)
    #expect(rows.count > 30)
    for row in rows {
      let ids = try tokenizer.encode(row.text, parseSpecial: file.hasSuffix(".json"))
      #expect(ids == row.ids, "\(row.text.debugDescription)")
      let decoded = tokenizer.decode(row.ids, skipSpecial: false)
      #expect(Array(decoded.utf8) == Array(row.decoded.utf8), "\(row.text.debugDescription)")
    }
  }

  @Test(arguments: files) func streamingNeverSplitsACharacter(_ file: String) throws {
    let tokenizer = try Tokenizers.load(Self.fixtures + "/" + file)
    for row in try rows(file) {
      var decoder = tokenizer.makeStreamingDecoder(skipSpecial: false)
      var text = ""
      for id in row.ids {
        let piece = decoder.append(id)
        #expect(!piece.unicodeScalars.contains("\u{FFFD}"), "\(row.text.debugDescription)")
        text += piece
      }
      text += decoder.finish()
      #expect(text == tokenizer.decode(row.ids, skipSpecial: false))
    }
  }

  @Test func specialStringsAreTextUnlessParsed() throws {
    let tokenizer = try Tokenizers.load(Self.fixtures + "/byte_level.json")
    let end = try #require(tokenizer.id(of: "<|im_end|>"))
    #expect(try tokenizer.encode("a<|im_end|>", parseSpecial: true).last == end)
    #expect(try !tokenizer.encode("a<|im_end|>", parseSpecial: false).contains(end))
    #expect(tokenizer.specialIDs.contains(end))
    #expect(tokenizer.decode([end], skipSpecial: true).isEmpty)
  }

  @Test(arguments: [
    ("{", "JSON"), ("", "empty"), ("{\"model\": {\"type\": \"Unigram\"}}", "Unigram"),
    ("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"b\": 1}, \"merges\": [\"a b\"]}}", "merges[0]"),
    ("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 99999999}, \"merges\": []}}", "out of range"),
    (
      "{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": []}, \"normalizer\": {\"type\": \"BertNormalizer\"}}",
      "BertNormalizer"
    ),
    ("{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": []}, \"surprise\": 1}", "surprise"),
  ])
  func brokenFilesAreNamed(_ text: String, _ named: String) throws {
    let folder = NSTemporaryDirectory() + "firefly-tokenizer-\(UUID().uuidString)"
    try AtomicFile.makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try AtomicFile.write(Data(text.utf8), to: folder + "/tokenizer.json")
    let error = #expect(throws: FireflyError.self) { try Tokenizers.load(folder) }
    #expect(error?.description.contains(named) == true, "\(error?.description ?? "")")
  }

  @Test func aBrokenPieceModelIsAnError() throws {
    let folder = NSTemporaryDirectory() + "firefly-pieces-\(UUID().uuidString)"
    try AtomicFile.makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let whole = try MappedFile(Self.fixtures + "/pieces.model").data
    for data in [Data(), Data("not a model".utf8), whole.prefix(whole.count / 2)] {
      try AtomicFile.write(data, to: folder + "/tokenizer.model")
      #expect(throws: FireflyError.self) { try Tokenizers.load(folder) }
    }
  }

  @Test func aGGUFVocabularyNeedsAKnownPreTokenizer() throws {
    let vocabulary = GGUFVocabulary(
      model: "gpt2", pre: "surprise", tokens: ["a"], addBOS: false, source: "model.gguf")
    let error = #expect(throws: FireflyError.self) { try Tokenizers.make(vocabulary) }
    #expect(error?.description.contains("surprise") == true)
  }

  /// U+180E was a space until Unicode 6.3, and still is one to PCRE2's `\s`.
  @Test func theMongolianVowelSeparatorIsNoSpace() throws {
    let tokenizer = try Tokenizers.make(
      GGUFVocabulary(
        model: "gpt2", pre: "gpt-2", tokens: ["Ġ", "ĠĠ"], merges: ["Ġ Ġ"], addBOS: false,
        source: "model.gguf"))
    #expect(try tokenizer.encode("  \u{180E}", parseSpecial: false) == [0, 0])
    #expect(try tokenizer.encode("  ", parseSpecial: false) == [1])
  }
}
