import FireflyBase
import FireflyEvaluation
import FireflyGeneration
import FireflyPretrained
import FireflyText

/// What only multiple choice takes.
enum ChoiceOptions {
  static let data = Option.text(
    "--data", "DIR", "The benchmark's CSV files: a folder, or a zip archive.")
  static let subjects = Option.text(
    "--subjects", "NAMES",
    "Subjects as the files are named, or categories (stem, humanities, social_sciences, other, hard, china_specific), with commas between (default: all).",
    repeated: true)
  static let split = Option.text(
    "--split", "NAME",
    "The split that is asked (default: test; val for ceval, whose test answers are secret).")
  static let shots = Option.integer(
    "--shots", "N", atLeast: 0, "Worked examples from the split dev before each question (default: 5).")
  static let method = Option.choice(
    "--method", ["letter", "likelihood"],
    "letter shows the options and scores A to D; likelihood does not and scores the options' texts, also per character and per byte (default: letter)."
  )
  static let chat = Flag(
    "--chat", "Asks through the chat template, examples as earlier turns; so does --template.")
  static let declarations = [
    data.declaration, subjects.declaration, split.declaration, shots.declaration, method.declaration,
    chat.declaration,
  ]
}

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
    let pretrained = try Pretrained.open(arguments[ModelOptions.model])
    let asksInChat = arguments[ChoiceOptions.chat] || arguments[TemplateOptions.template] != nil
    if !asksInChat {
      try arguments.refuse([TemplateOptions.system.declaration], because: "plain text has no system text")
    }
    let choice = MultipleChoice(
      questions, method: arguments[ChoiceOptions.method].flatMap(ChoiceMethod.init) ?? .letter,
      template: asksInChat
        ? try pretrained.template(
          named: arguments[TemplateOptions.template], adapter: arguments[ModelOptions.adapter]) : nil,
      system: arguments[TemplateOptions.system], maxLength: arguments[maxLength],
      batchSize: arguments[batchSize] ?? 8)
    let results = try results(arguments, pretrained, choice.settings)
    let model = try ModelOptions.load(pretrained, arguments).model
    let progress = ProgressLine("\(benchmark.title), \(questions.count) questions")
    let report = try choice.run(model, tokenizer: pretrained.tokenizer, output: results) {
      progress.update(Double($0) / Double($1))
    }
    progress.clear()
    try show(arguments[json] ? report.json.text(indent: 2) : report.table)
  }
}
