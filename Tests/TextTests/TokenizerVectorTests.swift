import FireflyBase
import FireflyText
import Foundation
import Testing

/// Against ids of sentencepiece 0.2.3 and tokenizers 0.23.3 on 144 hard texts, where ../shared exists.
@Suite(.enabled(if: FileManager.default.fileExists(atPath: TokenizerVectorTests.shared + "/vectors")))
struct TokenizerVectorTests {
  static let shared = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared").path()

  @Test(arguments: [
    ("llama2/tokenizer.json", "llama2__tokenizer.json"), ("llama2/tokenizer.model", "llama2__tokenizer.model"),
    ("gpt2/tokenizer.json", "gpt2__tokenizer.json"), ("qwen2/tokenizer.json", "qwen2__tokenizer.json"),
    ("smollm2/tokenizer.json", "smollm2-135m-instruct__tokenizer.json"),
    ("bloom/synthetic_32k_tokenizer.json", "bloom__synthetic_32k_tokenizer.json"),
    ("mistral/tokenizer.model.v1", "mistral__tokenizer.model.v1"),
    ("baichuan-7b/tokenizer.model", "baichuan-7b__tokenizer.model"),
    ("chatglm3-6b/tokenizer.model", "chatglm3-6b__tokenizer.model"),
    ("chinese-llama-alpaca-2/tokenizer.model", "chinese-llama-alpaca-2__tokenizer.model"),
  ])
  func idsAndTextsAgree(_ file: String, _ vectors: String) throws {
    let tokenizer = try Tokenizers.load(Self.shared + "/tokenizers/" + file)
    var texts: [Int: String] = [:]
    for row in try #require(JSONValue.read(Self.shared + "/vectors/texts.json").array) {
      texts[try #require(row["i"]?.int)] = row["text"]?.string ?? ""
    }
    let lines = try String(contentsOfFile: Self.shared + "/vectors/\(vectors).jsonl", encoding: .utf8)
      .split(separator: "\n")
    #expect(lines.count == texts.count)
    for line in lines {
      let row = try JSONValue.parse(String(line), source: vectors)
      let text = try #require(texts[try #require(row["i"]?.int)])
      let expected = try #require(row["ids"]?.array).compactMap { $0.int.map(Int32.init) }
      let ids = try tokenizer.encode(text, parseSpecial: true)
      #expect(ids == expected, "\(text.debugDescription)")
      if row["decoded"]?.bool == true {
        #expect(tokenizer.decode(expected, skipSpecial: false) == text, "\(text.debugDescription)")
      }
    }
  }
}
