import FireflyBase
import FireflyConversion
import FireflyPretrained
import FireflyWeights

/// `firefly export MODEL OUT`.
enum ExportCommand {
  private static let file = Positional("OUT", "The .gguf file to write; it must not exist yet.")
  private static let type = Option.choice(
    "--type", GGUFType.allCases.map(\.rawValue), "What matrices are stored in (default: f16).")
  private static let adapter = Option.text("--adapter", "DIR", "A PEFT adapter to merge on the way.")
  private static let onto = Option.choice(
    "--onto", ["original", "nf4"],
    "With --adapter: what it is added to, the model's own weights or those rounded to NF4 as in QLoRA training "
      + "(default: original).")
  private static let adapterOnly = Flag(
    "--adapter-only", "Writes the adapter alone, for llama.cpp's --lora; MODEL tells its heads and names.")
  private static let overwrite = Flag(
    "--overwrite", "Replaces an older OUT, a GGUF file, when the new one is whole."
  )

  static let verb = Verb(
    "export", summary: "Writes a model, or an adapter, as a GGUF file for llama.cpp.",
    details:
      "For models of the families llama, mistral and qwen2, with tokenizer and chat template: an adapter's own where there is one. Vectors stay in "
      + "float32; the head of a q4_0 file is q8_0. A tokenizer that llama.cpp would not follow is refused; where it "
      + "differs only beside special tokens, a message says so.",
    positionals: [ModelOptions.model, file],
    options: [
      type.declaration, adapter.declaration, onto.declaration, adapterOnly.declaration, overwrite.declaration,
    ], run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    let type = arguments[type].flatMap(GGUFType.init) ?? .f16
    if arguments[adapterOnly] { return try exportAdapter(arguments, type) }
    if arguments[onto] != nil && arguments[adapter] == nil {
      throw UsageError("--onto needs --adapter", verb: arguments.verb)
    }
    let exporter = try GGUFExporter(
      Pretrained.open(arguments[ModelOptions.model], adapter: arguments[adapter]), type: type,
      adapter: arguments[adapter],
      onto: arguments[onto] == "nf4" ? .nf4(double: true) : .original)
    exporter.notes.forEach(Messages.note)
    try OutputOptions.converting("exporting") {
      try exporter.write(to: arguments[file], overwrite: arguments[overwrite], progress: $0)
    }
    if let token = exporter.unlikeToken {
      Messages.note(
        "llama.cpp encodes text beside special tokens, such as \(token), otherwise than the model's "
          + "tokenizer: it takes it to begin with a space")
    }
    try OutputOptions.report(arguments[file])
  }

  private static func exportAdapter(_ arguments: Arguments, _ type: GGUFType) throws {
    guard let adapter = arguments[adapter] else {
      throw UsageError("--adapter-only needs --adapter", verb: arguments.verb)
    }
    guard type != .q4_0 && type != .q8_0 else {
      throw UsageError("an adapter is written as f32, f16 or bf16", verb: arguments.verb)
    }
    try arguments.refuse(
      [onto.declaration, adapterOnly.declaration], together: "nothing is merged into an adapter")
    let exporter = try GGUFAdapter(
      adapter, base: ModelSource.open(arguments[ModelOptions.model]), type: type)
    exporter.notes.forEach(Messages.note)
    try exporter.write(to: arguments[file], overwrite: arguments[overwrite])
    try OutputOptions.report(arguments[file])
  }
}
