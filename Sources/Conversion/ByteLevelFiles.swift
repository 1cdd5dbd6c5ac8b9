import FireflyBase
import FireflyText
import Foundation

/// tokenizer.json and tokenizer_config.json of a GGUF file's byte-level vocabulary, as Hugging Face's tokenizers reads
/// them.
struct ByteLevelFiles {
  private let vocabulary: GGUFVocabulary
  private let words: Words

  /// How a text is cut into words, by `tokenizer.ggml.pre`.
  private struct Words {
    var normalizer = JSONValue.null
    var preTokenizer: JSONValue
    var ignoresMerges = false
  }

  /// - Throws: `FireflyError` for a vocabulary that is not byte-level, and an unknown pre-tokenizer, by its name.
  init(_ vocabulary: GGUFVocabulary) throws {
    guard vocabulary.model == "gpt2" else {
      throw FireflyError(
        "no tokenizer.json can be made of this vocabulary", at: "\(vocabulary.source): tokenizer.ggml.model",
        expected: "gpt2, a byte-level vocabulary", found: vocabulary.model,
        fix: "Start from the model's Hugging Face folder.")
    }
    guard let words = ByteLevelFiles.words[vocabulary.pre] else {
      throw FireflyError(
        "no tokenizer.json can be made for this pre-tokenizer",
        at: "\(vocabulary.source): tokenizer.ggml.pre",
        expected: ByteLevelFiles.words.keys.sorted().joined(separator: ", "), found: vocabulary.pre,
        fix: "Start from the model's Hugging Face folder.")
    }
    self.vocabulary = vocabulary
    self.words = words
  }

  /// Writes the files, and checks that they encode as the GGUF file's vocabulary does.
  func write(to folder: String) throws {
    try AtomicFile.write(Data(tokenizer.utf8), to: "\(folder)/tokenizer.json")
    try AtomicFile.write(config, to: "\(folder)/tokenizer_config.json")
    let difference = try TokenizerProbe.difference(
      Tokenizers.load(folder), Tokenizers.make(vocabulary), added: addedTokens.map(\.token))
    guard difference == .nowhere else {
      throw FireflyError(
        "the tokenizer.json made of this vocabulary would encode other ids", at: vocabulary.source,
        fix: "Start from the model's Hugging Face folder.")
    }
  }

  // MARK: - tokenizer.json

  private static let byteLevel = JSONValue.object([
    "type": .string("ByteLevel"), "add_prefix_space": .bool(false), "trim_offsets": .bool(true),
    "use_regex": .bool(true),
  ])

  /// Cuts by a regular expression, then spells bytes.
  private static func split(digits: String) -> JSONValue {
    let pattern =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\(digits)| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
      + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
    return .object([
      "type": .string("Sequence"),
      "pretokenizers": .array([
        .object([
          "type": .string("Split"), "pattern": .object(["Regex": .string(pattern)]),
          "behavior": .string("Isolated"),
          "invert": .bool(false),
        ]),
        .object([
          "type": .string("ByteLevel"), "add_prefix_space": .bool(false), "trim_offsets": .bool(false),
          "use_regex": .bool(false),
        ]),
      ]),
    ])
  }

  private static let words: [String: Words] = {
    let gpt2 = Words(preTokenizer: byteLevel)
    let digits = JSONValue.object(["type": .string("Digits"), "individual_digits": .bool(true)])
    let smolLM = Words(
      preTokenizer: .object(["type": .string("Sequence"), "pretokenizers": .array([digits, byteLevel])]))
    let qwen2 = Words(normalizer: .object(["type": .string("NFC")]), preTokenizer: split(digits: "\\p{N}"))
    let llama3 = Words(preTokenizer: split(digits: "\\p{N}{1,3}"), ignoresMerges: true)
    return [
      "default": gpt2, "gpt-2": gpt2, "smollm": smolLM, "starcoder": smolLM, "refact": smolLM, "qwen2": qwen2,
      "llama-bpe": llama3,
    ]
  }()

