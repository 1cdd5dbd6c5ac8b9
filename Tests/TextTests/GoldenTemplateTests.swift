import FireflyBase
import FireflyText
import Foundation
import Testing

/// One template's entry of Fixtures/golden/templates.json (its README says what is in it).
private struct GoldenTemplate {
  let head: [JSONValue]
  let headWithSystem: [JSONValue]
  /// User, answer, user, answer.
  let parts: [[JSONValue]]
  let stop: [String]

  init(_ name: String, _ json: JSONValue) throws {
    let entry = try #require(json["templates"]?.array?.first { $0["name"]?.string == name }, "\(name)")
    head = try #require(entry["head"]?.array)
    headWithSystem = try #require(entry["head_with_system"]?.array)
    parts = try #require(entry["turns"]?.array).flatMap {
      try #require($0.array).map { try #require($0.array) }
    }
    stop = try #require(entry["stop"]?.array).map { try #require($0.string) }
    #expect(parts.count == 4)
  }
}

/// Every named template against what the original makes of the same conversation: ids, mask, prompt, stop tokens.
@Suite struct GoldenTemplateTests {
  private static let json = Result {
    try JSONValue.read(TokenizerTests.fixtures + "/golden/templates.json")
  }
  /// All templates' tokens, and a mark where a text begins: two texts tokenised together lack one.
  private let tokenizer = CharacterTokenizer(
    specials: [
      "<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|begin_of_text|>",
      "<|start_header_id|>",
      "<|end_header_id|>", "<|eot_id|>", "<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>", "[gMASK]",
      "sop", "<|system|>",
      "<|user|>", "<|assistant|>", "<|observation|>", "<|end|>", "<｜end▁of▁sentence｜>", "<reserved_102>",
      "<reserved_103>",
      "<reserved_106>", "<reserved_107>", "<用户>", "<AI>",
    ], marksPieces: true)

  private func ids(_ part: [JSONValue]) throws -> [Int32] {
    try part.flatMap { piece in
      if let text = piece.string { return try tokenizer.encode(text, parseSpecial: true) }
      return [try #require(piece["id"]?.string.flatMap(tokenizer.id(of:)))]
    }
  }

  @Test(arguments: ChatTemplate.names) func everyTemplateIsTheOriginals(_ name: String) throws {
    let json = try Self.json.get()
    let golden = try GoldenTemplate(name, json)
    let template = try ChatTemplate.named(name)
    let turns = try #require(json["turns"]?.array).map { turn in
      Turn(human: try #require(turn.array?.first?.string), assistant: try #require(turn.array?.last?.string))
    }
    let text = try #require(json["system"]?.string)
    for (system, head) in [(nil, golden.head), (text, golden.headWithSystem)] as [(String?, [JSONValue])] {
      var (tokens, mask) = (try ids(head), [Int]())
      mask += tokens.map { _ in 0 }
      for (index, part) in golden.parts.enumerated() {
        let part = try ids(part)
        tokens += part
        mask += part.map { _ in index % 2 }
      }
      let sample = try #require(
        try template.sample(Conversation(system: system, turns: turns), tokenizer: tokenizer, maxLength: 4096)
      )
      #expect(
        sample.tokens == tokens, "\(tokenizer.decode(sample.tokens, skipSpecial: false).debugDescription)")
      #expect(sample.mask == mask)

      let history = [
        Message(role: "user", content: turns[0].human),
        Message(role: "assistant", content: turns[0].assistant),
        Message(role: "user", content: turns[1].human),
      ]
      let prompt = try template.promptTokens(history: history, system: system, tokenizer: tokenizer)
      #expect(prompt == tokens.dropLast(try ids(golden.parts[3]).count))
    }
    #expect(try template.stopIDs(tokenizer).map { tokenizer.token(of: $0) } == golden.stop)
  }

  @Test func everyEntryIsATemplate() throws {
    let entries = try #require(Self.json.get()["templates"]?.array)
    #expect(entries.map { $0["name"]?.string } == ChatTemplate.names)
  }
}
