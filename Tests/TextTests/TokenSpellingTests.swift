import FireflyText
import Foundation
import Testing

@Suite struct TokenSpellingTests {
  static let fixtures = (#filePath as NSString).deletingLastPathComponent + "/Fixtures/"

  @Test(arguments: ["qwen2.json", "llama.json", "pieces.model"])
  func tokensJoinToTheTextInBytes(file: String) throws {
    let tokenizer = try Tokenizers.load(Self.fixtures + file)
    let spelling = TokenSpelling(tokenizer)
    for text in [" the apples", "two  spaces", "小明有三个苹果", "🙂é", "a\tb\n"] {
      let ids = try tokenizer.encode(text, parseSpecial: false)
      guard !ids.contains(where: { $0 == tokenizer.unk }) else { continue }
      let joined = ids.flatMap { spelling.bytes(of: $0) }
      // The leading space that a model puts in front is part of its first token.
      let found = String(decoding: joined, as: UTF8.self)
      #expect(found == text || found == " " + text, "\(file)")
    }
  }

  @Test func partsOfCharactersAreWrittenAsBytes() throws {
    let tokenizer = try Tokenizers.load(Self.fixtures + "qwen2.json")
    let ids = try tokenizer.encode("🙂", parseSpecial: false)
    try #require(ids.count > 1)
    #expect(TokenSpelling(tokenizer).text(of: ids[0]).hasPrefix("bytes:\\xf0"))
  }
}
