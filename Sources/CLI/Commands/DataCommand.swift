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
  private static let json = Flag("--json", "One JSON object: the statistics and the row.")

  static let verb = Verb(
    "data", summary: "Shows what training will see: statistics, and a row token by token.",
    positionals: [RunOptions.config],
    options: [RunOptions.set.declaration, row.declaration, json.declaration], run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    let run = try RunOptions.run(arguments)
    let model = try LocalModels().path(of: run.modelPath, for: .tokenizer)
    let tokenizer = try Pretrained.tokenizer(at: model)
    let template = try run.template(tokenizer)
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
      for line in dataset.report.summary { try output.say(line) }
      for line in heldOut?.report.summary ?? [] { try output.say("held out: \(line)") }
      for row in shown { try output.line("\n" + row.text) }
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

/// A training row, token by token.
private struct ShownRow {
  let name: String
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
      "line \(sample.line)\(place.map { " (\($0))" } ?? "")\(name == "row" ? "" : ", \(name)"): "
      + "\(sample.tokens.count) tokens, \(sample.targetCount) targets (marked with *)"
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
