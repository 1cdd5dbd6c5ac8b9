import FireflyBase
import FireflyPretrained
import FireflyText
import FireflyWeights
import Foundation

/// The files beside a model's weights and config.json: tokenizer, chat template, generation settings, licence.
struct FilesBesideWeights {
  let source: ModelSource
  /// What the weights were trained with, where that is known.
  let trained: TrainedText?

  init(_ source: ModelSource, trained: TrainedText? = nil) {
    self.source = source
    self.trained = trained
  }

  /// Copies them from the model's folder; makes them of a GGUF file's metadata. Template and end token are those of training.
  func write(to folder: String) throws {
    if let gguf = source.gguf {
      if let generation = source.generationConfig {
        try AtomicFile.write(generation, to: "\(folder)/\(ModelFiles.generationConfig)")
      }
      if trained?.tokenizerFolder == nil { try ByteLevelFiles(GGUFVocabulary(gguf)).write(to: folder) }
    } else {
      try copy(from: source.path, to: folder)
    }
    if let trained {
      try trained.tokenizerFolder.map { try TokenizerFiles.copy(from: $0, to: folder) }
      try TokenizerFiles.put(trained, into: folder)
      try writeEnd(trained, to: "\(folder)/\(ModelFiles.generationConfig)")
    }
  }

  /// The end of an answer goes before the tokens that generation ended with so far.
  private func writeEnd(_ trained: TrainedText, to path: String) throws {
    guard let end = trained.endID.map(Int.init) else { return }
    let stored = source.generationConfig?["eos_token_id"] ?? source.config["eos_token_id"]
    let ends = stored?.array?.compactMap(\.int) ?? stored?.int.map { [$0] } ?? []
    guard ends.first != end else { return }
    var members = source.generationConfig?.object ?? [:]
    let all = [end] + ends.filter { $0 != end }
    members["eos_token_id"] = all.count == 1 ? .int(end) : .array(all.map(JSONValue.int))
    try AtomicFile.write(JSONValue.object(members), to: path)
  }

  /// Those of tokenizers' files, and of code and vocabularies that some families bring.
  private static let endings = Set(
    ModelFiles.tokenizer.map { ($0 as NSString).pathExtension } + ["py", "vocab"])
  /// What a training run leaves beside the model that it trained: it is not of the model that comes of it.
  private static let records: Set = [
    "all_results.json", "resume_state.json", "train_args.json", "train_results.json", "trainer_state.json",
  ]

  private func copy(from model: String, to folder: String) throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: model).sorted()
    for name in files where isBesideWeights(name) {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: "\(model)/\(name)", isDirectory: &isFolder) else {
        continue
      }
      if !isFolder.boolValue {
        try AtomicFile.write(MappedFile("\(model)/\(name)").data, to: "\(folder)/\(name)")
      } else if name == ModelFiles.furtherTemplates {
        try AtomicFile.makeFolder("\(folder)/\(name)")
        try copy(from: "\(model)/\(name)", to: "\(folder)/\(name)")
      }
    }
  }

  /// What describes the text side of the model, not its weights; config.json is written anew.
  private func isBesideWeights(_ name: String) -> Bool {
    guard !name.hasPrefix("."), name != ModelFiles.config, !name.hasSuffix(".index.json"),
      !FilesBesideWeights.records.contains(name)
    else { return false }
    let ending = (name as NSString).pathExtension
    return FilesBesideWeights.endings.contains(ending) || name == ModelFiles.furtherTemplates
      || ModelFiles.isLicence(name)
  }
}