  private var addedTokens: [(id: Int, token: String, special: Bool)] {
    vocabulary.types.indices.compactMap { id in
      let type = vocabulary.types[id]
      return (2...4).contains(type) ? (id, vocabulary.tokens[id], type != 4) : nil
    }
  }

  /// The document. The vocabulary is written by hand: a dictionary of Swift strings would make one of two tokens that
  /// differ only in Unicode normalisation.
  private var tokenizer: String {
    let added = addedTokens.map { id, token, special in
      JSONValue.object([
        "id": .int(id), "content": .string(token), "single_word": .bool(false), "lstrip": .bool(false),
        "rstrip": .bool(false),
        "normalized": .bool(false), "special": .bool(special),
      ])
    }
    let unused: Int32 = 5
    let tokens = vocabulary.tokens.enumerated().filter { id, _ in
      !vocabulary.types.indices.contains(id) || vocabulary.types[id] != unused
    }
    let table = tokens.map { id, token in "\(JSONValue.string(token).text()): \(id)" }
    let merges = vocabulary.merges.map { JSONValue.string($0).text() }
    return """
      {"version": "1.0", "truncation": null, "padding": null,
      "added_tokens": \(JSONValue.array(added).text()),
      "normalizer": \(words.normalizer.text()), "pre_tokenizer": \(words.preTokenizer.text()),
      "post_processor": \(postProcessor.text()),
      "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
      "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
      "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
      "ignore_merges": \(words.ignoresMerges),
      "vocab": {\(table.joined(separator: ", "))},
      "merges": [\(merges.joined(separator: ", "))]}}

      """
  }

  /// Puts BOS before a text where the model expects it.
  private var postProcessor: JSONValue {
    guard vocabulary.addBOS, let bos = vocabulary.bos, vocabulary.tokens.indices.contains(Int(bos)) else {
      return .null
    }
    let name = JSONValue.string(vocabulary.tokens[Int(bos)])
    let special = JSONValue.object(["SpecialToken": .object(["id": name, "type_id": .int(0)])])
    let first = JSONValue.object(["Sequence": .object(["id": .string("A"), "type_id": .int(0)])])
    let second = JSONValue.object(["Sequence": .object(["id": .string("B"), "type_id": .int(1)])])
    return .object([
      "type": .string("TemplateProcessing"), "single": .array([special, first]),
      "pair": .array([special, first, special, second]),
      "special_tokens": .object([
        vocabulary.tokens[Int(bos)]: .object([
          "id": name, "ids": .array([.int(Int(bos))]), "tokens": .array([name]),
        ])
      ]),
    ])
  }

  // MARK: - tokenizer_config.json

  private var config: JSONValue {
    var members: [String: JSONValue] = [
      "tokenizer_class": .string("PreTrainedTokenizerFast"), "clean_up_tokenization_spaces": .bool(false),
      "add_bos_token": .bool(vocabulary.addBOS), "add_eos_token": .bool(vocabulary.addEOS),
      "add_prefix_space": .bool(false),
    ]
    let roles = [
      "bos": vocabulary.bos, "eos": vocabulary.eos, "pad": vocabulary.pad, "unk": vocabulary.unk,
    ]
    for case (let role, let id?) in roles where vocabulary.tokens.indices.contains(Int(id)) {
      members["\(role)_token"] = .string(vocabulary.tokens[Int(id)])
    }
    if let template = vocabulary.chatTemplate { members["chat_template"] = chatTemplates(template) }
    return .object(members)
  }

  /// The one template, or both by their names.
  private func chatTemplates(_ chat: String) -> JSONValue {
    guard let tools = vocabulary.toolTemplate else { return .string(chat) }
    return .array(
      [("default", chat), ("tool_use", tools)].map { name, text in
        .object(["name": .string(name), "template": .string(text)])
      })
  }
}
