import FireflyBase
import FireflyDoubles
import FireflyGeneration
import FireflyText
import Testing

@Suite struct ChatSessionTests {
  func session(_ template: String, system: String? = nil, context: Int = 1000) throws -> ChatSession {
    ChatSession(
      template: try ChatTemplate.named(template), tokenizer: ByteTokenizer(), system: system,
      contextLength: context)
  }

  @Test func aConversationIsTheTrainingRowWithoutItsLastAnswer() throws {
    var chat = try session("firefly")
    chat.add(message: "one", answer: "two")
    let tokens = try chat.prompt(for: "three", answerLength: 10).tokens
    let row = Conversation(turns: [
      Turn(human: "one", assistant: "two"), Turn(human: "three", assistant: "four"),
    ])
    let sample = try chat.template.sample(row, tokenizer: ByteTokenizer(), maxLength: 1000)
    #expect(sample.map { Array($0.tokens.prefix(tokens.count)) } == tokens)
    #expect(tokens.last == ByteTokenizer.eos)
  }

  @Test func trimmingLeavesOutWholeTurnsAndKeepsTheBeginning() throws {
    // <s>, then for each turn two utterances of 5 bytes with </s>: 12 tokens a turn, 6 for the question.
    var chat = try session("firefly", context: 1 + 12 + 6 + 10)
    for turn in 0..<4 { chat.add(message: "ask \(turn)", answer: "say \(turn)") }
    let trimmed = try chat.prompt(for: "ask 4", answerLength: 10)
    #expect(trimmed.droppedTurns == 3)
    let expected =
      [ByteTokenizer.bos] + prompt("ask 3") + [ByteTokenizer.eos] + prompt("say 3") + [ByteTokenizer.eos]
      + prompt("ask 4") + [ByteTokenizer.eos]
    #expect(trimmed.tokens == expected)
    // One token less room: the last remembered turn goes as a whole.
    let tighter = try chat.prompt(for: "ask 4", answerLength: 11)
    #expect(tighter.droppedTurns == 4)
    #expect(tighter.tokens == [ByteTokenizer.bos] + prompt("ask 4") + [ByteTokenizer.eos])
    #expect(chat.history.count == 8)
  }

  @Test func theSystemTextSurvivesTrimming() throws {
    var chat = try session("default", system: "Be brief.", context: 60)
    for _ in 0..<4 { chat.add(message: "question", answer: "answer") }
    let trimmed = try chat.prompt(for: "last", answerLength: 0)
    #expect(trimmed.droppedTurns > 0)
    let text = ByteTokenizer().decode(trimmed.tokens, skipSpecial: true)
    #expect(text.hasPrefix("System: Be brief.\n\nUser: "))
    #expect(text.hasSuffix("User: last\nAssistant: "))
  }

  @Test func aMessageThatCannotFitIsRefusedAndNotRemembered() throws {
    let chat = try session("firefly", context: 8)
    #expect(throws: FireflyError.self) { try chat.prompt(for: "far too long", answerLength: 4) }
    #expect(chat.history.isEmpty)
  }

  @Test func resetForgetsTurnsOnly() throws {
    var chat = try session("default", system: "Be brief.")
    let fresh = try chat.prompt(for: "hello", answerLength: 0).tokens
    chat.add(message: "one", answer: "two")
    chat.reset()
    #expect(try chat.prompt(for: "hello", answerLength: 0).tokens == fresh)
  }
}
