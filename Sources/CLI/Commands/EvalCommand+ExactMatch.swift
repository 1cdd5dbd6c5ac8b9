import FireflyBase
import FireflyEvaluation
import FireflyGeneration
import FireflyPretrained
import FireflyRanks
import FireflyText

extension EvalCommand {
  static let examples = Option.integer(
    "--examples", "N", atLeast: 0, "exact_match: answers to show (default: 3).")

  static func exactMatch(_ arguments: Arguments, _ ranks: Ranks) throws {
    let (exact, settings, pretrained) = try ranks.agree { try prepared(arguments) }
    let path = arguments[file] ?? ""
    let results = try results(arguments, pretrained, items: exact.digest, settings, ranks)
    let generator = try ranks.agree { try ModelOptions.load(pretrained, arguments) }
    let progress = ProgressLine("answering \(path)")
    let report = try exact.run(generator, results) {
      if ranks.isFirst { progress.update(Double($0) / Double($1)) }
    }
    progress.clear()
    guard ranks.isFirst else { return }
    try show(
      arguments[json]
        ? report.json(file: path).text(indent: 2) : text(report, examples: arguments[examples] ?? 3))
  }

  /// The problems, what decides the answers, and the model, whose weights are still to be read.
  private static func prepared(
    _ arguments: Arguments
  ) throws -> (ExactMatch, [String: JSONValue], Pretrained) {
    try AnswerOptions.check(arguments)
    try arguments.refuse([examples.declaration, json.declaration], together: "--json has every answer")
    let paths = arguments.all(file)
    guard let path = paths.first else { throw UsageError("--file is missing", verb: arguments.verb) }
    guard paths.count == 1 else { throw UsageError("--file is given twice", verb: arguments.verb) }
    let rows = try Array(PromptFile.read(path).prefix(arguments[limit] ?? .max))
    let pretrained = try ModelOptions.open(arguments)
    let template = try TemplateOptions.read(arguments, pretrained)
    var options = try AnswerOptions.read(arguments, for: pretrained)
    options.sampling.temperature = arguments[AnswerOptions.temperature] ?? 0
    try AnswerOptions.refuseIdle(arguments, options)
    options.stopIDs.formUnion(try template.stopIDs(pretrained.tokenizer))
    let encoder = PromptEncoder(
      tokenizer: pretrained.tokenizer, template: template, system: arguments[TemplateOptions.system])
    let problems = try zip(rows, encoder.tokens(rows)).map { row, prompt in
      try ExactMatch.Problem(
        row, request: GenerationRequest(prompt: prompt, options: options, place: row.place))
    }
    let exact = ExactMatch(problems, batchSize: arguments[batchSize] ?? 32)
    return (exact, settings(options, template), pretrained)
  }

  /// What decides the answers beside the model and the prompts.
  private static func settings(_ options: GenerationOptions, _ template: ChatTemplate) -> [String: JSONValue]
  {
    [
      "task": .string("exact_match"), "template": .string(template.name),
      "temperature": .double(options.sampling.temperature), "top_k": .int(options.sampling.topK),
      "top_p": .double(options.sampling.topP), "min_p": .double(options.sampling.minP),
      "top_h": options.sampling.topH.map(JSONValue.double) ?? .null,
      "typical_p": .double(options.sampling.typicalP),
      "epsilon_cutoff": .double(options.sampling.epsilonCutoff),
      "eta_cutoff": .double(options.sampling.etaCutoff), "rules": .string("\(options.rules)"),
      "repetition_penalty": .double(options.sampling.repetitionPenalty), "seed": .string("\(options.seed)"),
      "num_beams": .int(options.numBeams), "length_penalty": .double(options.lengthPenalty),
      "early_stopping": .string(options.earlyStopping.rawValue),
      "max_new_tokens": .int(options.maxNewTokens),
      "max_length": options.maxLength.map(JSONValue.int) ?? .null,
      "stop": .array(options.stopStrings.map(JSONValue.string)),
      "stop_ids": .array(options.stopIDs.sorted().map { .int(Int($0)) }),
    ]
  }

  private static func text(_ report: ExactMatchReport, examples: Int) -> String {
    var text = ""
    for answer in report.answers.prefix(examples) {
      let expected = WorkedAnswer.result(of: answer.reference) ?? ""
      let verdict = "\(answer.isCorrect ? "right" : "wrong"), expected \(expected)"
      text += "\(answer.place): \(Language.current(verdict))\n"
      text += indented(answer.question) + "\n→\n" + indented(answer.text) + "\n\n"
    }
    if report.cutOff > 0 {
      text += Language.current("answers cut off by --max-new-tokens: \(report.cutOff)") + "\n"
    }
    let share = Readable.fixed(100 * report.accuracy, 1)
    return text
      + Language.current("exact match: \(report.correct) of \(report.answers.count) (\(share) %)")
  }

  private static func indented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { "  " + $0 }.joined(separator: "\n")
  }
}
