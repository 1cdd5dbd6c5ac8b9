import FireflyBase
import FireflyGeneration
import FireflyModels
import FireflyText

/// `firefly eval MODEL --task exact_match --file FILE`.
enum EvalCommand {
  private static let task = Option.choice(
    "--task", ["exact_match"], "What is measured: exact_match compares what stands after the last ####.")
  private static let file = Option.text(
    "--file", "FILE", "A JSONL file of conversations whose last answers are the references.")
  private static let limit = Option.integer("--limit", "N", atLeast: 1, "Only the first N rows.")
  private static let examples = Option.integer(
    "--examples", "N", atLeast: 0, "Answers to show (default: 3).")
  private static let batchSize = Option.integer(
    "--batch-size", "N", atLeast: 1, "Rows answered at the same time (default: 32).")
  private static let json = Flag("--json", "One JSON object with every answer.")

  static let verb = Verb(
    "eval", summary: "Measures a model's answers against references.",
    details: "Answers are greedy unless --temperature is given.", positionals: [ModelOptions.model],
    options: [
      task.declaration, file.declaration, limit.declaration, examples.declaration, batchSize.declaration,
      json.declaration,
    ] + ModelOptions.declarations + TemplateOptions.declarations + AnswerOptions.declarations,
    run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    try AnswerOptions.check(arguments)
    guard arguments[task] != nil else { throw UsageError("--task is missing", verb: arguments.verb) }
    guard let path = arguments[file] else { throw UsageError("--file is missing", verb: arguments.verb) }
    let rows = try Array(PromptFile.read(path).prefix(arguments[limit] ?? .max))
    let references = try rows.map(reference)
    let pretrained = try Pretrained.open(arguments[ModelOptions.model])
    let template = try pretrained.template(
      named: arguments[TemplateOptions.template], adapter: arguments[ModelOptions.adapter])
    var options = try AnswerOptions.read(arguments, for: pretrained)
    options.sampling.temperature = arguments[AnswerOptions.temperature] ?? 0
    options.stopIDs.formUnion(try template.stopIDs(pretrained.tokenizer))
    let encoder = PromptEncoder(
      tokenizer: pretrained.tokenizer, template: template, system: arguments[TemplateOptions.system])
    let requests = try rows.map {
      GenerationRequest(prompt: try encoder.tokens($0), options: options, place: $0.place)
    }
    let generator = try ModelOptions.load(pretrained, arguments)
    let progress = ProgressLine("answering \(path)")
    var done = 0
    let results = try generator.generate(
      requests, batchSize: arguments[batchSize] ?? 32,
      onFinish: { _, _ in
        done += 1
        progress.update(Double(done) / Double(requests.count))
      })
    progress.clear()
    let report = ExactMatchReport(rows: rows, references: references, answers: results.map(\.text))
    let output = Output()
    try output.line(
      arguments[json] ? report.json(path).text(indent: 2) : report.text(examples: arguments[examples] ?? 3))
    try output.flush()
  }

  private static func reference(_ row: PromptRow) throws -> String {
    guard let reference = row.reference, ExactMatch.result(of: reference) != nil else {
      throw FireflyError(
        "the row has no result to compare with", at: row.place, expected: "an answer that ends in \"#### N\"",
        found: row.reference == nil ? "no answer" : "an answer without ####")
    }
    return reference
  }
}

/// The score and what it is made of.
private struct ExactMatchReport {
  let rows: [PromptRow]
  let references: [String]
  let answers: [String]
  let isCorrect: [Bool]

  init(rows: [PromptRow], references: [String], answers: [String]) {
    self.rows = rows
    self.references = references
    self.answers = answers
    isCorrect = zip(answers, references).map { ExactMatch.matches($0, reference: $1) }
  }

  private var correct: Int { isCorrect.count { $0 } }
  private var accuracy: Double { Double(correct) / Double(rows.count) }

  private func question(_ index: Int) -> String {
    switch rows[index].content {
    case .text(let text): text
    case .messages(let messages): messages.last?.content ?? ""
    }
  }

  func text(examples: Int) -> String {
    var text = ""
    for index in rows.indices.prefix(examples) {
      let expected = ExactMatch.result(of: references[index]) ?? ""
      text += "\(rows[index].place): \(isCorrect[index] ? "right" : "wrong"), expected \(expected)\n"
      text += indented(question(index)) + "\n→\n" + indented(answers[index]) + "\n\n"
    }
    let tenths = Int((accuracy * 1000).rounded())
    return text + "exact match: \(correct) of \(rows.count) (\(tenths / 10).\(tenths % 10) %)"
  }

  private func indented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { "  " + $0 }.joined(separator: "\n")
  }

  func json(_ path: String) -> JSONValue {
    let list = rows.indices.map { index in
      JSONValue.object([
        "row": .string(rows[index].place), "question": .string(question(index)),
        "answer": .string(answers[index]), "reference": .string(references[index]),
        "correct": .bool(isCorrect[index]),
      ])
    }
    return .object([
      "task": .string("exact_match"), "file": .string(path), "rows": .int(rows.count),
      "correct": .int(correct), "exact_match": .double(accuracy), "answers": .array(list),
    ])
  }
}
