import FireflyBase
import FireflyEvaluation
import FireflyModels
import FireflyPretrained
import FireflyRanks

/// `firefly eval MODEL --task …`: what its tasks share.
enum EvalCommand {
  static let task = Option.choice(
    "--task", ["perplexity", "mmlu", "ceval", "cmmlu", "exact_match"],
    "What is measured: perplexity and token accuracy of texts; multiple choice; or worked answers, by what stands after the last ####."
  )
  static let file = Option.text(
    "--file", "FILE",
    "perplexity: conversations as for training (the answers are the targets), a .txt file, or JSONL rows {\"text\": …}. exact_match: JSONL rows whose last answers are the references, or {\"question\": …, \"answer\": …}.",
    repeated: true)
  static let limit = Option.integer(
    "--limit", "N", atLeast: 1,
    "Only the first N rows; of a benchmark, the first N questions of each subject.")
  static let batchSize = Option.integer(
    "--batch-size", "N", atLeast: 1,
    "Rows in a pass (default: exact_match 32, multiple choice 8, perplexity as many as make 2048 tokens).")
  static let output = Option.text(
    "--output", "FILE",
    "Keeps each finished item as a line of JSON; the same command goes on where an earlier one stopped.")
  static let json = Flag("--json", "One JSON object; multiple choice and exact_match with every item.")
  static let maxLength = Option.integer(
    "--max-length", "N", atLeast: 2,
    "Tokens of a row, a window of plain text, or a prompt (default: what the model was made for; windows at most 2048)."
  )

  static let verb = Verb(
    "eval", summary: "Measures a model: perplexity, multiple choice, worked answers.",
    details: """
      Equal calls give equal results. The answers of exact_match are greedy unless --temperature is given.
      mmlu, ceval and cmmlu ask in the words of the benchmarks' authors, as plain text unless --chat or --template is given; \
      DIR holds the published CSV files, or a zip archive of them.
      """,
    positionals: [ModelOptions.model],
    options: [
      task.declaration, file.declaration, ChoiceOptions.data.declaration, ChoiceOptions.subjects.declaration,
      ChoiceOptions.split.declaration, ChoiceOptions.shots.declaration, ChoiceOptions.method.declaration,
      ChoiceOptions.chat.declaration, limit.declaration, maxLength.declaration, stride.declaration,
      examples.declaration, batchSize.declaration, output.declaration, json.declaration,
    ] + ModelOptions.declarations + TemplateOptions.declarations + AnswerOptions.declarations,
    run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    guard let name = arguments[task] else { throw UsageError("--task is missing", verb: arguments.verb) }
    try arguments.refuse(strangers(to: name), because: "it has no meaning for --task \(name)")
    try Together.run { ranks in
      switch name {
      case "perplexity": try perplexity(arguments, ranks)
      case "exact_match": try exactMatch(arguments, ranks)
      default: try multipleChoice(name, arguments, ranks)
      }
    }
  }

  /// The options of other tasks.
  private static func strangers(to task: String) -> [OptionDeclaration] {
    let choice = ChoiceOptions.declarations
    switch task {
    case "perplexity":
      return choice + [examples.declaration, TemplateOptions.system.declaration] + AnswerOptions.declarations
    case "exact_match": return choice + [stride.declaration, maxLength.declaration]
    default: return [file.declaration, stride.declaration, examples.declaration] + AnswerOptions.declarations
    }
  }

  /// What is finished, and the file that keeps it when there is to be one.
  ///
  /// - Parameters:
  ///   - items: a digest of what is asked.
  ///   - settings: what decides the results beside that and the model.
  /// - Throws: `FireflyError` where the file is another evaluation's, or the ranks were asked for different things.
  static func results(
    _ arguments: Arguments, _ pretrained: Pretrained, items: String, _ settings: [String: JSONValue],
    _ ranks: Ranks
  ) throws -> SharedResults {
    guard arguments[output] != nil || !ranks.isAlone else { return try SharedResults(ranks, file: nil) }
    let (all, file) = try ranks.agree {
      let model = try pretrained.evaluationSettings(
        ModelOptions.options(arguments, adapter: arguments[ModelOptions.adapter]))
      let all = settings.merging(model) { mine, _ in mine }
      let path = ranks.isFirst ? arguments[output] : nil
      return (all, try path.map { try ResultFile($0, settings: all) })
    }
    let words = [
      ("items to measure", items), ("batch size", arguments[batchSize].map { "\($0)" } ?? "usual"),
    ]
    try ranks.requireEqual(words + all.sorted { $0.key < $1.key }.map { ($0.key, $0.value.text()) })
    return try SharedResults(ranks, file: file)
  }

  /// Writes a report to standard output.
  static func show(_ text: String) throws {
    let output = Output()
    try output.line(text)
    try output.flush()
  }
}

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
