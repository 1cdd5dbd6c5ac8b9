import FireflyBase
import FireflyEvaluation
import FireflyGeneration
import FireflyPretrained
import FireflyRanks
import FireflyText

extension EvalCommand {
  static func multipleChoice(_ name: String, _ arguments: Arguments, _ ranks: Ranks) throws {
    let (choice, pretrained) = try ranks.agree { try prepared(name, arguments) }
    let results = try results(
      arguments, pretrained, items: choice.questions.digest, choice.settings, ranks)
    let model = try ranks.agree { try ModelOptions.load(pretrained, arguments).model }
    let progress = ProgressLine("\(choice.questions.benchmark.title), \(choice.questions.count) questions")
    let report = try choice.run(model, tokenizer: pretrained.tokenizer, results) {
      if ranks.isFirst { progress.update(Double($0) / Double($1)) }
    }
    progress.clear()
    guard ranks.isFirst else { return }
    try show(arguments[json] ? report.json.text(indent: 2) : Language.current.lines(report.table))
  }

  /// What is asked, and the model, whose weights are still to be read.
  private static func prepared(_ name: String, _ arguments: Arguments) throws -> (MultipleChoice, Pretrained)
  {
    guard let path = arguments[ChoiceOptions.data] else {
      throw UsageError("--data is missing", verb: arguments.verb)
    }
    guard let benchmark = Benchmark.all.first(where: { $0.name == name }) else {
      preconditionFailure("no benchmark \(name)")
    }
    let subjects = arguments.all(ChoiceOptions.subjects).flatMap { $0.split(separator: ",").map(String.init) }
    let questions = try BenchmarkQuestions(
      benchmark, at: path, subjects: subjects, split: arguments[ChoiceOptions.split],
      shots: arguments[ChoiceOptions.shots] ?? 5, limit: arguments[limit])
    let pretrained = try ModelOptions.open(arguments)
    let asksInChat = arguments[ChoiceOptions.chat] || arguments[TemplateOptions.template] != nil
    if !asksInChat {
      try arguments.refuse([TemplateOptions.system.declaration], because: "plain text has no system text")
      try arguments.refuse(TemplateOptions.variableDeclarations, because: "plain text has no template")
    }
    let choice = MultipleChoice(
      questions, method: arguments[ChoiceOptions.method].flatMap(ChoiceMethod.init) ?? .letter,
      template: asksInChat
        ? try TemplateOptions.read(arguments, pretrained) : nil,
      system: arguments[TemplateOptions.system], maxLength: arguments[maxLength],
      batchSize: arguments[batchSize] ?? 8)
    return (choice, pretrained)
  }
}
