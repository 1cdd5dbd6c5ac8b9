import FireflyBase
import FireflyConversion
import FireflyPretrained
import FireflyWeights

/// `firefly export MODEL OUT`.
enum ExportCommand {
  private static let file = Positional("OUT", "The .gguf file to write; it must not exist yet.")
  private static let type = Option.choice(
    "--type", GGUFType.allCases.map(\.rawValue),
    "What matrices are stored in (default: f16); the quantised types are llama.cpp's mixtures.")
  private static let calibrate = Option.text(
    "--calibrate", "FILE",
    "A text that the model reads first: errors of quantising count by what its layers see (an importance matrix)."
  )
  private static let imatrix = Option.text(
    "--imatrix", "FILE",
    "An importance matrix of llama.cpp's llama-imatrix, in place of --calibrate: GGUF or the older .dat.")
  private static let saveImatrix = Option.text(
    "--save-imatrix", "FILE",
    "With --calibrate: writes the importance matrix too, as a GGUF file for llama-quantize's --imatrix.")
  private static let splitSize = Option.text(
    "--split-size", "SIZE",
    "Writes parts of at most so many bytes, a number with MB or GB: OUT's name with -00001-of-00003 and so on."
  )
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
      "For models of the families that llama.cpp shares with Firefly, with tokenizer and chat template: an adapter's own where there is one. "
      + "Vectors stay in float32; quantised matrices are what llama.cpp's quantiser makes of them, byte for byte. A tokenizer that llama.cpp would not follow is refused; where it "
      + "differs only beside special tokens, a message says so.",
    positionals: [ModelOptions.model, file],
    options: [
      type.declaration, calibrate.declaration, imatrix.declaration, saveImatrix.declaration,
      splitSize.declaration, adapter.declaration, onto.declaration, adapterOnly.declaration,
      overwrite.declaration,
    ], run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    let type = arguments[type].flatMap(GGUFType.init) ?? .f16
    if arguments[adapterOnly] { return try exportAdapter(arguments, type) }
    if arguments[onto] != nil && arguments[adapter] == nil {
      throw UsageError("--onto needs --adapter", verb: arguments.verb)
    }
    try checkImportance(arguments, type)
    let partLimit = try arguments[splitSize].map { _ in try OutputOptions.byteCount(splitSize, arguments) }
    let pretrained = try Pretrained.open(arguments[ModelOptions.model], adapter: arguments[adapter])
    var exporter = try GGUFExporter(
      pretrained, type: type, adapter: arguments[adapter],
      onto: arguments[onto] == "nf4" ? .nf4(double: true) : .original)
    exporter.notes.forEach(Messages.note)
    exporter.importance = try importance(arguments, pretrained)
    var files: [String] = []
    try OutputOptions.converting("exporting") {
      files = try exporter.write(
        to: arguments[file], overwrite: arguments[overwrite], partLimit: partLimit, progress: $0)
    }
    if let token = exporter.unlikeToken {
      Messages.note(
        "llama.cpp encodes text beside special tokens, such as \(token), otherwise than the model's "
          + "tokenizer: it takes it to begin with a space")
    }
    try files.forEach(OutputOptions.report)
  }

  private static func checkImportance(_ arguments: Arguments, _ type: GGUFType) throws {
    try arguments.refuse([calibrate.declaration, imatrix.declaration], together: "one of them is in vain")
    for option in [calibrate, imatrix] where arguments[option] != nil && !type.isQuantized {
      throw UsageError(
        "\(option.declaration.name) needs a quantised --type", verb: arguments.verb)
    }
    if arguments[saveImatrix] != nil && arguments[calibrate] == nil {
      throw UsageError("--save-imatrix needs --calibrate", verb: arguments.verb)
    }
  }

  private static func importance(_ arguments: Arguments, _ pretrained: Pretrained) throws -> ImportanceMatrix?
  {
    if let path = arguments[imatrix] { return try ImportanceMatrix(file: path, for: pretrained) }
    guard let path = arguments[calibrate] else { return nil }
    var matrix: ImportanceMatrix?
    try OutputOptions.converting("calibrating") {
      matrix = try ImportanceMatrix(of: path, by: pretrained, adapter: arguments[adapter], progress: $0)
    }
    if let file = arguments[saveImatrix] {
      try matrix?.write(to: file, for: pretrained, overwrite: arguments[overwrite])
    }
    return matrix
  }

  private static func exportAdapter(_ arguments: Arguments, _ type: GGUFType) throws {
    guard let adapter = arguments[adapter] else {
      throw UsageError("--adapter-only needs --adapter", verb: arguments.verb)
    }
    guard !type.isQuantized else {
      throw UsageError("an adapter is written as f32, f16 or bf16", verb: arguments.verb)
    }
    try arguments.refuse(
      [onto.declaration, adapterOnly.declaration], together: "nothing is merged into an adapter")
    try arguments.refuse(
      [splitSize.declaration, adapterOnly.declaration], together: "an adapter is written in one file")
    for option in [calibrate, imatrix, saveImatrix] {
      try arguments.refuse(
        [option.declaration, adapterOnly.declaration], together: "an adapter is not quantised")
    }
    let exporter = try GGUFAdapter(
      adapter, base: ModelSource.open(arguments[ModelOptions.model]), type: type)
    exporter.notes.forEach(Messages.note)
    try exporter.write(to: arguments[file], overwrite: arguments[overwrite])
    try OutputOptions.report(arguments[file])
  }
}
