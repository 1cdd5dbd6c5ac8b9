import FireflyBase
import FireflyPretrained
import FireflyText
import FireflyTraining

/// `firefly data CONFIG`.
enum DataCommand {
  private static let config = Positional("CONFIG", "The training configuration, a JSON file.")
  private static let set = Option.text(
    "--set", "KEY=VALUE", "Replaces one key of the configuration.", repeated: true)
  private static let row = Option.integer(
    "--row", "LINE", atLeast: 1,
    "The line of train_file to show, counted on from file to file (default: the first row that is kept).")
  private static let json = Flag("--json", "One JSON object: the statistics and the row.")

  static let verb = Verb(
    "data", summary: "Shows what training will see: statistics, and a row token by token.",
    positionals: [config], options: [set.declaration, row.declaration, json.declaration], run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    let run = try RunConfig(file: arguments[config], overrides: arguments.all(set))
    guard run.task != .dpo else {
      throw FireflyError(
        "only conversations and plain texts can be shown", at: "\(arguments[config]): task_type",
        expected: "sft or pretrain", found: run.task.rawValue)
    }
    let tokenizer = try Pretrained.tokenizer(at: run.modelPath)
    let template = try run.template(tokenizer)
    let progress = ProgressLine("reading \(run.trainFile)")
    let dataset = try Dataset.load(
      run.selection(.training), template: template, learnt: run.learnt, tokenizer: tokenizer,
      maxLength: run.maxSequenceLength, cache: run.dataCache, progress: progress.update)
    let heldOut = try run.heldOut.map { _ in
      try Dataset.load(
        run.selection(.heldOut), template: template, learnt: run.learnt, tokenizer: tokenizer,
        maxLength: run.maxSequenceLength
      ).report
    }
    progress.clear()
    let sample = try sample(arguments[row], in: dataset, arguments[config])
    let shown = ShownRow(
      sample: sample, place: dataset.report.files.count > 1 ? dataset.report.place(sample.line) : nil,
      tokenizer: tokenizer)
    let output = Output()
    if arguments[json] {
      try output.line(
        JSONValue.object([
          "statistics": dataset.report.json, "held_out": heldOut?.json ?? .null, "row": shown.json,
        ]).text(indent: 2))
    } else {
      for line in dataset.report.summary { try output.line(line) }
      for line in heldOut?.summary ?? [] { try output.line("held out: \(line)") }
      try output.line("\n" + shown.text)
    }
    try output.flush()
  }

  private static func sample(_ line: Int?, in dataset: Dataset, _ config: String) throws -> Sample {
    guard let line else { return dataset.samples[0] }
    guard let sample = dataset.samples.row(fromLine: line) else {
      throw FireflyError(
        "no row is kept from line \(line)", at: dataset.report.path,
        fix: "It is blank, was dropped, or lies after the end: 'firefly data \(config)' lists dropped lines.")
    }
    return sample
  }
}

/// A training row, token by token.
private struct ShownRow {
  let sample: Sample
  /// File and line, of a row from one of several files.
  let place: String?
  let tokenizer: any Tokenizer

  private struct Token {
    let position: Int
    let id: Int32
    /// What the token adds to the text; empty while a character is incomplete.
    let text: String
    let isTarget: Bool
  }

  private var tokens: [Token] {
    var decoder = tokenizer.makeStreamingDecoder(skipSpecial: false)
    return sample.tokens.enumerated().map { position, id in
      Token(
        position: position, id: id, text: decoder.append(id),
        isTarget: sample.targets.contains { $0.contains(position) })
    }
  }

  var text: String {
    let heading =
      "line \(sample.line)\(place.map { " (\($0))" } ?? ""): \(sample.tokens.count) tokens, \(sample.targetCount) targets (marked with *)"
    let lines = tokens.map { token in
      let mark = token.isTarget ? "*" : " "
      let text = token.text.isEmpty ? "…" : JSONValue.string(token.text).text()
      return "\(right("\(token.position)", 6)) \(mark) \(right("\(token.id)", 7))  \(text)"
    }
    return ([heading] + lines).joined(separator: "\n")
  }

  var json: JSONValue {
    let list = tokens.map { token in
      JSONValue.object([
        "id": .int(Int(token.id)), "text": .string(token.text), "target": .bool(token.isTarget),
      ])
    }
    return .object([
      "line": .int(sample.line), "tokens": .array(list), "target_count": .int(sample.targetCount),
    ])
  }

  private func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
