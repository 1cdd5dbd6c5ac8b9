import FireflyBase
import FireflyPretrained
import FireflyText
import FireflyWeights
import Foundation

/// The files beside a model's weights and config.json: tokenizer, chat template, generation settings, licence.
struct FilesBesideWeights {
  let source: ModelSource

  init(_ source: ModelSource) { self.source = source }

  /// Copies them from the model's folder; makes them of a GGUF file's metadata.
  func write(to folder: String) throws {
    guard let gguf = source.gguf else { return try copy(from: source.path, to: folder) }
    if let generation = source.generationConfig {
      try AtomicFile.write(generation, to: "\(folder)/\(ModelFiles.generationConfig)")
    }
    try ByteLevelFiles(GGUFVocabulary(gguf)).write(to: folder)
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
