import FireflyBase
import Testing

@Suite struct ChatTests {
  let words = ["chat", Fixture.model, "--greedy", "--max-new-tokens", "6", "--precision", "float32"]

  /// What `generate` answers, for comparison.
  func single(_ message: String) throws -> String {
    try Command.run(
      "generate", Fixture.model, "--prompt", message, "--greedy", "--max-new-tokens", "6", "--precision",
      "float32"
    ).output
  }

  @Test func aLineFromAPipeIsAMessage() throws {
    let outcome = try Command.run(words, input: "hello\n")
    #expect(outcome.status == 0)
    #expect(outcome.output == (try single("hello")))
    #expect(outcome.errors.isEmpty)
  }

  @Test func exitEndsAndBlankLinesAreNoMessages() throws {
    let outcome = try Command.run(words, input: "\n  \n/exit\nhello\n")
    #expect(outcome.status == 0)
    #expect(outcome.output.isEmpty)
  }

  @Test func resetForgets() throws {
    let outcome = try Command.run(words, input: "hello\n/reset\nhello\n")
    let once = try single("hello")
    #expect(outcome.output == once + once)
    let remembered = try Command.run(words, input: "hello\nhello\n")
    #expect(remembered.output != once + once)
  }

  @Test func turnsThatDoNotFitAreLeftOut() throws {
    let message = "many words, many words"
    let outcome = try Command.run(
      words + ["--context", "120"], input: String(repeating: message + "\n", count: 5))
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("no longer fit"))
    let tooLong = try Command.run(
      words + ["--context", "120"], input: String(repeating: message, count: 20))
    #expect(tooLong.status == 1)
    #expect(tooLong.errors.contains("does not fit"))
  }
}
