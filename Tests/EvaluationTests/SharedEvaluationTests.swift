import FireflyBase
import FireflyDoubles
import FireflyEvaluation
import FireflyGeneration
import FireflyRanks
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

/// Evaluations by several ranks: the numbers and the file of results are those of one process.
@Suite struct SharedEvaluationTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// What each of so many ranks makes of an evaluation, and the file that they leave.
  ///
  /// - Parameter start: what an earlier evaluation has left in the file.
  private func evaluate<Report: Sendable>(
    _ count: Int, from start: String? = nil, _ body: @escaping @Sendable (SharedResults) throws -> Report
  ) throws -> (reports: [Report], file: String) {
    let path = folder.path + "/results-\(count).jsonl"
    try? FileManager.default.removeItem(atPath: path)
    if let start { try folder.write(start, to: "results-\(count).jsonl") }
    let reports = try LocalRanks.run(count) { ranks in
      try body(
        SharedResults(ranks, file: ranks.isFirst ? ResultFile(path, settings: ["task": .null]) : nil))
    }.map { try $0.get() }
    return (reports, try folder.text("results-\(count).jsonl"))
  }

  /// One process, two and three ranks, and two that go on with what was left.
  private func expectTheSame<Report: Sendable & Equatable>(
    _ body: @escaping @Sendable (SharedResults) throws -> Report
  ) throws {
    let one = try evaluate(1, body)
    for count in 2...3 {
      let many = try evaluate(count, body)
      #expect(many.file == one.file)
      #expect(many.reports.allSatisfy { $0 == one.reports[0] })
    }
    let lines = one.file.split(separator: "\n")
    #expect(lines.count > 4)
    let left = [lines[0], lines[lines.count - 1], lines[2]].map { $0 + "\n" }.joined()
    let resumed = try evaluate(2, from: left, body)
    #expect(resumed.file == one.file)
    #expect(resumed.reports.allSatisfy { $0 == one.reports[0] })
  }

  @Test func perplexity() throws {
    let path = try folder.write(
      (0..<31).map { "{\"text\": \"row \($0) \(String(repeating: "x", count: $0 % 7))\"}" }
        .joined(separator: "\n"), to: "rows.jsonl")
    let text = try EvaluationText.text(path, tokenizer: ByteTokenizer(), windows: TextWindows(length: 16))
    try expectTheSame { results in
      try Perplexity(model: TinyModel.make(), maxTokens: 24).run([text], results) { _, _ in }.total
    }
  }

  @Test(arguments: ChoiceMethod.allCases) func multipleChoice(_ method: ChoiceMethod) throws {
    let questions = try BenchmarkQuestions(.mmlu, at: Tables.write(Tables.mmlu, to: folder), shots: 1)
    try expectTheSame { results in
      try MultipleChoice(questions, method: method, batchSize: 1)
        .run(TinyModel.make(), tokenizer: ByteTokenizer(), results) { _, _ in }.answers
    }
  }

  @Test func workedAnswers() throws {
    let rows = (1...40).map { n in
      JSONValue.object(["question": .string("\(n) and 1?"), "answer": .string("#### \(n + 1)")]).text()
    }
    let path = try folder.write(rows.joined(separator: "\n"), to: "rows.jsonl")
    let problems = try PromptFile.read(path).enumerated().map { index, row in
      let request = GenerationRequest(
        prompt: Array("\(index) and 1?".utf8.map(Int32.init)),
        options: GenerationOptions(sampling: .greedy, maxNewTokens: 1 + index % 5), place: row.place)
      return try ExactMatch.Problem(row, request: request)
    }
    try expectTheSame { results in
      try ExactMatch(problems, batchSize: 2)
        .run(Generator(model: TinyModel.make(), tokenizer: ByteTokenizer()), results) { _, _ in }
    }
  }

  @Test func whatDoesNotFitTheFileIsToldByAll() throws {
    let path = try folder.write("some text", to: "a.txt")
    let text = try EvaluationText.text(path, tokenizer: ByteTokenizer(), windows: TextWindows(length: 16))
    let file = folder.path + "/results.jsonl"
    let settings: [String: JSONValue] = [:]
    try ResultFile(file, settings: settings).append([("\(path):1", .object(["hash": .string("other")]))])
    let errors = LocalRanks.run(2) { ranks in
      let results = try SharedResults(ranks, file: ranks.isFirst ? ResultFile(file, settings: settings) : nil)
      _ = try Perplexity(model: TinyModel.make()).run([text], results) { _, _ in }
    }.map { result in #expect(throws: FireflyError.self) { try result.get() } }
    for error in errors {
      #expect(error?.what.contains("was another one when its result was saved") == true)
    }
    #expect(errors.first??.place == file)
  }
}
