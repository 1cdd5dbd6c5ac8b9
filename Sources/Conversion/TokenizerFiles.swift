import FireflyBase
import FireflyPretrained
import FireflyText
import FireflyWeights
import Foundation

/// A tokenizer's files in a model's or an adapter's folder.
package enum TokenizerFiles {
  /// Copies those that there are, with the further templates.
  package static func copy(from source: String, to folder: String) throws {
    try copy(ModelFiles.tokenizer, from: source, to: folder)
    let further = "\(source)/\(ModelFiles.furtherTemplates)"
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: further), !names.isEmpty else {
      return
    }
    try AtomicFile.makeFolder("\(folder)/\(ModelFiles.furtherTemplates)")
    try copy(names.sorted(), from: further, to: "\(folder)/\(ModelFiles.furtherTemplates)")
  }

  private static func copy(_ names: [String], from source: String, to folder: String) throws {
    for name in names {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: "\(source)/\(name)", isDirectory: &isFolder),
        !isFolder.boolValue
      else { continue }
      let file = try MappedFile("\(source)/\(name)")
      try AtomicFile.write(to: "\(folder)/\(name)") { try $0.write(file.bytes) }
    }
  }

  /// Those of a model that is a GGUF file, as far as they can be made of it: a SentencePiece vocabulary gives none.
  static func write(of vocabulary: GGUFVocabulary, to folder: String) throws {
    guard vocabulary.model == "gpt2" else { return }
    try ByteLevelFiles(vocabulary).write(to: folder)
  }

  /// Writes the files of a model for an adapter's folder, with what training used.
  package static func write(of source: ModelSource, trained: TrainedText?, to folder: String) throws {
    if let own = trained?.tokenizerFolder {
      try copy(from: own, to: folder)
    } else if let gguf = source.gguf {
      try write(of: GGUFVocabulary(gguf), to: folder)
    } else {
      try copy(from: source.path, to: folder)
    }
    if let trained { try put(trained, into: folder) }
  }

  /// Makes the template and the end token of training those of the folder: chat_template.jinja, and `eos_token` in the files
  /// that have a vocabulary's roles.
  static func put(_ trained: TrainedText, into folder: String) throws {
    if let template = trained.template, try Tokenizers.chatFiles(in: folder).own != template {
      try putTemplate(template, folder)
    }
    guard let end = trained.endToken else { return }
    for name in [ModelFiles.tokenizerConfig, "special_tokens_map.json"] {
      let path = "\(folder)/\(name)"
      guard FileManager.default.fileExists(atPath: path), var members = try JSONValue.read(path).object else {
        continue
      }
      let stored = members["eos_token"]
      guard let old = stored?.string ?? stored?["content"]?.string, old != end else { continue }
      members["eos_token"] = .string(end)
      try AtomicFile.write(JSONValue.object(members), to: path)
    }
  }

  private static func putTemplate(_ template: OwnTemplate, _ folder: String) throws {
    let further = "\(folder)/\(ModelFiles.furtherTemplates)"
    if FileManager.default.fileExists(atPath: further) { try FileManager.default.removeItem(atPath: further) }
    try AtomicFile.write(Data(template.chat.utf8), to: "\(folder)/\(ModelFiles.chatTemplate)")
    if let tools = template.tools {
      try AtomicFile.makeFolder(further)
      try AtomicFile.write(Data(tools.utf8), to: "\(further)/tool_use.jinja")
    }
    // Older readers take this one.
    let path = "\(folder)/\(ModelFiles.tokenizerConfig)"
    guard FileManager.default.fileExists(atPath: path), var members = try JSONValue.read(path).object,
      members.removeValue(forKey: "chat_template") != nil
    else { return }
    try AtomicFile.write(JSONValue.object(members), to: path)
  }
}
