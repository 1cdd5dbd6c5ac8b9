import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

@Suite struct EvalTests {
  func evaluate(_ rows: [String], _ more: [String] = []) throws -> Command.Outcome {
    try inTemporaryFolder { folder in
      let path = folder + "/rows.jsonl"
      try AtomicFile.write(Data(rows.joined(separator: "\n").utf8), to: path)
      return try Command.run(
        ["eval", Fixture.model, "--task", "exact_match", "--file", path, "--max-new-tokens", "4"] + more)
    }
  }

  let rows = (1...3).map {
    #"{"conversation": [{"human": "question \#($0)", "assistant": "so\n#### \#($0)"}]}"#
  }

  @Test func theLastLineIsTheScore() throws {
    let outcome = try evaluate(rows, ["--examples", "1"])
    #expect(outcome.status == 0)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.last == "exact match: 0 of 3 (0.0 %)")
    #expect(lines.first?.hasSuffix(":1: wrong, expected 1") == true)
  }

  @Test func jsonHoldsEveryAnswer() throws {
    let outcome = try evaluate(rows, ["--json", "--limit", "2"])
    let json = try JSONValue.parse(outcome.output, source: "output")
    #expect(json["rows"]?.int == 2)
    #expect(json["correct"]?.int == 0)
    #expect(json["answers"]?.array?.map { $0["question"]?.string } == ["question 1", "question 2"])
  }

  @Test func perplexityOfTextAndConversations() throws {
    try inTemporaryFolder { folder in
      let (text, chat) = (folder + "/a.txt", folder + "/b.jsonl")
      try AtomicFile.write(Data(String(repeating: "some plain text, again. ", count: 12).utf8), to: text)
      try AtomicFile.write(Data(rows.joined(separator: "\n").utf8), to: chat)
      let output = folder + "/results.jsonl"
      let words = [
        "eval", Fixture.model, "--task", "perplexity", "--file", text, "--file", chat, "--template", "qwen",
        "--max-length", "64", "--stride", "8", "--output", output,
      ]
      let first = try Command.run(words)
      #expect(first.status == 0, "\(first.errors)")
      let lines = first.output.split(separator: "\n")
      try #require(lines.count == 3)
      #expect(lines[0].hasPrefix("\(text): perplexity ") && lines[0].contains("bits a byte"))
      #expect(lines[2].hasPrefix("total: perplexity "))
      // The second run takes all from the results.
      #expect(try Command.run(words).output == first.output)
      let json = try JSONValue.parse(Command.run(words + ["--json"]).output, source: "output")
      #expect(json["files"]?.array?.map { $0["kind"]?.string } == ["text", "conversations"])
      let perplexity = try #require(json["perplexity"]?.double)
      #expect(abs(perplexity - exp(json["loss"]?.double ?? 0)) <= 1e-9 * perplexity)
      #expect(json["targets"]?.int == json["files"]?.array?.reduce(0) { $0 + ($1["targets"]?.int ?? 0) })
    }
  }

  @Test func whatWouldDoNothingIsRefused() throws {
    let narrowed = try evaluate(rows, ["--top-k", "5"])
    #expect(narrowed.status == 2)
    #expect(narrowed.errors.contains("--top-k cannot be used here: the most likely token is always taken"))
    #expect(try evaluate(rows, ["--top-k", "5", "--temperature", "1"]).status == 0)
    #expect(try evaluate(rows, ["--json", "--examples", "1"]).errors.contains("--examples and --json"))
    try inTemporaryFolder { folder in
      let text = folder + "/a.txt"
      try AtomicFile.write(Data("some plain text".utf8), to: text)
      let outcome = try Command.run(
        "eval", Fixture.model, "--task", "perplexity", "--file", text, "--template", "qwen")
      #expect(outcome.status == 2)
      #expect(outcome.errors.contains("--template cannot be used here: plain text has no template"))
    }
  }

  @Test func multipleChoice() throws {
    try inTemporaryFolder { folder in
      try AtomicFile.makeFolder(folder + "/data/test")
      try AtomicFile.makeFolder(folder + "/data/dev")
      let table = "What is one?,1,2,3,4,A\nWhat is two?,1,2,3,4,B\n"
      try AtomicFile.write(Data(table.utf8), to: folder + "/data/test/anatomy_test.csv")
      try AtomicFile.write(Data("What is four?,1,2,3,4,D\n".utf8), to: folder + "/data/dev/anatomy_dev.csv")
      let words = [
        "eval", Fixture.model, "--task", "mmlu", "--data", folder + "/data", "--shots", "1", "--subjects",
        "anatomy,stem",
      ]
      let missing = try Command.run(words)
      #expect(missing.status == 1)
      #expect(missing.errors.contains("there is no table of the subject abstract_algebra"))
      let outcome = try Command.run(words.dropLast() + ["anatomy", "--method", "likelihood", "--chat"])
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.hasPrefix("MMLU, test, by likelihood, 1 example\n"))
      #expect(outcome.output.split(separator: "\n").last?.hasPrefix("total") == true)
      let json = try JSONValue.parse(
        Command.run(words.dropLast() + ["anatomy", "--json"]).output, source: "output")
      #expect(json["questions"]?.array?.map { $0["id"]?.string } == ["anatomy/0", "anatomy/1"])
    }
  }

  @Test func aRowWithoutAResultIsNamed() throws {
    let outcome = try evaluate(rows + [#"{"conversation": [{"human": "x", "assistant": "y"}]}"#])
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("rows.jsonl:4: the row has no result to compare with"))
  }
}
