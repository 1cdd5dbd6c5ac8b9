import FireflyBase
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

/// A tokenizer and what sentencepiece, tokenizers or tiktoken made of hard texts with it.
private struct Vectors: CustomTestStringConvertible, Sendable {
  let tokenizer: String
  /// A row a text: `{"i", "ids", "decoded"}`; `decoded` is true where decoding gives the text again.
  let rows: String
  /// `[{"i", "text"}, …]`
  let texts: String

  var testDescription: String { URL(filePath: tokenizer).pathComponents.suffix(2).joined(separator: "/") }

  /// Special strings are parsed by all but SentencePiece models.
  func check() throws {
    let tokenizer = try Tokenizers.load(tokenizer)
    let parsesSpecial = !self.tokenizer.contains(".model")
    let texts = Dictionary(
      uniqueKeysWithValues: try #require(JSONValue.read(texts).array).map {
        (try #require($0["i"]?.int), try #require($0["text"]?.string))
      })
    let lines = try String(contentsOfFile: rows, encoding: .utf8).utf8.split(separator: UInt8(ascii: "\n"))
    #expect(lines.count == texts.count && texts.count >= 144)
    for line in lines {
      let row = try JSONValue.parse(Data(line), source: rows)
      let text = try #require(row["i"]?.int.flatMap { texts[$0] })
      let expected = try #require(row["ids"]?.array).map { Int32(try #require($0.int)) }
      #expect(try tokenizer.encode(text, parseSpecial: parsesSpecial) == expected, "\(text.debugDescription)")
      let decoded = try #require(row["decoded"]?.bool == true ? text : row["decoded"]?.string)
      let found = tokenizer.decode(expected, skipSpecial: false)
      #expect(Array(found.utf8) == Array(decoded.utf8), "\(text.debugDescription)")
    }
  }
}

/// Ids and decoded texts of hard texts (tools/reference/tokenizer_vectors.py).
@Suite struct TokenizerVectorTests {
  private static let folder = TokenizerTests.fixtures + "/hard"
  private static let all = [
    "llama.model", "merged.model", "baichuan.model", "mistral.model", "unigram.model", "unigram_bytes.model",
    "llama.json", "gpt2.json", "qwen2.json", "llama3.json", "smollm.json", "bloom.json", "qwen.tiktoken",
  ].map {
    Vectors(tokenizer: "\(folder)/\($0)", rows: "\(folder)/\($0).jsonl", texts: folder + "/texts.json")
  }

  @Test(arguments: all) private func idsAndTextsAgree(_ vectors: Vectors) throws {
    try vectors.check()
  }

  @Test func allTokenizersAreThere() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder)
    #expect(names.count { $0.hasSuffix(".jsonl") } == Self.all.count)
  }
}

/// The same with vocabularies that models ship, where they are at hand and are those that the rows were made with.
@Suite struct RealVocabularyTests {
  /// A tokenizer, its rows, and `SharedFolder.hash` of both and the texts.
  private static let files = [
    ("llama2/tokenizer.json", "llama2__tokenizer.json", "aecbefa7d096de3e7c456adf544ea552"),
    ("llama2/tokenizer.model", "llama2__tokenizer.model", "d82285ed43423797ae7c72f374d4a67b"),
    ("gpt2/tokenizer.json", "gpt2__tokenizer.json", "ae5f523cb07d227d4feb6b4ec34655d0"),
    ("qwen2/tokenizer.json", "qwen2__tokenizer.json", "a38e28e6fb81e36c1d20bbaeb8124486"),
    (
      "smollm2/tokenizer.json", "smollm2-135m-instruct__tokenizer.json",
      "587337c7700de9fced2d4e298a875379"
    ),
    (
      "bloom/synthetic_32k_tokenizer.json", "bloom__synthetic_32k_tokenizer.json",
      "771dc8fdcfb09ce18240d4e1696f2a1a"
    ),
    ("mistral/tokenizer.model.v1", "mistral__tokenizer.model.v1", "4939789b9e508683a55443db1b0e6c02"),
    (
      "mistral/mistral_instruct_tokenizer_240323.model.v3",
      "mistral__mistral_instruct_tokenizer_240323.model.v3", "75e8e30ae77f29f2ae24fa4b765af7e7"
    ),
    ("baichuan-7b/tokenizer.model", "baichuan-7b__tokenizer.model", "bd8da3fea6f14bcdb5a762fe9a7e6e98"),
    ("chatglm3-6b/tokenizer.model", "chatglm3-6b__tokenizer.model", "d092b8e4dad27de798d7ddaf88ef5f37"),
    (
      "chinese-llama-alpaca-2/tokenizer.model", "chinese-llama-alpaca-2__tokenizer.model",
      "66627fbf793a3ee0ee972ac73028c8b7"
    ),
  ]

  /// Those that can be checked, and what to say of the others.
  private static let (known, others): ([Vectors], Comment?) = {
    var known: [Vectors] = []
    var others: [String] = []
    for (tokenizer, rows, hash) in files {
      let names = ["tokenizers/\(tokenizer)", "vectors/\(rows).jsonl", "vectors/texts.json"]
      let found = SharedFolder.hash(names)
      if found == hash {
        let paths = names.map { "\(SharedFolder.path)/\($0)" }
        known.append(Vectors(tokenizer: paths[0], rows: paths[1], texts: paths[2]))
      } else {
        others.append(tokenizer + (found.map { " (another file: \($0))" } ?? ""))
      }
    }
    if known.isEmpty { return ([], "no vocabularies of models in \(SharedFolder.path)") }
    return (known, others.isEmpty ? nil : "not in \(SharedFolder.path): \(others.joined(separator: ", "))")
  }()

  @Test(.enabled(if: !known.isEmpty, others), arguments: known)
  private func idsAndTextsAgree(_ vectors: Vectors) throws {
    try vectors.check()
  }

  /// Skipped where some are left out above, to say which.
  @Test(.enabled(if: others == nil, others)) func noneIsLeftOut() {
    #expect(Self.known.count == Self.files.count)
  }
}
