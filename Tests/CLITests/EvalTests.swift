import FireflyBase
import Foundation
import Testing

@Suite struct EvalTests {
  func evaluate(_ rows: [String], _ more: [String] = []) throws -> Command.Outcome {
    try Command.inTemporaryFolder { folder in
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

  @Test func aRowWithoutAResultIsNamed() throws {
    let outcome = try evaluate(rows + [#"{"conversation": [{"human": "x", "assistant": "y"}]}"#])
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("rows.jsonl:4: the row has no result to compare with"))
  }
}
