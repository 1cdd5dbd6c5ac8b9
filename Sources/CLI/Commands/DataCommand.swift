import FireflyBase
import FireflyHub
import FireflyPretrained
import FireflyText
import FireflyTraining

/// `firefly data CONFIG`.
enum DataCommand {
  private static let row = Option.integer(
    "--row", "LINE", atLeast: 1,
    "The line of train_file to show, counted on from file to file (default: the first row that is kept).")
  private static let tokens = Flag("--tokens", "Shows the row token by token, with ids.")
  private static let json = Flag("--json", "One JSON object: the statistics, and the row with its tokens.")

  static let verb = Verb(
    "data", summary: "Shows what training will see: statistics, and a row's text with its targets.",
    details: """
      The row stands there as the model reads it, special tokens spelled out. The targets, which are what is learnt, are \
      green on a terminal and between ⟦ and ⟧ elsewhere; so they are on a terminal when NO_COLOR is set.
      """,
    positionals: [RunOptions.config],
    options: [RunOptions.set.declaration, row.declaration, tokens.declaration, json.declaration], run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    try arguments.refuse([tokens.declaration, json.declaration], together: "--json has the tokens")
    let run = try RunOptions.run(arguments)
    let model = try LocalModels().path(of: run.modelPath, for: .tokenizer)
    let tokenizer = try Pretrained.tokenizer(at: model)
    let template = try run.template(tokenizer)
    if let note = run.templateNote(template, tokenizer) { Messages.line("firefly: \(note)") }
    let progress = ProgressLine("reading \(run.trainFile)")
    let dataset = try run.rows(
      run.selection(.training), template: template, tokenizer: tokenizer, cache: run.dataCache(model: model),
      progress: progress.update)
    let heldOut = try run.heldOut.map { _ in
      try run.rows(run.selection(.heldOut), template: template, tokenizer: tokenizer)
    }
    progress.clear()
    let shown = try samples(arguments[row], in: dataset, run, arguments[RunOptions.config]).map {
      name, sample in
      ShownRow(
        name: name, sample: sample,
        place: dataset.report.files.count > 1 ? dataset.report.place(sample.line) : nil, tokenizer: tokenizer)
    }
    let output = Output()
    if arguments[json] {
      let rows = shown.map { ($0.name, $0.json) }
      try output.line(
        JSONValue.object(
          Dictionary(
            [("statistics", dataset.report.json), ("held_out", heldOut?.report.json ?? .null)] + rows
          ) { first, _ in first }
        ).text(indent: 2))
    } else {
      for line in dataset.report.summary { try output.sentence(line) }
      for line in heldOut?.report.summary ?? [] { try output.sentence("held out: \(line)") }
      for row in shown {
        try output.sentence("\n" + row.heading)
        try output.line(arguments[tokens] ? row.list : row.text(inColour: Terminal.showsColours))
      }
    }
    try output.flush()
  }

  /// What is made of a line, by name: a row, or the two of a preference pair.
  private static func samples(
    _ line: Int?, in dataset: Dataset, _ run: RunConfig, _ config: String
  ) throws -> [(name: String, sample: Sample)] {
    let line = line ?? dataset.samples[0].line
    let samples = dataset.samples.rows(fromLine: line)
    guard let first = samples.first else {
      throw FireflyError(
        "no row is kept from line \(line)", at: dataset.report.path,
        fix: "It is blank, was dropped, or lies after the end: 'firefly data \(config)' lists dropped lines.")
    }
    return run.task == .dpo ? Array(zip(["chosen", "rejected"], samples)) : [("row", first)]
  }
}
