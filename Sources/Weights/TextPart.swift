import FireflyBase

/// The language model within a model of texts and images: the object `text_config` of its config.json, and the tensors
/// below `language_model`. What reads images is left out, and what is written is a model of texts.
package struct TextPart {
  /// config.json of the text part alone.
  let config: JSONValue
  /// The text part's tensors, as its own class names them.
  let tensors: [StoredTensor]
  /// A line that says what is left out.
  let note: String

  private struct Kind {
    /// The class of the text part by its `model_type`, as config.json's `architectures` has it.
    let classes: [String: String]
    /// What transformers takes where `text_config` says nothing.
    let defaults: [String: JSONValue]
    /// Keys that count for the text part alone and not within the whole, which computes without them.
    let ignored: [String]
  }

  /// By `model_type`.
  private static let kinds: [String: Kind] = [
    "gemma3": Kind(
      classes: ["gemma3_text": "Gemma3ForCausalLM"],
      defaults: [
        "model_type": .string("gemma3_text"), "vocab_size": .int(262_208), "hidden_size": .int(2304),
        "intermediate_size": .int(9216), "num_hidden_layers": .int(26), "num_attention_heads": .int(8),
        "num_key_value_heads": .int(4), "head_dim": .int(256), "max_position_embeddings": .int(131_072),
        "sliding_window": .int(4096),
      ], ignored: ["final_logit_softcapping"]),
    "mistral3": Kind(
      classes: ["mistral": "MistralForCausalLM", "ministral3": "Ministral3ForCausalLM"], defaults: [:],
      ignored: []),
  ]

  /// The `model_type`s of models with such a part, sorted.
  static var modelTypes: [String] { kinds.keys.sorted() }

  /// What older and newer folders put before the text part's names, and what its own class has there.
  private static let prefixes = [
    ("language_model.model.", "model."), ("language_model.lm_head.", "lm_head."),
    ("model.language_model.", "model."), ("lm_head.", "lm_head."),
  ]

  /// Keys of the whole that say something of the text part too.
  private static let shared = [
    "bos_token_id", "eos_token_id", "pad_token_id", "torch_dtype", "dtype", "quantization_config",
    "transformers_version",
  ]

  /// nil where config.json is not of a model with such a part.
  ///
  /// - Throws: `FireflyError` for a text part of an unknown kind.
  init?(of config: JSONValue, _ stored: [StoredTensor], at path: String) throws {
    guard let type = config["model_type"]?.string, let kind = TextPart.kinds[type] else { return nil }
    guard let text = config["text_config"]?.object else {
      throw FireflyError(
        "the model's text part is not described", at: "\(path): text_config", expected: "an object")
    }
    var keys = kind.defaults.merging(text) { $1 }
    let textType = keys["model_type"]?.string ?? "none"
    guard let name = kind.classes[textType] else {
      throw FireflyError(
        "unsupported model family", at: "\(path): text_config.model_type",
        expected: kind.classes.keys.sorted().joined(separator: ", "), found: textType)
    }
    for key in kind.ignored {
      try KeyReader(.object(text), source: "\(path): text_config").refuse(key, unless: [])
    }
    for key in TextPart.shared where keys[key] == nil { keys[key] = config[key] }
    tensors = stored.compactMap(TextPart.renamed)
    // The head is the whole's, and tied where nothing says otherwise: neither the key nor the files.
    let hasHead = tensors.contains { $0.info.name == "lm_head.weight" }
    keys["tie_word_embeddings"] = config["tie_word_embeddings"] ?? .bool(!hasHead)
    keys["architectures"] = .array([.string(name)])
    self.config = .object(keys)
    note =
      "\(path): of this model of texts and images the text part is used; \(stored.count - tensors.count) tensors that read "
      + "images are left out, and what is written is \(name)"
  }

  private static func renamed(_ tensor: StoredTensor) -> StoredTensor? {
    ownName(of: tensor.info.name).map(tensor.named)
  }

  /// What the text part's own class calls a tensor or module of the whole; nil where it is none of the text part's.
  package static func ownName(of name: String) -> String? {
    guard let (prefix, own) = prefixes.first(where: { name.hasPrefix($0.0) }) else { return nil }
    return own + name.dropFirst(prefix.count)
  }

  /// What transformers since 4.52 calls a module of the text part within the whole.
  package static func wholeName(of own: String) -> String {
    own.hasPrefix("model.") ? "model.language_model." + own.dropFirst("model.".count) : own
  }
}
