import FireflyBase
import FireflyText
import Testing

/// The golden tests of the specification, section 9, a to c and f, and what follows from them.
@Suite struct SampleTests {
  private let tokenizer = CharacterTokenizer()
  private let twoTurns = Conversation(
    turns: [Turn(human: "ab", assistant: "cde"), Turn(human: " f ", assistant: "g")], line: 7)

  private func sample(
    _ template: String, _ conversation: Conversation, _ tokenizer: CharacterTokenizer, maxLength: Int = 1024
  ) throws -> Sample {
    let template = try ChatTemplate.named(template)
    return try #require(try template.sample(conversation, tokenizer: tokenizer, maxLength: maxLength))
  }

  // MARK: - The first generation's format

  @Test func goldenA() throws {
    let sample = try sample("firefly", twoTurns, tokenizer)
    let u = tokenizer.plain
    #expect(sample.tokens == [1] + u("ab") + [2] + u("cde") + [2] + u(" f ") + [2] + u("g") + [2])
    #expect(sample.mask == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1])
    #expect(sample.targetCount == 3 + 1 + 2)
    #expect(sample.line == 7)
    // The human's eos predicts the first assistant token; the assistant's eos predicts nothing.
    let none = [Int32](repeating: -1, count: 3)
    #expect(sample.labels == none + u("cde") + [2] + none + [-1] + u("g") + [2, -1])
  }

  @Test func goldenB() throws {
    let template = try ChatTemplate.named("firefly")
    #expect(try template.sample(twoTurns, tokenizer: tokenizer, maxLength: 1 + 2 + 1) == nil)
    let one = try #require(try template.sample(twoTurns, tokenizer: tokenizer, maxLength: 1 + 2 + 2))
    #expect(one.targetCount == 1)
  }

  @Test func goldenC() throws {
    let sample = try sample("firefly", twoTurns, tokenizer, maxLength: 13)
    #expect(sample.tokens.last == tokenizer.plain("g")[0])
    #expect(sample.mask.last == 1)
    #expect(sample.labels.suffix(2) == [tokenizer.plain("g")[0], -1])
    #expect(sample.targetCount == 3 + 1 + 1)
  }

