import Firefly
import FireflyDoubles
import Testing

/// What a program sees that imports the library and nothing else.
@Suite struct ChatModelTests {
  private static let question = [Message(role: "user", content: "say 3")]

  private func open(_ tiny: TinyRun) async throws -> (ChatModel, GenerationOptions) {
    var options = ChatModel.Options()
    options.template = "firefly"
    let chat = try await ChatModel.open(tiny.model, options)
    var answer = chat.defaults
    answer.maxNewTokens = 12
    return (chat, answer)
  }

  /// The parts are the answer, which is the generator's own.
  @Test func partsAreTheAnswer() async throws {
    let tiny = try TinyRun()
    let (chat, options) = try await open(tiny)
    var (text, finished) = ("", GenerationResult?.none)
    for try await part in chat.stream(ChatModelTests.question, options: options) {
      switch part {
      case .text(let piece): text += piece
      case .finished(let result): finished = result
      }
    }
    let prompt = try chat.template.promptTokens(
      history: ChatModelTests.question, tokenizer: chat.pretrained.tokenizer)
    let generator = Generator(model: try chat.pretrained.load(), tokenizer: chat.pretrained.tokenizer)
    let expected = try generator.generate([GenerationRequest(prompt: prompt, options: options)])[0]
    #expect(finished?.ids == expected.ids && text == expected.text && !expected.ids.isEmpty)
  }

  @Test func tasksMayAskAtOnce() async throws {
    let tiny = try TinyRun()
    let (chat, options) = try await open(tiny)
    let alone = try await chat.answer(ChatModelTests.question, options: options)
    let answers = try await withThrowingTaskGroup(of: GenerationResult.self) { group in
      for _ in 0..<4 { group.addTask { try await chat.answer(ChatModelTests.question, options: options) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(answers.map(\.ids) == [[Int32]](repeating: alone.ids, count: 4))
  }

  /// After an answer whose listener has left, the next question is answered as if it had not been begun.
  @Test func anAnswerThatWasLeftChangesNoOther() async throws {
    let tiny = try TinyRun()
    let (chat, options) = try await open(tiny)
    let alone = try await chat.answer(ChatModelTests.question, options: options)
    var long = options
    long.maxNewTokens = 100
    for try await _ in chat.stream([Message(role: "user", content: "say 5")], options: long) { break }
    #expect(try await chat.answer(ChatModelTests.question, options: options).ids == alone.ids)
  }

  @Test func aCancelledTaskThrows() async throws {
    let tiny = try TinyRun()
    let (chat, options) = try await open(tiny)
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await chat.answer(ChatModelTests.question, options: options)
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func whatTheTemplateRefusesIsThrown() async throws {
    let tiny = try TinyRun()
    let (chat, _) = try await open(tiny)
    await #expect(throws: FireflyError.self) { try await chat.answer([]) }
    await #expect(throws: FireflyError.self) { _ = try await ChatModel.open(tiny.path + "/nothing") }
  }
}
