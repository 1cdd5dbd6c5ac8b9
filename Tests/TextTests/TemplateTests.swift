import FireflyBase
import FireflyText
import Foundation
import Testing

@Suite struct TemplateTests {
  @Test func namesAreUniqueAndComplete() {
    #expect(Set(ChatTemplate.names).count == 27)
    #expect(ChatTemplate.names.count == 27)
  }

  @Test func unknownNameTellsTheNearest() {
    let error = #expect(throws: FireflyError.self) { try ChatTemplate.named("quen") }
    #expect(error?.fix?.contains("Did you mean \"qwen\"") == true)
    #expect(error?.fix?.contains("firefly") == true)
    let empty = #expect(throws: FireflyError.self) { try ChatTemplate.named("") }
    #expect(empty?.fix?.contains("default") == true)
  }

  @Test func autoNeedsATemplateOfTheModel() throws {
    let error = #expect(throws: FireflyError.self) {
      try ChatTemplate.named("auto", tokenizer: CharacterTokenizer())
    }
    #expect(error?.what == "the model brings no chat template of its own")
    #expect(error?.fix?.contains("qwen") == true)
  }

  // MARK: - Where an answer ends

  @Test func stopsOnTheStopWordAndTheEndOfSequence() throws {
    #expect(try ChatTemplate.named("qwen").stopIDs(CharacterTokenizer.chatML) == [1, 2])
    #expect(try ChatTemplate.named("default").stopIDs(CharacterTokenizer()) == [2])
    #expect(try ChatTemplate.named("llama2").stopIDs(CharacterTokenizer()) == [2])
    #expect(try ChatTemplate.named("firefly").stopIDs(CharacterTokenizer()) == [2])
  }

  @Test func stopWordThatIsNoTokenIsTold() throws {
    let template = try ChatTemplate.named("qwen")
    #expect(try template.stopIDs(CharacterTokenizer()) == [2])
    #expect(template.stopWarning(CharacterTokenizer())?.contains("<|im_end|>") == true)
    #expect(template.stopWarning(CharacterTokenizer.chatML) == nil)
    #expect(throws: FireflyError.self) { try template.stopIDs(CharacterTokenizer(eos: nil)) }
  }
}

/// Chat prompts: the same cuts as in training.
@Suite struct TemplatePromptTests {
  private let conversation = Conversation(
    system: "be brief", turns: [Turn(human: "ab", assistant: "cde"), Turn(human: "f", assistant: "gh")])
  private let history = [
    Message(role: "user", content: "ab"), Message(role: "assistant", content: "cde"),
    Message(role: "user", content: "f"),
  ]

  private static let everyToken = CharacterTokenizer(
    specials: [
      "<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|eot_id|>", "<bos>", "<eos>", "[gMASK]", "sop",
      "<|system|>", "<|user|>", "<|assistant|>",
    ],
    marksPieces: true)

  @Test(arguments: ChatTemplate.names) func promptIsThePrefixOfTheTrainingRow(_ name: String) throws {
    let template = try ChatTemplate.named(name)
    let row = try #require(
      try template.sample(conversation, tokenizer: Self.everyToken, maxLength: 4096))
    let prompt = try template.promptTokens(
      history: history, system: conversation.system, tokenizer: Self.everyToken)
    let lastAnswer = try #require(row.targets.last).lowerBound
    #expect(prompt == Array(row.tokens[..<lastAnswer]))
    let system = Message(role: "system", content: "be brief")
    #expect(try template.promptTokens(history: [system] + history, tokenizer: Self.everyToken) == prompt)
  }

  @Test func trimsWholeTurnsAndKeepsTheSystemPart() throws {
    let template = try ChatTemplate.named("vicuna")
    let tokenizer = CharacterTokenizer()
    let full = try template.prompt(history: history, system: "s", tokenizer: tokenizer, budget: .max)
    #expect(full.droppedTurns == 0)
    let exact = try template.prompt(
      history: history, system: "s", tokenizer: tokenizer, budget: full.tokens.count)
    #expect(exact == full)
    let trimmed = try template.prompt(
      history: history, system: "s", tokenizer: tokenizer, budget: full.tokens.count - 1)
    #expect(trimmed.droppedTurns == 1)
    #expect(trimmed.tokens == tokenizer.plain("s\nUSER: f ASSISTANT:"))
    let error = #expect(throws: FireflyError.self) {
      try template.prompt(history: history, system: "s", tokenizer: tokenizer, budget: 5)
    }
    #expect(error?.expected == "at most 5 tokens")
  }

  @Test(arguments: [
    [], [Message(role: "assistant", content: "a")],
    [Message(role: "user", content: "a"), Message(role: "user", content: "b")],
    [Message(role: "user", content: "a"), Message(role: "assistant", content: "b")],
    [Message(role: "user", content: "a"), Message(role: "system", content: "b")],
  ])
  func refusesMessagesOutOfTurn(_ messages: [Message]) throws {
    let template = try ChatTemplate.named("default")
    #expect(throws: FireflyError.self) {
      try template.promptTokens(history: messages, tokenizer: CharacterTokenizer())
    }
  }
}
