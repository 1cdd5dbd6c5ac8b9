import FireflyBase
import FireflyText
import Foundation
import Testing

private let sharedFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared").path()
private let vectorsFolder = sharedFolder + "/vectors"

/// Against ids of sentencepiece 0.2.3 and tokenizers 0.23.3 on 144 hard texts, where ../shared exists.
@Suite(.enabled(if: FileManager.default.fileExists(atPath: vectorsFolder)))
struct TokenizerVectorTests {
  @Test(arguments: [
    ("llama2/tokenizer.json", "llama2__tokenizer.json"),
    ("llama2/tokenizer.model", "llama2__tokenizer.model"),
    ("gpt2/tokenizer.json", "gpt2__tokenizer.json"), ("qwen2/tokenizer.json", "qwen2__tokenizer.json"),
    ("smollm2/tokenizer.json", "smollm2-135m-instruct__tokenizer.json"),
    ("bloom/synthetic_32k_tokenizer.json", "bloom__synthetic_32k_tokenizer.json"),
    ("mistral/tokenizer.model.v1", "mistral__tokenizer.model.v1"),
    (
      "mistral/mistral_instruct_tokenizer_240323.model.v3",
      "mistral__mistral_instruct_tokenizer_240323.model.v3"
    ),
    ("baichuan-7b/tokenizer.model", "baichuan-7b__tokenizer.model"),
    ("chatglm3-6b/tokenizer.model", "chatglm3-6b__tokenizer.model"),
    ("chinese-llama-alpaca-2/tokenizer.model", "chinese-llama-alpaca-2__tokenizer.model"),
  ])
  func idsAndTextsAgree(_ file: String, _ vectors: String) throws {
    let tokenizer = try Tokenizers.load(sharedFolder + "/tokenizers/" + file)
    var texts: [Int: String] = [:]
    for row in try JSONValue.read(vectorsFolder + "/texts.json").array ?? [] {
      if let index = row["i"]?.int { texts[index] = row["text"]?.string }
    }
    let lines = try String(contentsOfFile: vectorsFolder + "/\(vectors).jsonl", encoding: .utf8)
      .split(separator: "\n")
    #expect(lines.count == texts.count)
    for line in lines {
      let row = try JSONValue.parse(String(line), source: vectors)
      let index = try #require(row["i"]?.int)
      let text = try #require(texts[index])
      let expected = try #require(row["ids"]?.array).compactMap { $0.int.map(Int32.init) }
      let ids = try tokenizer.encode(text, parseSpecial: file.contains(".json"))
      #expect(ids == expected, "\(text.debugDescription)")
      // true where decoding gives the text back.
      let decoded = try #require(row["decoded"]?.string ?? (row["decoded"]?.bool == true ? text : nil))
      let found = tokenizer.decode(expected, skipSpecial: false)
      #expect(Array(found.utf8) == Array(decoded.utf8), "\(text.debugDescription)")
    }
  }
}
