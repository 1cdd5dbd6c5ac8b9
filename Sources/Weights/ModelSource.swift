import FireflyBase
import FireflyHub
import FireflyTensors
import Foundation

/// A pretrained model on disk: a Hugging Face folder or a GGUF file, opened and not yet read.
public struct ModelSource: Sendable {
  /// What was asked for: a path, or a model's name on a hub.
  public let name: String
  /// The folder or file.
  public let path: String
  /// config.json as it stands, in the old or the new spelling; of a model of texts and images its text part's; from a GGUF
  /// file, made of its metadata in both.
  package let config: JSONValue
  /// generation_config.json; nil when the folder has none.
  package let generationConfig: JSONValue?
  /// Tensors under Hugging Face names.
  package let weights: WeightStore
  /// The GGUF file, whose metadata also holds the tokenizer; nil for a folder.
  package let gguf: GGUFFile?
  /// A line for each key of `quantization_config` that has no effect here.
  package var notes: [String] = []
  /// The folder of the adapter whose tables the model has in place of its own; nil: it is as its files are.
  package var adaptedTo: String?
  /// Whether it is the text part of a model of texts and images.
  package var isTextPart = false

  /// Opens a folder (config.json; safetensors or pytorch_model.bin, in one file or in shards) or a `.gguf` file.
  ///
  /// - Parameter name: a path, or a model's name, such as `Org/Name`, that `LocalModels` finds.
  /// - Throws: `FireflyError` when something is missing, damaged or not supported.
  public static func open(_ name: String) throws -> ModelSource {
    let path = try LocalModels().path(of: name, for: .model)
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    return try isFolder.boolValue ? openFolder(path, name) : openFile(path, name)
  }

  private static func openFolder(_ folder: String, _ name: String) throws -> ModelSource {
    let configPath = "\(folder)/\(ModelFiles.config)"
    guard FileManager.default.fileExists(atPath: configPath) else { throw notAModel(folder) }
    let config = try JSONValue.read(configPath)
    guard config.object != nil else {
      throw FireflyError("wrong JSON", at: configPath, expected: "an object", found: config.kind)
    }
    let notes = try checkQuantization(config, at: configPath)
    let generationPath = "\(folder)/\(ModelFiles.generationConfig)"
    let hasGeneration = FileManager.default.fileExists(atPath: generationPath)
    let stored = try CheckpointFiles.open(folder)
    let part = try TextPart(of: config, stored, at: configPath)
    return ModelSource(
      name: name, path: folder, config: part?.config ?? config,
      generationConfig: hasGeneration ? try JSONValue.read(generationPath) : nil,
      weights: try WeightStore(
        folder, part?.tensors ?? stored, parts: StackedExperts.parts(of: config, stored)),
      gguf: nil,
      notes: notes + (part.map { [$0.note] } ?? []), isTextPart: part != nil)
  }

  /// The `model_type`s of models of texts and images whose text part is used, sorted.
  package static var textPartTypes: [String] { TextPart.modelTypes }

  /// The same with other tables, and a config.json that says so.
  package func replacing(_ tables: [ReplacedTable], config: JSONValue) throws -> ModelSource {
    ModelSource(
      name: name, path: path, config: config, generationConfig: generationConfig,
      weights: try weights.replacing(tables), gguf: gguf, notes: notes, adaptedTo: adaptedTo,
      isTextPart: isTextPart)
  }

  /// Whether the linear layers are stored in bitsandbytes' 4 bits.
  package var isQuantized: Bool {
    config["quantization_config"] != nil && !ModelSource.hasMXFP4(config)
  }

  /// Whether it is gpt-oss with its experts in MXFP4, whose tensors say themselves what they are.
  private static func hasMXFP4(_ config: JSONValue) -> Bool {
    config["model_type"]?.string == "gpt_oss"
      && config["quantization_config"]?["quant_method"]?.string == "mxfp4"
  }

  /// Whether tensors are stored in GGUF's quantised blocks, or MXFP4's.
  package var hasBlocks: Bool { !weights.blockFormats.isEmpty }

  /// Of quantised folders, bitsandbytes' NF4 is read, and gpt-oss's MXFP4.
  ///
  /// - Returns: a note for each key that has no effect here.
  private static func checkQuantization(_ config: JSONValue, at path: String) throws -> [String] {
    guard config["quantization_config"] != nil,
      let keys = try KeyReader(config, source: path).object("quantization_config")
    else { return [] }
    if hasMXFP4(config) { return try keys.finish(quantizationKeys) }
    let method = try keys.string("quant_method", default: "bitsandbytes")
    let type = try keys.string("bnb_4bit_quant_type", default: "nf4")
    let is4Bit = try keys.bool("load_in_4bit", default: false)
    guard method == "bitsandbytes", is4Bit, type == "nf4" else {
      throw FireflyError(
        "the model is quantised in a way that is not supported", at: keys.source,
        expected: "bitsandbytes with load_in_4bit and nf4, or no quantisation",
        found: method == "bitsandbytes"
          ? (is4Bit ? "bitsandbytes \(type)" : "bitsandbytes without load_in_4bit") : method,
        fix: "Use the model's 16-bit weights.")
    }
    try keys.refuse("load_in_8bit", unless: [.bool(false)])
    return try keys.finish(quantizationKeys)
  }

  /// BitsAndBytesConfig's other keys. Whether a tensor is in 4 bits, with what scales and in what storage, each tensor's own
  /// state says; the type to compute in is the user's choice.
  private static let quantizationKeys = KeyTable(harmless: [
    "_load_in_4bit", "_load_in_8bit", "bnb_4bit_use_double_quant", "bnb_4bit_quant_storage",
    "bnb_4bit_compute_dtype", "llm_int8_skip_modules", "modules_to_not_convert",
    // Of MXFP4's.
    "quant_method", "dequantize",
    // Of 8 bits alone.
    "llm_int8_threshold", "llm_int8_enable_fp32_cpu_offload", "llm_int8_has_fp16_weight",
  ])

  /// A folder without config.json: say what it is instead.
  private static func notAModel(_ folder: String) -> FireflyError {
    let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    var fix = "Give a folder as Hugging Face models come in, or a .gguf file."
    if let gguf = files.first(where: { $0.hasSuffix(".gguf") }) {
      fix = "Give the path of the file: \(folder)/\(gguf)."
    } else if files.contains(ModelFiles.adapterConfig) {
      fix = "This folder is an adapter: give the base model's folder, and this one as the adapter."
    }
    return FireflyError("the folder has no config.json", at: folder, fix: fix)
  }
}

extension ModelSource {
  private static func openFile(_ path: String, _ name: String) throws -> ModelSource {
    guard path.lowercased().hasSuffix(".gguf") else {
      throw FireflyError(
        "the file is not a model", at: path, expected: "a Hugging Face folder or a .gguf file",
        fix: path.hasSuffix(".safetensors") ? "Give the folder that holds the file and config.json." : nil)
    }
    let gguf = try GGUFFile(path)
    let model = try GGUFCheckpoint(gguf)
    return ModelSource(
      name: name, path: path, config: try model.config(), generationConfig: try model.generationConfig(),
      weights: try WeightStore(path, model.tensors()), gguf: gguf)
  }
}
