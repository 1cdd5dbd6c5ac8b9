import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

@testable import FireflyText

/// Parts of pipelines on the smallest vocabularies that show their rules, against tokenizers
/// (tools/reference/pipeline_parts.py).
@Suite struct PipelinePartTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let tokenizer: JSONValue
    let texts: [String]
    /// By text, without and with the tokens at its ends.
    let ids: [[Int32]]
    let ends: [[Int32]]
    /// By text, from its ids.
    let decoded: [String]

    var testDescription: String { name }
  }

  static let cases: [Case] = {
    let list = (try? JSONValue.read(TokenizerTests.fixtures + "/parts/cases.json").array) ?? []
    return list.map { item in
      func strings(_ key: String) -> [String] { (item[key]?.array ?? []).compactMap(\.string) }
      func ids(_ key: String) -> [[Int32]] {
        (item[key]?.array ?? []).map { ($0.array ?? []).compactMap { $0.int.map(Int32.init) } }
      }
      return Case(
        name: item["name"]?.string ?? "", tokenizer: item["tokenizer"] ?? .null, texts: strings("texts"),
        ids: ids("ids"), ends: ids("ends"), decoded: strings("decoded"))
    }
  }()

  private func load(_ file: JSONValue) throws -> any Tokenizer {
    try inTemporaryFolder { folder in
      try Data(file.text().utf8).write(to: URL(fileURLWithPath: folder + "/tokenizer.json"))
      return try Tokenizers.load(folder)
    }
  }

  @Test func allCasesAreThere() { #expect(Self.cases.count == 33) }

  @Test(arguments: cases) func partsDoAsTheReference(_ item: Case) throws {
    let tokenizer = try load(item.tokenizer)
    #expect(item.texts.count == item.ids.count && item.texts.count == item.decoded.count)
    for (index, text) in item.texts.enumerated() {
      let ids = try tokenizer.encode(text, parseSpecial: true)
      #expect(ids == item.ids[index], "\(text.debugDescription)")
      #expect(tokenizer.textStart + ids + tokenizer.textEnd == item.ends[index], "\(text.debugDescription)")
      let decoded = tokenizer.decode(item.ids[index], skipSpecial: false)
      #expect(Array(decoded.utf8) == Array(item.decoded[index].utf8), "\(item.ids[index])")
    }
  }

  @Test func idsThatAreCountedAnewAreTold() throws {
    let item = try #require(Self.cases.first { $0.name == "ids that do not follow the vocabulary" })
    let notes = try load(item.tokenizer).notes
    #expect(notes.count == 1 && notes[0].contains("\"the\" on (17, found 3)"))
  }

  /// What the library itself does strangely, or cannot be read as one thing.
  @Test(arguments: [
    (
      "\"added_tokens\": [{\"id\": 2, \"content\": \" \", \"normalized\": true}], \"normalizer\": {\"type\": \"Strip\"}",
      "leaves nothing of an added token"
    ),
    (
      "\"decoder\": {\"type\": \"Sequence\", \"decoders\": [{\"type\": \"Fuse\"}, {\"type\": \"ByteLevel\"}]}",
      "decoder beside ByteLevel"
    ),
    (
      "\"post_processor\": {\"type\": \"Sequence\", \"processors\": [{\"type\": \"BertProcessing\", \"sep\": [\"a\", 1], \"cls\": [\"a\", 1]}, {\"type\": \"BertProcessing\", \"sep\": [\"a\", 1], \"cls\": [\"a\", 1]}]}",
      "two post-processors"
    ),
    (
      "\"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": [], \"special_tokens\": {}}",
      "must have the text once"
    ),
  ]) func partsThatAreRefused(_ part: String, _ words: String) throws {
    let model =
      "\"model\": {\"type\": \"WordLevel\", \"unk_token\": \"<unk>\", \"vocab\": {\"<unk>\": 0, \"a\": 1}}"
    let file = try JSONValue.parse("{\(part), \(model)}", source: "test")
    #expect { try load(file) } throws: { "\($0)".contains(words) }
  }

  /// SentencePiece 0.2.3 gives a user-defined piece of n bytes 0.1 · (n − 1), so that it loses only where the way around it is short.
  @Test(arguments: [
    ("abcd", ["abc", "d"]), ("ababab", ["ab", "ab", "ab"]), ("babab", ["bab", "ab"]), ("aba", ["aba"]),
    ("cabc", ["c", "ab", "c"]),
  ]) func userDefinedPiecesOfAUnigramModel(_ text: String, _ expected: [String]) throws {
    var model = PieceModel("")
    model.kind = 1
    model.pieces += [("a", -1, 1), ("b", -1, 1), ("c", -1, 1), ("d", -9, 1), ("ab", 0, 4)]
    model.pieces += text == "abcd" ? [("abc", -0.1, 1)] : [("aba", -0.1, 1), ("bab", -0.1, 1)]
    let tokenizer = try inTemporaryFolder { folder in
      try model.data.write(to: URL(fileURLWithPath: folder + "/tokenizer.model"))
      return try Tokenizers.load(folder)
    }
    let ids = try tokenizer.encode(text, parseSpecial: false).filter { tokenizer.token(of: $0) != "▁" }
    let pieces = ids.compactMap(tokenizer.token(of:))
    #expect(Array(pieces.drop { $0 == "<unk>" }) == expected)
  }
}
