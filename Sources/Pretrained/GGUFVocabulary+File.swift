import FireflyBase
import FireflyText
import FireflyWeights

extension GGUFVocabulary {
  /// Reads `tokenizer.ggml.*` and `tokenizer.chat_template`.
  ///
  /// - Throws: `FireflyError` naming the key that is missing or of a wrong kind.
  package init(_ file: GGUFFile) throws {
    let reader = MetadataReader(file: file)
    let tokens = try reader.strings("tokenizer.ggml.tokens")
    self.init(
      model: try reader.required("tokenizer.ggml.model", "a string", reader.string),
      pre: try reader.string("tokenizer.ggml.pre") ?? "default",
      tokens: try reader.required("tokenizer.ggml.tokens", "strings") { _ in tokens },
      scores: try reader.floats("tokenizer.ggml.scores") ?? [],
      types: try reader.ids("tokenizer.ggml.token_type") ?? [],
      merges: try reader.strings("tokenizer.ggml.merges") ?? [],
      bos: try reader.id("tokenizer.ggml.bos_token_id", below: tokens?.count),
      eos: try reader.id("tokenizer.ggml.eos_token_id", below: tokens?.count),
      pad: try reader.id("tokenizer.ggml.padding_token_id", below: tokens?.count),
      unk: try reader.id("tokenizer.ggml.unknown_token_id", below: tokens?.count),
      // llama.cpp's defaults: a SentencePiece vocabulary adds both, a byte-level one neither.
      addBOS: try reader.bool("tokenizer.ggml.add_bos_token")
        ?? (try reader.string("tokenizer.ggml.model") == "llama"),
      addEOS: try reader.bool("tokenizer.ggml.add_eos_token") ?? false,
      addSpacePrefix: try reader.bool("tokenizer.ggml.add_space_prefix") ?? true,
      chatTemplate: try reader.string("tokenizer.chat_template"),
      toolTemplate: try reader.string("tokenizer.chat_template.tool_use"),
      source: file.path)
    try checkCounts()
    let unknown = file.metadata.keys.filter { key in
      key.hasPrefix(Self.prefix) && !Self.known.contains(String(key.dropFirst(Self.prefix.count)))
    }
    guard !unknown.isEmpty else { return }
    let names = unknown.sorted().joined(separator: ", ")
    notes.append("\(file.path): keys that are not known and have no effect: \(names)")
  }

  private static let prefix = "tokenizer.ggml."
  /// Keys that are read, here or for the model's own ends of answers; those of other tasks; and of kinds of tokenizers that are
  /// refused.
  private static let known: Set = [
    "model", "pre", "tokens", "scores", "token_type", "merges", "bos_token_id", "eos_token_id",
    "padding_token_id",
    "unknown_token_id", "add_bos_token", "add_eos_token", "add_space_prefix", "eot_token_id", "eom_token_id",
    "suppress_tokens",
    "token_type_count", "seperator_token_id", "cls_token_id", "mask_token_id", "add_sep_token",
    "fim_pre_token_id", "fim_suf_token_id", "fim_mid_token_id", "fim_pad_token_id", "fim_rep_token_id",
    "fim_sep_token_id", "prefix_token_id", "suffix_token_id", "middle_token_id",
    "remove_extra_whitespaces", "precompiled_charsmap",
  ]

  private func checkCounts() throws {
    for (key, count) in [("scores", scores.count), ("token_type", types.count)] {
      guard count == 0 || count == tokens.count else {
        throw FireflyError(
          "the vocabulary's lists differ in length", at: "\(source): tokenizer.ggml.\(key)",
          expected: "\(tokens.count) entries", found: "\(count)")
      }
    }
  }
}

/// Metadata by key and kind.
private struct MetadataReader {
  let file: GGUFFile

  func required<T>(_ key: String, _ expected: String, _ read: (String) throws -> T?) throws -> T {
    guard let value = try read(key) else {
      throw FireflyError(
        "the file has no tokenizer", at: "\(file.path): \(key)", expected: expected, found: "nothing",
        fix: "Take a GGUF file of the whole model.")
    }
    return value
  }

  func string(_ key: String) throws -> String? { try value(key, "a string", \.string) }
  func bool(_ key: String) throws -> Bool? { try value(key, "a boolean", \.bool) }
  func strings(_ key: String) throws -> [String]? { try value(key, "strings", \.strings) }
  func floats(_ key: String) throws -> [Float]? { try value(key, "32-bit floats", \.floats) }

  func ids(_ key: String) throws -> [Int32]? {
    try value(key, "32-bit integers") { $0.ints.map { $0.compactMap { Int32(exactly: $0) } } }
  }

  /// A token's id; llama.cpp writes those that a vocabulary lacks as the largest unsigned number.
  func id(_ key: String, below count: Int?) throws -> Int32? {
    guard let id = try value(key, "a token id", \.int), id != Int(UInt32.max) else { return nil }
    guard let count, (0..<count).contains(id) else {
      throw FireflyError(
        "the id is not in the vocabulary", at: "\(file.path): \(key)", expected: "below \(count ?? 0)",
        found: "\(id)")
    }
    return Int32(exactly: id)
  }

  private func value<T>(_ key: String, _ expected: String, _ read: (GGUFValue) -> T?) throws -> T? {
    guard let value = file.metadata[key] else { return nil }
    guard let read = read(value) else {
      throw FireflyError("wrong kind of value", at: "\(file.path): \(key)", expected: expected)
    }
    return read
  }
}