  @Test func needsBothEndsOfSequence() throws {
    let template = try ChatTemplate.named("firefly")
    for tokenizer in [CharacterTokenizer(bos: nil), CharacterTokenizer(eos: nil)] {
      #expect(throws: FireflyError.self) {
        try template.sample(twoTurns, tokenizer: tokenizer, maxLength: 99)
      }
    }
  }

  // MARK: - The second generation's templates

  @Test func goldenFQwen() throws {
    let chatML = CharacterTokenizer.chatML
    let sample = try sample("qwen", Conversation(turns: [Turn(human: "hi", assistant: "yo")]), chatML)
    let u = chatML.plain
    let head = [0] + u("system\nYou are a helpful assistant.") + [1] + u("\n")
    let user = [0] + u("user\nhi") + [1] + u("\n") + [0] + u("assistant\n")
    #expect(sample.tokens == head + user + u("yo") + [1] + u("\n"))
    #expect(sample.mask == Array(repeating: 0, count: head.count + user.count) + [1, 1, 1, 1])
    #expect(sample.labels.suffix(5) == [u("y")[0], u("o")[0], 1, u("\n")[0], -1])
  }

  @Test func goldenFLlama3HasNoBeginWithoutSystem() throws {
    let llama3 = CharacterTokenizer(
      specials: ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"], bos: 0,
      eos: 3)
    let turns = [Turn(human: "a", assistant: "b")]
    #expect(try sample("llama3", Conversation(turns: turns), llama3).tokens.prefix(2) == [1, 1000 + 0x75])
    #expect(try sample("llama3", Conversation(system: "", turns: turns), llama3).tokens.prefix(2) == [0, 1])
  }

  @Test func goldenFMistralSwallowsSystem() throws {
    let row = Conversation(system: "x", turns: [Turn(human: "a", assistant: "b")])
    let sample = try sample("mistral", row, tokenizer)
    let u = tokenizer.plain
    #expect(sample.tokens == [1] + u("[INST]a[/INST]") + u("b") + [2])
    #expect(!sample.tokens.contains(u("x")[0]))
  }

  // MARK: - ChatGLM: role tokens that no text spells

  private static let glm = CharacterTokenizer(
    specials: [
      "<unk>", "<s>", "</s>", "[gMASK]", "sop", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>",
    ])

  @Test func chatGLM2NumbersItsRounds() throws {
    let sample = try sample("chatglm2", Conversation(system: "lost", messages: twoTurns.messages), Self.glm)
    let u = Self.glm.plain
    let first = [3, 4] + u("[Round 1]\n\n问：ab\n\n答：")
    let second = u("[Round 2]\n\n问：f\n\n答：")
    #expect(sample.tokens == first + u("cde") + [2] + second + u("g") + [2])
    #expect(
      sample.mask == Array(repeating: 0, count: first.count) + [1, 1, 1, 1]
        + Array(repeating: 0, count: second.count) + [1, 1])
    #expect(try ChatTemplate.named("chatglm2").stopIDs(Self.glm) == [2])
  }

  @Test func chatGLM3PutsRolesBeforeTexts() throws {
    let sample = try sample("chatglm3", Conversation(system: " s ", messages: twoTurns.messages), Self.glm)
    let u = Self.glm.plain
    let head = [3, 4, 5] + u("s")
    #expect(
      sample.tokens == head + [6] + u("ab") + [7] + u("cde") + [2] + [6] + u("f") + [7] + u("g") + [2])
    #expect(sample.mask == [0, 0, 0, 0] + [0, 0, 0, 0] + [1, 1, 1, 1] + [0, 0, 0] + [1, 1])
    #expect(try ChatTemplate.named("chatglm3").stopIDs(Self.glm) == [2, 6, 8])
    let plain = try self.sample("chatglm3", twoTurns, Self.glm)
    #expect(Array(plain.tokens.prefix(12)) == [3, 4, 5] + u("You are C"))
  }

  @Test(arguments: ["chatglm2", "chatglm3"]) func chatGLMNeedsItsTokens(_ name: String) throws {
    let template = try ChatTemplate.named(name)
    let error = #expect(throws: FireflyError.self) {
      try template.sample(twoTurns, tokenizer: tokenizer, maxLength: 99)
    }
    #expect(error?.what.contains("[gMASK]") == true)
  }

  @Test func textIsStrippedAsPythonDoes() throws {
    let row = Conversation(
      system: "\u{3000}s\u{A0}", turns: [Turn(human: "\u{1F} a b\r\n", assistant: "\t\u{200B}c\u{200B} ")])
    let sample = try sample("vicuna", row, tokenizer)
    let text = tokenizer.decode(sample.tokens, skipSpecial: false)
    #expect(text == "s\nUSER: a b ASSISTANT:\u{200B}c\u{200B}</s>")
  }

  @Test func eachPieceIsTokenisedAlone() throws {
    let marking = CharacterTokenizer(marksPieces: true)
    let row = Conversation(turns: [Turn(human: "a", assistant: "b"), Turn(human: "c", assistant: "d")])
    let mark = CharacterTokenizer.mark
    let llama2 = try sample("llama2", row, marking)
    #expect(llama2.tokens.filter { $0 == mark }.count == 5)  // system, and user and assistant twice
    let firefly = try sample("firefly", row, marking)
    #expect(firefly.tokens.prefix(6) == [1, mark, 1097, 2, mark, 1098])
  }

  @Test func defaultTemplateEndsInSpaceAndEndOfSequence() throws {
    let row = Conversation(turns: [Turn(human: "a", assistant: "b")])
    let sample = try sample("default", row, tokenizer)
    #expect(sample.tokens == tokenizer.plain("User: a\nAssistant: b ") + [2])
    #expect(sample.targetCount == 3)
    let withSystem = try self.sample(
      "default", Conversation(system: "s", messages: row.messages), tokenizer)
    #expect(withSystem.tokens == tokenizer.plain("System: s\n\nUser: a\nAssistant: b ") + [2])
  }

  @Test func placeholdersInsideTheTextStay() throws {
    let row = Conversation(turns: [Turn(human: "{content}{stop_token}", assistant: "{stop_token}")])
    let text = tokenizer.decode(try sample("default", row, tokenizer).tokens, skipSpecial: false)
    #expect(text == "User: {content}{stop_token}\nAssistant: {stop_token} </s>")
  }

  @Test func specialTokensInsideTheTextAreParsed() throws {
    let row = Conversation(turns: [Turn(human: "a</s>", assistant: "b")])
    #expect(try sample("firefly", row, tokenizer).tokens == [1, 1097, 2, 2, 1098, 2])
  }

  @Test func firstTokenIsNeverATarget() {
    let sample = Sample(tokens: [5, 6, 7], targets: [0..<1, 1..<3], line: 1)
    #expect(sample.targets == [1..<3])
    #expect(sample.labels == [6, 7, -1])
    #expect(Sample(tokens: [5], targets: [0..<1], line: 1).targetCount == 0)
  }
}
