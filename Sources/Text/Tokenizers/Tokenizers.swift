import FireflyBase
import Foundation

/// Finds and reads tokenizers.
package enum Tokenizers {
  /// Reads the tokenizer of a model folder (tokenizer.json before tokenizer.model before qwen.tiktoken), or one such file
  /// with what stands beside it.
  /// - Throws: `FireflyError` naming the file and the key that is missing, broken or not supported.
  package static func load(_ path: String) throws -> any Tokenizer {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw FireflyError("there is no such file or folder", at: path, expected: "a tokenizer")
    }
    guard isFolder.boolValue else { return try loadFile(path) }
    for name in ModelFiles.vocabularies {
      let file = path + "/" + name
      if FileManager.default.fileExists(atPath: file) { return try loadFile(file) }
    }
    let isOld = FileManager.default.fileExists(atPath: path + "/vocab.json")
    throw FireflyError(
      "the folder has no tokenizer", at: path, expected: ModelFiles.vocabularies.joined(separator: " or "),
      found: isOld ? "vocab.json" : nil,
      fix: isOld
        ? "transformers makes a tokenizer.json of vocab.json and merges.txt: "
          + "AutoTokenizer.from_pretrained(\"\(path)\").save_pretrained(\"\(path)\")."
        : "Copy the tokenizer files of the base model into it.")
  }

  /// Whether a folder has a tokenizer's vocabulary.
  package static func isThere(in folder: String) -> Bool {
    ModelFiles.vocabularies.contains { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
  }

  /// What the files beside a vocabulary say of chat templates and of the end of a sequence; the vocabulary need not be there.
  ///
  /// - Throws: `FireflyError` for a broken file.
  package static func chatFiles(in folder: String) throws -> ChatFiles {
    let config = try TokenizerConfig(folder: folder)
    return ChatFiles(
      template: config.chatTemplate, toolTemplate: config.toolTemplate, eosToken: config.roles["eos"])
  }

  /// What a folder says of chat.
  package struct ChatFiles: Equatable, Sendable {
    package var template: String?
    /// The template called "tool_use".
    package var toolTemplate: String?
    package var eosToken: String?
  }

  private static func loadFile(_ path: String) throws -> any Tokenizer {
    let config = try TokenizerConfig(folder: path.parentFolder)
    if path.hasSuffix(".json") { return try TokenizerFile(path).tokenizer(config) }
    if path.hasSuffix(".tiktoken") { return try TiktokenFile(path).tokenizer(config) }
    return try SentencePieceBuilder(path, config).tokenizer()
  }

  /// The tokenizer inside a GGUF file.
  /// - Throws: `FireflyError` for a model or pre-tokenizer that is not supported, by its name.
  package static func make(_ vocabulary: GGUFVocabulary) throws -> any Tokenizer {
    try GGUFTokenizerBuilder(vocabulary).tokenizer()
  }
}

extension TokenizerProperties {
  /// The properties from the files beside the vocabulary; whether texts have ends is left to the caller.
  init(_ config: TokenizerConfig, _ table: TokenTable, special: [AddedToken]) {
    func id(_ role: String) -> Int32? { config.roles[role].flatMap { table.id(of: $0) } }
    bos = id("bos")
    eos = id("eos")
    pad = id("pad")
    unk = id("unk")
    specialIDs = Set(special.filter(\.special).map(\.id))
    chatTemplate = config.chatTemplate
    toolTemplate = config.toolTemplate
    notes = config.notes + (config.note(beyond: table).map { [$0] } ?? [])
  }
}
