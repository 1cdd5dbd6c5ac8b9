import FireflyBase
import FireflyEvaluation
import FireflyGeneration
import FireflyModels
import FireflyPretrained
import FireflyRanks
import FireflyText
import FireflyWeights

extension EvalCommand {
  static let stride = Option.integer(
    "--stride", "N", atLeast: 1,
    "Tokens from one window of plain text to the next (default: the window's length less one, so that each token is read once)."
  )

  /// The longest window when nothing is said: longer ones cost memory and gain little.
  private static let usualWindow = 2048

  static func perplexity(_ arguments: Arguments, _ ranks: Ranks) throws {
    let (texts, pretrained) = try ranks.agree { try prepared(arguments) }
    if ranks.isFirst {
      for text in texts { for note in text.notes { Messages.line("\(text.path): \(note)") } }
    }
    let results = try results(
      arguments, pretrained, items: digest(texts), ["task": .string("perplexity")], ranks)
    let model = try ranks.agree { try ModelOptions.load(pretrained, arguments).model }
    let perplexity = Perplexity(
      model: model, maxRows: arguments[batchSize] ?? .max,
      maxTokens: arguments[batchSize] == nil ? 2048 : .max)
    let progress = ProgressLine("measuring")
    let report = try perplexity.run(texts, results) { done, count in
      if ranks.isFirst { progress.update(Double(done) / Double(count)) }
    }
    progress.clear()
    guard ranks.isFirst else { return }
    try show(arguments[json] ? report.json.text(indent: 2) : Language.current.lines(table(report)))
  }

  /// The texts and the model, whose weights are still to be read.
  private static func prepared(_ arguments: Arguments) throws -> ([EvaluationText], Pretrained) {
    let paths = arguments.all(file)
    guard !paths.isEmpty else { throw UsageError("--file is missing", verb: arguments.verb) }
    if let twice = Dictionary(grouping: paths, by: { $0 }).first(where: { $1.count > 1 })?.key {
      throw UsageError("--file \(twice) is given twice", verb: arguments.verb)
    }
    let kinds = try paths.map(EvaluationText.kind)
    if arguments[stride] != nil && !kinds.contains(.text) {
      throw UsageError(
        "--stride needs plain text: the rows of conversations are not cut", verb: arguments.verb)
    }
    if !kinds.contains(.conversations) {
      try arguments.refuse(TemplateOptions.declarations, because: "plain text has no template")
    }
    let pretrained = try ModelOptions.open(arguments)
    let architecture = try Architecture(config: pretrained.source.config, source: pretrained.source.path)
    let texts = try zip(paths, kinds).map { path, kind in
      let progress = ProgressLine("reading \(path)")
      defer { progress.clear() }
      let text = try read(path, kind, arguments, pretrained, architecture, progress.update)
      try checkVocabulary(
        text.samples, vocabularySize: architecture.vocabularySize, path: path, model: pretrained.source.path)
      return text
    }
    return (texts, pretrained)
  }

  private static func digest(_ texts: [EvaluationText]) -> String {
    var hash = StableHash()
    for text in texts {
      hash.add(text.path.utf8)
      for sample in text.samples {
        for token in sample.tokens { hash.add(UInt64(UInt32(bitPattern: token))) }
        hash.add(UInt64(sample.targetCount))
      }
    }
    return hash.text
  }

  private static func read(
    _ path: String, _ kind: EvaluationText.Kind, _ arguments: Arguments, _ pretrained: Pretrained,
    _ architecture: Architecture, _ progress: @escaping (Double) -> Void
  ) throws -> EvaluationText {
    let text: EvaluationText
    switch kind {
    case .conversations:
      let template = try TemplateOptions.read(arguments, pretrained)
      text = try .conversations(
        path, template: template, tokenizer: pretrained.tokenizer,
        maxLength: arguments[maxLength] ?? architecture.maxPositions, progress: progress)
    case .text:
      let length = arguments[maxLength] ?? min(usualWindow, architecture.maxPositions)
      text = try .text(
        path, tokenizer: pretrained.tokenizer,
        windows: TextWindows(length: length, stride: arguments[stride]), progress: progress)
    }
    return arguments[limit].map(text.first) ?? text
  }

  private static func table(_ report: PerplexityReport) -> String {
    let total = report.files.count > 1 ? [line("total", report.total, bits: nil)] : []
    return
      (report.files.map { text, sums in
        line(text.path, sums, bits: PerplexityReport.bitsPerByte(text, sums))
      } + total).joined(separator: "\n")
  }

  private static func line(_ name: String, _ sums: TargetSums, bits: Double?) -> String {
    "\(name): perplexity \(Readable.fixed(sums.perplexity, 4)), loss \(Readable.fixed(sums.meanLoss, 5)), "
      + "token accuracy \(Readable.fixed(100 * sums.accuracy, 2)) %, "
      + (bits.map { "\(Readable.fixed($0, 4)) bits a byte, " } ?? "")
      + "\(Readable.grouped(sums.targets)) targets of \(Readable.grouped(sums.tokens)) tokens in \(Readable.grouped(sums.rows)) rows"
  }
}
