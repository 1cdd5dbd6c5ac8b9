import FireflyBase
import FireflyConversion
import FireflyHub
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyText
import FireflyWeights

/// `firefly merge MODEL ADAPTER OUT`.
enum MergeCommand {
  private static let adapter = Positional("ADAPTER", "The PEFT adapter's folder, or its name.")
  private static let onto = Option.choice(
    "--onto", ["original", "nf4"],
    "What the adapter is added to: the model's own weights, or those weights rounded to NF4 as in QLoRA training "
      + "(default: original).")
  private static let double = Option.choice(
    "--double-quant", ["true", "false"],
    "With --onto nf4: whether training quantised the scales as well (default: true).")
  private static let probe = Option.text(
    "--probe", "FILE", "A text file, a text a line, to compare the models on (default: four short texts).")
  private static let noProbe = Flag("--no-probe", "Does not compare; no model is loaded.")
  private static let precision = Option.choice(
    "--precision", ["bfloat16", "float32"],
    "What the comparison computes in, and weights are rounded to before NF4 (default: as in training, bfloat16 where "
      + "the processor multiplies it fast).")
  private static let json = Flag("--json", "The comparison as one JSON object.")

  private static let output = Positional(
    "OUT",
    "The folder to write, or of a GGUF model a .gguf file; it must not exist yet, a folder may be empty.")

  static let verb = Verb(
    "merge", summary: "Merges an adapter into the model's weights and writes the result as it came.",
    details:
      "A GGUF model becomes a .gguf file again, in the types of its own tensors: what the adapter leaves alone is copied byte "
      + "for byte, what it changes is quantised again as llama.cpp does it. Otherwise, or where OUT is no .gguf file, a "
      + "model folder is written. Tensors are merged in float32 and rounded to the type of the model's files, one at a time. The folder "
      + "has no quantization_config; its template, tokenizer and end-of-answer token are those that the adapter was trained "
      + "with. Then the merged model is compared with the base under its adapter, the base once "
      + "as stored and once in NF4: the smaller difference tells which base the merge matches.",
    positionals: [ModelOptions.model, adapter, output],
    options: [
      onto.declaration, double.declaration, probe.declaration, noProbe.declaration, precision.declaration,
      json.declaration,
    ] + OutputOptions.declarations, run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    try arguments.refuse([probe.declaration, noProbe.declaration], together: "one of them is in vain")
    try arguments.refuse([json.declaration, noProbe.declaration], together: "there is nothing to print")
    let shardLimit = try OutputOptions.shardLimit(arguments)
    let compute: DType =
      arguments[precision].flatMap(DType.init(name:)) ?? Ops.usualCompute
    if arguments[output].lowercased().hasSuffix(".gguf") {
      return try mergeFile(arguments, compute)
    }
    let source = try ModelSource.open(arguments[ModelOptions.model])
    let folder = try ModelFolder(
      arguments[output], overwrite: arguments[OutputOptions.overwrite],
      inputs: [source.path, LocalModels().path(of: arguments[adapter], for: .adapter)])
    let base = MergeBase.nf4(double: arguments[double] != "false")
    let merger = try Merger(
      source, adapter: arguments[adapter], onto: arguments[onto] == "nf4" ? base : .original,
      compute: compute, trained: try trainedText(arguments, source), shardLimit: shardLimit)
    let comparison = try arguments[noProbe] ? nil : makeProbe(arguments, compute)
    merger.notes.forEach(Messages.note)
    try OutputOptions.converting("merging") { try merger.write(to: folder, progress: $0) }
    if !arguments[json] { try OutputOptions.report(folder.path) }
    if let comparison { try compare(comparison, folder.path, asJSON: arguments[json]) }
  }

  private static func mergeFile(_ arguments: Arguments, _ compute: DType) throws {
    try arguments.refuse(
      [onto.declaration, double.declaration, OutputOptions.shardSize.declaration],
      because: "it is for folders, and OUT is a .gguf file")
    let pretrained = try Pretrained.open(arguments[ModelOptions.model], adapter: arguments[adapter])
    let merger = try GGUFMerger(pretrained, adapter: arguments[adapter])
    let comparison = try arguments[noProbe] ? nil : makeProbe(arguments, compute)
    merger.notes.forEach(Messages.note)
    let path = arguments[output]
    try OutputOptions.converting("merging") {
      try merger.write(to: path, overwrite: arguments[OutputOptions.overwrite], progress: $0)
    }
    if !arguments[json] { try OutputOptions.report(path) }
    if let comparison { try compare(comparison, path, asJSON: arguments[json]) }
  }

  /// What the adapter was trained with; a model without a tokenizer has no template either.
  private static func trainedText(_ arguments: Arguments, _ source: ModelSource) throws -> TrainedText? {
    guard source.gguf != nil || Tokenizers.isThere(in: source.path) else { return nil }
    return try Pretrained.open(arguments[ModelOptions.model], adapter: arguments[adapter])
      .trainedText(adapter: arguments[adapter])
  }

  /// Made before the merge, so that a bad probe file is known first.
  private static func makeProbe(_ arguments: Arguments, _ compute: DType) throws -> MergeProbe {
    let pretrained = try Pretrained.open(arguments[ModelOptions.model], adapter: arguments[adapter])
    let texts = try arguments[probe].map { path in
      let text = String(decoding: try MappedFile(path).data, as: UTF8.self)
      return text.split(whereSeparator: \.isNewline).map(String.init)
    }
    return try MergeProbe(
      pretrained, adapter: arguments[adapter], texts: texts ?? MergeProbe.texts, compute: compute)
  }

  private static func compare(_ probe: MergeProbe, _ merged: String, asJSON: Bool) throws {
    let report = try probe.report(merged: merged) { step in
      Messages.progress("comparing: \(step)")
    }
    Messages.clearProgress()
    let output = Output()
    try output.line(asJSON ? report.json(merged).text(indent: 2) : Language.current.lines(report.text))
    try output.flush()
  }
}

extension MergeProbe.Report {
  fileprivate var text: String {
    var lines = ["on \(tokens) tokens                perplexity   |logit difference| mean, largest"]
    lines.append("merged                        \(padded(perplexity, 10))")
    for row in rows {
      lines.append(
        "\(Columns.left(row.name, 30))\(padded(row.perplexity, 10))   \(padded(row.meanDifference, 10))  \(padded(row.maxDifference, 10))"
      )
    }
    if let closest = rows.min(by: { $0.meanDifference < $1.meanDifference }), rows.count > 1 {
      lines.append("The merged model is closest to: \(closest.name).")
    }
    return lines.joined(separator: "\n")
  }

  private func padded(_ number: Double, _ width: Int) -> String {
    let scaled = (number * 10_000).rounded() / 10_000
    let text = number.isFinite ? "\(scaled)" : "\(number)"
    return Columns.right(text, width)
  }

  fileprivate func json(_ merged: String) -> JSONValue {
    let list = rows.map { row in
      JSONValue.object([
        "base": .string(row.name), "perplexity": .double(row.perplexity),
        "mean_difference": .double(row.meanDifference), "max_difference": .double(row.maxDifference),
      ])
    }
    return .object([
      "merged": .string(merged), "tokens": .int(tokens), "perplexity": .double(perplexity),
      "bases": .array(list),
    ])
  }
}
