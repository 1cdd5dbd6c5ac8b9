import FireflyBase
import FireflyConversion
import FireflyWeights

/// `firefly quantize MODEL OUT`.
enum QuantizeCommand {
  private static let double = Option.choice(
    "--double-quant", ["true", "false"], "Whether the scales are quantised as well (default: true).")

  static let verb = Verb(
    "quantize", summary: "Writes a model in 4 bits (NF4), as transformers with bitsandbytes loads it.",
    details:
      "The linear layers of the blocks become NF4; embeddings, norms and the head stay in 16 bits. Matrices are "
      + "quantised one at a time: the peak of memory is one of them. OUT is written whole or not at all.",
    positionals: [ModelOptions.model, OutputOptions.folder],
    options: [double.declaration] + OutputOptions.declarations, run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    let shardLimit = try OutputOptions.shardLimit(arguments)
    let source = try ModelSource.open(arguments[ModelOptions.model])
    let folder = try ModelFolder(
      arguments[OutputOptions.folder], overwrite: arguments[OutputOptions.overwrite], inputs: [source.path])
    let quantizer = try Quantizer(
      source, double: arguments[double] != "false",
      shardLimit: shardLimit)
    quantizer.notes.forEach(Messages.note)
    try OutputOptions.converting("quantizing") { try quantizer.write(to: folder, progress: $0) }
    try OutputOptions.report(folder.path)
  }
}
