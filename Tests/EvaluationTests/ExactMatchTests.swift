import FireflyBase
import FireflyEvaluation
import FireflyGeneration
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

@Suite struct ExactMatchTests {
  private let folder: TemporaryFolder
  private let tokenizer = ByteTokenizer()

  init() throws { folder = try TemporaryFolder() }

  private func problems(_ lines: [String]) throws -> [ExactMatch.Problem] {
    let path = try folder.write(lines.joined(separator: "\n"), to: "rows.jsonl")
    return try PromptFile.read(path).map { row in
      guard case .messages(let messages) = row.content else {
        return try .init(row, request: request([1], row))
      }
      return try .init(row, request: request((messages.last?.content ?? "").utf8.map(Int32.init), row))
    }
  }

  private func request(_ prompt: [Int32], _ row: PromptRow) -> GenerationRequest {
    GenerationRequest(
      prompt: prompt, options: GenerationOptions(sampling: .greedy, maxNewTokens: 6), place: row.place)
  }

  private let rows = (1...5).map { #"{"question": "what is \#($0)?", "answer": "so\n#### \#($0)"}"# }

  @Test func gsm8kRowsAreRead() throws {
    let problems = try problems(rows)
    #expect(problems.map(\.question) == (1...5).map { "what is \($0)?" })
    #expect(problems[2].reference == "so\n#### 3" && problems[2].request.place.hasSuffix("rows.jsonl:3"))
  }

  @Test(arguments: [
    (#"{"question": "q", "answer": "no mark"}"#, "an answer without ####"),
    (#"{"question": "q"}"#, "no answer"),
  ])
  func aRowWithoutAResultIsNamed(_ row: String, _ found: String) throws {
    let error = #expect(throws: FireflyError.self) { try problems([rows[0], row]) }
    #expect(error?.found == found && error?.place?.hasSuffix("rows.jsonl:2") == true)
  }

  @Test func aRunGoesOn() throws {
    let exact = ExactMatch(try problems(rows), batchSize: 2)
    let generator = Generator(model: try TinyModel.make(), tokenizer: tokenizer)
    let path = folder.path + "/results.jsonl"
    var told: [Int] = []
    let whole = try exact.run(generator, output: ResultFile(path, settings: [:])) { done, _ in
      told.append(done)
    }
    #expect(told == [0, 1, 2, 3, 4, 5])
    #expect(whole.answers.map(\.question) == (1...5).map { "what is \($0)?" })
    let lines = try folder.text("results.jsonl").split(separator: "\n")
    try folder.write(lines.prefix(3).joined(separator: "\n") + "\n", to: "results.jsonl")
    told = []
    let second = try exact.run(generator, output: ResultFile(path, settings: [:])) { done, _ in
      told.append(done)
    }
    #expect(second == whole && told == [2, 3, 4, 5])

    let changed = ExactMatch(try problems([rows[0].replacing("#### 1", with: "#### 9")] + rows.dropFirst()))
    let error = #expect(throws: FireflyError.self) {
      try changed.run(generator, output: ResultFile(path, settings: [:]))
    }
    #expect(error?.what.contains("was another one when its answer was saved") == true)
  }

  @Test func theReportCounts() {
    func answer(_ text: String, _ reason: FinishReason = .stop) -> ExactMatch.Answer {
      ExactMatch.Answer(
        place: "f:1", question: "q", reference: "#### 1,000", text: text, finishReason: reason)
    }
    let report = ExactMatchReport(answers: [
      answer("#### 1000."), answer("#### 100"), answer("so far", .length), answer("#### $1000.00", .length),
    ])
    #expect(report.correct == 2 && report.accuracy == 0.5 && report.cutOff == 1)
    #expect(report.json(file: "f")["exact_match"]?.double == 0.5)
  }
}
