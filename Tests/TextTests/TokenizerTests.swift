import FireflyBase
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

/// What tokenizers are asked beyond the ids of a text (TokenizerFixtureTests has those).
@Suite struct TokenizerTests {
  static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
    .path()

  @Test func specialStringsAreTextUnlessParsed() throws {
    let tokenizer = try Tokenizers.load(Self.fixtures + "/qwen2.json")
    let end = try #require(tokenizer.id(of: "<|im_end|>"))
    #expect(try tokenizer.encode("a<|im_end|>", parseSpecial: true).last == end)
    #expect(try !tokenizer.encode("a<|im_end|>", parseSpecial: false).contains(end))
    #expect(tokenizer.specialIDs.contains(end))
    #expect(tokenizer.decode([end], skipSpecial: true).isEmpty)
  }

  @Test(arguments: [
    ("{", "JSON"), ("", "empty"), ("[]", "a list"),
    ("{\"model\": {\"type\": \"Surprise\", \"vocab\": {}}}", "Surprise"),
    ("{\"model\": {\"type\": \"Unigram\", \"vocab\": [[\"a\"]]}}", "vocab[0]"),
    ("{\"model\": {\"vocab\": {}, \"merges\": [], \"dropout\": 0.1}}", "dropout"),
    ("{\"model\": {\"vocab\": {}, \"merges\": [[\"a\", 1]]}}", "merges[0]"),
    ("{\"model\": {\"vocab\": {\"a\": \"b\"}, \"merges\": []}}", "model.vocab"),
    ("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"b\": 1}, \"merges\": [\"a b\"]}}", "merges[0]"),
    ("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 99999999}, \"merges\": []}}", "out of range"),
    (
      "{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": []}, \"normalizer\": {\"type\": \"Surprise\"}}",
      "Surprise"
    ),
    ("{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": []}, \"surprise\": 1}", "surprise"),
  ])
  func brokenFilesAreNamed(_ text: String, _ named: String) throws {
    try inTemporaryFolder { folder in
      try AtomicFile.write(Data(text.utf8), to: folder + "/tokenizer.json")
      let error = #expect(throws: FireflyError.self) { try Tokenizers.load(folder) }
      #expect(error?.description.contains(named) == true, "\(error?.description ?? "")")
    }
  }

  @Test func aBrokenPieceModelIsAnError() throws {
    try inTemporaryFolder { folder in
      let whole = try MappedFile(Self.fixtures + "/pieces.model").data
      for data in [Data(), Data("not a model".utf8), whole.prefix(whole.count / 2), whole.dropFirst(3)] {
        try AtomicFile.write(data, to: folder + "/tokenizer.model")
        #expect(throws: FireflyError.self) { try Tokenizers.load(folder) }
      }
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
