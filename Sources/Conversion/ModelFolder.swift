import FireflyBase
import FireflyTensors
import FireflyWeights

/// A model folder that is written whole or not at all.
public struct ModelFolder {
  /// Where the folder will stand.
  public let path: String

  /// - Parameters:
  ///   - overwrite: whether a model's folder that is there already is replaced (when the new one is whole).
  ///   - inputs: what is read, which the new folder must not replace.
  /// - Throws: `FireflyError` when something is there that must not be replaced.
  public init(_ path: String, overwrite: Bool = false, inputs: [String] = []) throws {
    self.path = try ConversionOutput.folder.checked(path, overwrite: overwrite, inputs: inputs)
  }

  /// Writes config.json, the files beside the weights, and the tensors.
  ///
  /// - Parameters:
  ///   - config: config.json.
  ///   - files: the others: tokenizer, chat template, generation_config.json.
  ///   - shardLimit: the most bytes of a safetensors file.
  ///   - progress: called with the share done, 0…1; what it throws ends the writing, and nothing is left.
  func write(
    config: JSONValue, _ files: FilesBesideWeights, _ items: [SafeTensorsWriter.Item], shardLimit: Int,
    progress: ((Double) throws -> Void)?
  ) throws {
    try AtomicFile.writeFolder(path) { folder in
      try AtomicFile.write(config, to: "\(folder)/\(ModelFiles.config)")
      try files.write(to: folder)
      try SafeTensorsWriter.writeModel(items, shardLimit: shardLimit, to: folder, progress: progress)
    }
  }
}

extension ModelSource {
  /// The 16-bit type that config.json names, bfloat16 when it names none or float32.
  var halfType: DType {
    let name = config["dtype"]?.string ?? config["torch_dtype"]?.string
    return name == "float16" ? .float16 : .bfloat16
  }

  /// config.json with some members replaced; null removes one.
  ///
  /// - Parameter isTied: whether the head is the embedding, which a folder with a head of its own may say wrongly.
  func config(replacing members: [String: JSONValue], isTied: Bool) -> JSONValue {
    var merged = (config.object ?? [:]).merging(members) { $1 }
    let key = "tie_word_embeddings"
    if !isTied && merged[key] == .bool(true) { merged[key] = .bool(false) }
    return .object(merged.filter { members[$0.key] != .null })
  }

  /// - Throws: `FireflyError` where experts lie in one tensor a layer, which bitsandbytes leaves as it is.
  func requireExpertsApart() throws {
    guard let part = weights.namesOfParts.first(where: { weights.names(holding: $0) != [$0] })
    else { return }
    throw FireflyError(
      "experts that lie in one tensor a layer cannot be written in bitsandbytes' 4 bits",
      at: "\(path): \(weights.names(holding: part)[0])",
      fix: "They are quantised in memory by \"train_mode\": \"qlora\"; `firefly export` writes GGUF files.")
  }
}
