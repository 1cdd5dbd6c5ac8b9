import FireflyBase
import FireflyHub
import FireflyPretrained
import FireflyServer
import FireflyText
import FireflyTraining

/// What training will see of the rows: what `firefly data` counts, and the first rows with their targets.
struct DataPreview {
  private static let mostRows = 50
  /// Tokens shown of a row.
  private static let mostTokens = 4096

  /// - Parameter request: `config`; `first` and `count` of the rows to show, counted from 0.
  func json(_ request: StudioRequest) throws -> JSONValue {
    let config = try RunDraft(request).config
    let model = try LocalModels().path(of: config.modelPath, for: .tokenizer)
    let tokenizer = try Pretrained.tokenizer(at: model)
    let template = try config.template(tokenizer)
    let dataset = try config.rows(
      config.selection(.training), template: template, tokenizer: tokenizer,
      cache: config.dataCache(model: model))
    let heldOut = try config.heldOut.map { _ in
      try config.rows(config.selection(.heldOut), template: template, tokenizer: tokenizer)
    }
    // The two answers of a preference pair belong together.
    let answers = config.task == .dpo ? 2 : 1
    let total = dataset.samples.count / answers
    let first = min(max(0, request.members["first"]?.int ?? 0), total)
    let last = min(total, first + min(max(1, request.members["count"]?.int ?? 3), DataPreview.mostRows))
    let shown = (first * answers..<last * answers).map { index in
      row(
        dataset.samples[index], dataset.report, tokenizer,
        part: answers == 1 ? nil : index % 2 == 0 ? "chosen" : "rejected")
    }
    return .object([
      "summary": .array(dataset.report.summary.map(JSONValue.string)),
      "held_out": .array((heldOut?.report.summary ?? []).map(JSONValue.string)),
      "template": template.map { .string($0.name) } ?? .null, "total": .int(total), "first": .int(first),
      "rows": .array(shown), "notices": .array(config.notices.map(JSONValue.string)),
      "tokens": .int(dataset.report.tokens), "targets": .int(dataset.report.targets),
      "kept": .int(dataset.report.kept), "read": .int(dataset.report.rows),
    ])
  }

  private func row(_ sample: Sample, _ report: DatasetReport, _ tokenizer: any Tokenizer, part: String?)
    -> JSONValue
  {
    let pieces = SampleText(sample, tokenizer, mostTokens: DataPreview.mostTokens).pieces
    return .object([
      "place": .string(report.place(sample.line)), "part": part.map(JSONValue.string) ?? .null,
      "tokens": .int(sample.tokens.count), "targets": .int(sample.targetCount),
      "is_cut": .bool(sample.tokens.count > DataPreview.mostTokens),
      "pieces": .array(pieces.map { .object(["text": .string($0.text), "target": .bool($0.isTarget)]) }),
    ])
  }
}
