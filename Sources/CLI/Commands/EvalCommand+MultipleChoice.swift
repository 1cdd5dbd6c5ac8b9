import FireflyBase
import FireflyEvaluation
import FireflyGeneration
import FireflyPretrained
import FireflyText

extension EvalCommand {
  static func multipleChoice(_ name: String, _ arguments: Arguments) throws {
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
    let results = try results(arguments, pretrained, choice.settings)
    let model = try ModelOptions.load(pretrained, arguments).model
    let progress = ProgressLine("\(benchmark.title), \(questions.count) questions")
    let report = try choice.run(model, tokenizer: pretrained.tokenizer, output: results) {
      progress.update(Double($0) / Double($1))
    }
    progress.clear()
    try show(arguments[json] ? report.json.text(indent: 2) : Language.current.lines(report.table))
  }
}
