import FireflyBase
import FireflyTestSupport
import Foundation
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
    #expect(outcome.errors == "(cut off after 6 tokens; --max-new-tokens N allows longer answers)\n")
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
    #expect(outcome.errors.contains("no longer fits"))
    let tooLong = try Command.run(
      words + ["--context", "120"], input: String(repeating: message, count: 20))
    #expect(tooLong.status == 1)
    #expect(tooLong.errors.contains("does not fit"))
  }

  @Test func linesBetweenQuotesAreOneMessage() throws {
    let outcome = try Command.run(words, input: "\"\"\"\nhel\nlo\n\"\"\"\n")
    #expect(outcome.output == (try single("hel\nlo")))
  }

  @Test func whatStandsBetweenQuotesIsNoOrder() throws {
    let outcome = try Command.run(words, input: "\"\"\"\n/exit\n\"\"\"\n")
    #expect(outcome.output == (try single("/exit")))
  }

  @Test func aConversationThatFillsTheModelSaysSo() throws {
    let outcome = try Command.run(
      "chat", Fixture.model, "--greedy", "--precision", "float32", "--max-new-tokens", "100000",
      input: "hello\n")
    #expect(outcome.status == 0)
    #expect(
      outcome.errors == "(cut off: the model reads no more than 256 tokens; /reset forgets earlier turns)\n")
  }

  @Test func twoSlashesAreAMessageWithOne() throws {
    #expect(try Command.run(words, input: "//hello\n").output == (try single("/hello")))
  }

  @Test func parametersAreShownAndSet() throws {
    let outcome = try Command.run(words, input: "/params max_new_tokens 2\nhello\n/params\n")
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("\n  top_p               "))
    #expect(outcome.errors.contains("\n  max_new_tokens      2 "))
    #expect(outcome.errors.contains("(cut off after 2 tokens; "))
    #expect(outcome.output.count < (try single("hello")).count)
  }

  @Test func beamsAreSetWhileTalking() throws {
    let outcome = try Command.run(words, input: "/params num_beams 3\nx\n")
    #expect(outcome.errors.contains("\n  num_beams           3 "))
    let expected = try Command.run(
      "generate", Fixture.model, "--prompt", "x", "--beams", "3", "--max-new-tokens", "6", "--precision",
      "float32")
    #expect(outcome.output == expected.output)
    #expect(outcome.output != (try single("x")))
  }

  @Test(arguments: [
    ("/parms", "there is no /parms"), ("/params top_p 3", "not a value"),
    ("/params length 3", "there is no parameter length"),
    ("/params num_beams 0", "not a value"), ("/params num_beams 1000", "from 1 to 256"),
    ("/params length_penalty x", "not a value"), ("/params early_stopping maybe", "true, false or never"),
    ("/params num_beams 2\n/params temperature 1", "has no effect"),
    ("/save", "/save needs a file"), ("/save x", "there is no conversation to save"),
    ("/adapter /nothing", "/nothing"),
  ])
  func aBadOrderIsTold(_ order: String, _ what: String) throws {
    let outcome = try Command.run(words, input: order + "\n")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains(what), "\(outcome.errors)")
  }

  @Test func theConversationIsSavedAsARow() throws {
    try inTemporaryFolder { folder in
      let file = folder + "/rows.jsonl"
      let outcome = try Command.run(
        words, input: "/system Be brief.\nhello\n你好\n/save \(file)\n/reset\nhello\n/save \(file)\n")
      #expect(outcome.status == 0, "\(outcome.errors)")
      let rows = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map {
        try JSONValue.parse(String($0), source: file)
      }
      #expect(rows.map { $0["conversation"]?.array?.count } == [2, 1])
      #expect(rows[0]["system"]?.string == "Be brief.")
      #expect(rows[0]["conversation"]?.array?[1]["human"]?.string == "你好")
    }
  }

  @Test func theAdapterIsChangedWhileTalking() throws {
    let outcome = try Command.run(
      words, input: "hello\n/reset\n/adapter \(Fixture.adapter)\nhello\n/reset\n/adapter none\nhello\n")
    let alone = try single("hello")
    let adapted = try Command.run(
      words + ["--adapter", Fixture.adapter, "--template", "auto"], input: "hello\n")
    #expect(outcome.output == alone + adapted.output + alone)
  }

  @Test func singleTurnsRememberNothing() throws {
    let outcome = try Command.run(words + ["--single-turn"], input: "hello\nhello\n")
    let once = try single("hello")
    #expect(outcome.output == once + once)
  }

  /// At a terminal: libedit edits, the prompt and the speed are shown, and an error does not end the talk.
  @Test func atATerminalTheTalkGoesOnAfterAnError() throws {
    try inTemporaryFolder { folder in
      let line = words.map { "'\($0)'" }.joined(separator: " ")
      let outcome = try Command.shell(
        "export XDG_STATE_HOME=\(folder); export program=\"$0\"; "
          + "printf '/nothing\\n你好\\n/exit\\n' | script -qec \"\\$program \(line)\" /dev/null")
      #expect(outcome.output.contains("there is no /nothing"))
      #expect(outcome.output.contains("tokens/s)"), "\(outcome.output)")
      let history = try String(contentsOfFile: folder + "/firefly/chat_history", encoding: .utf8)
      #expect(history.contains("/exit"))
    }
  }
}
