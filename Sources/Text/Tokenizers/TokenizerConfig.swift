import FireflyBase
import Foundation

/// What the files beside a vocabulary say: tokenizer_config.json, special_tokens_map.json,
/// added_tokens.json, chat_template.jinja and additional_chat_templates.
struct TokenizerConfig {
  /// The tokens by their roles: "bos", "eos", "pad", "unk".
  var roles: [String: String] = [:]
  var additionalSpecialTokens: [String] = []
  /// The tokens of `added_tokens_decoder` and added_tokens.json, by ascending id.
  var addedTokens: [AddedToken] = []
  var addsBOS: Bool?
  var addsEOS: Bool?
  var chatTemplate: String?
  /// The template called "tool_use".
  var toolTemplate: String?
  var tokenizerClass: String?
  /// A line for each key that has no effect here.
  private(set) var notes: [String] = []
  /// Whether text after a special token gets a space in front, as text at the start does (transformers' `legacy`).
  var legacy = true

  /// Reads what there is in `folder`; absent files are no error.
  init(folder: String) throws {
    let config = try TokenizerConfig.read(folder, "tokenizer_config.json")
    try config.map { try take(config: $0) }
    // transformers reads the map only for folders that have no added_tokens_decoder.
    if config?.member("added_tokens_decoder") == nil {
      try TokenizerConfig.read(folder, "special_tokens_map.json").map { try take(map: $0) }
      try TokenizerConfig.read(folder, "added_tokens.json").map { try takeAddedTokens($0) }
    }
    if let template = try TokenizerConfig.text(folder, ModelFiles.chatTemplate) {
      // As transformers: templates in files leave none of tokenizer_config.json.
      chatTemplate = template
      toolTemplate = try TokenizerConfig.text(folder, "\(ModelFiles.furtherTemplates)/tool_use.jinja")
    }
  }

  /// tokenizer_config.json's other keys.
  static let keys = KeyTable(
    harmless: [
      // What it is, and where it came from.
      "auto_map", "backend", "is_local", "local_files_only", "name_or_path", "processor_class",
      "special_tokens_map_file", "tokenizer_file", "transformers_version", "use_fast", "verbose",
      // Batches with padding, and lengths, which a run and a model have.
      "max_len", "model_input_names", "model_max_length", "pad_to_multiple_of", "padding_side", "stride",
      "truncation_side", "truncation_strategy", "max_length", "padding", "truncation",
      "return_token_type_ids",
      "pad_token_type_id",
      // Tokens of other tasks.
      "cls_token", "mask_token", "sep_token",
      // What tokenizer.json or tokenizer.model says itself; transformers 5 leaves it to them.
      "add_prefix_space", "clean_up_tokenization_spaces", "do_lower_case", "errors",
      "keep_accents", "remove_space", "spaces_between_special_tokens", "trim_offsets", "vocab_type",
      "vocab_size",
      "from_slow",
      // How an answer is taken apart.
      "response_schema", "response_template", "use_default_system_prompt",
    ],
    told: [
      // Another expression of words for Mistral's tokenizers of before transformers 5.
      "fix_mistral_regex": [.bool(false)],
      "split_special_tokens": [.bool(false)], "sp_model_kwargs": [.object([:])],
      "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output": [.bool(false)],
    ])

  /// special_tokens_map.json's other keys: tokens of other tasks.
  static let mapKeys = KeyTable(harmless: ["cls_token", "mask_token", "sep_token"])

  private static func text(_ folder: String, _ name: String) throws -> String? {
    let path = folder + "/" + name
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return String(decoding: try MappedFile(path).data, as: UTF8.self)
  }

  private static func read(_ folder: String, _ name: String) throws -> TokenizerJSON? {
    let path = folder + "/" + name
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let json = TokenizerJSON(try JSONValue.read(path), at: path)
    guard json.value.object != nil else { throw json.mistyped("an object") }
    return json
  }

  private mutating func take(config: TokenizerJSON) throws {
    let keys = KeyReader(config.value, source: config.place)
    keys.pass(
      "add_bos_token", "add_eos_token", "added_tokens_decoder", "additional_special_tokens", "bos_token",
      "chat_template", "eos_token", "extra_special_tokens", "legacy", "pad_token", "tokenizer_class",
      "unk_token")
    notes = try keys.finish(TokenizerConfig.keys)
    try takeRoles(config)
    if config.member("add_bos_token") != nil { addsBOS = try config.bool("add_bos_token", default: false) }
    if config.member("add_eos_token") != nil { addsEOS = try config.bool("add_eos_token", default: false) }
    legacy = try config.bool("legacy", default: true)
    tokenizerClass = try config.member("tokenizer_class")?.string()
    if let templates = config.member("chat_template") { try take(templates: templates) }
    for (key, value) in config.member("added_tokens_decoder")?.value.object ?? [:] {
      let json = TokenizerJSON(value, at: "\(config.place): added_tokens_decoder.\(key)")
      guard let id = Int32(key), (0...TokenTable.largestID).contains(Int(id)) else {
        throw FireflyError("not a token id", at: json.place, found: key)
      }
      addedTokens.append(try AddedToken(json, id: id))
    }
    addedTokens.sort { $0.id < $1.id }
  }

  /// A template is a string, or a list of named ones: "default" is the chat's, "tool_use" for conversations with tools.
  private mutating func take(templates json: TokenizerJSON) throws {
    guard json.value.array != nil else {
      chatTemplate = try json.string()
      return
    }
    let named = try json.list().map { (name: try $0.string("name"), text: try $0.string("template")) }
    guard let standard = named.first(where: { $0.name == "default" }) else {
      throw FireflyError("no chat template is named \"default\"", at: json.place)
    }
    chatTemplate = standard.text
    toolTemplate = named.first { $0.name == "tool_use" }?.text
  }

  private mutating func take(map: TokenizerJSON) throws {
    let keys = KeyReader(map.value, source: map.place)
    let roles = TokenizerConfig.roleNames.map { "\($0)_token" }
    for key in roles + ["additional_special_tokens", "extra_special_tokens"] { keys.pass(key) }
    notes += try keys.finish(TokenizerConfig.mapKeys)
    try takeRoles(map)
    for key in roles {
      guard let token = map.value[key], token.object != nil else { continue }
      notes += try KeyReader(token, source: "\(map.place): \(key)").finish(TokenizerConfig.tokenKeys)
    }
  }

  /// What a token with a role is called; how it is looked for in a text, the vocabulary's own file says.
  private static let tokenKeys = KeyTable(
    harmless: ["__type", "content", "id", "normalized", "special"],
    told: ["lstrip": [.bool(false)], "rstrip": [.bool(false)], "single_word": [.bool(false)]])

  private static let roleNames = ["bos", "eos", "pad", "unk"]

  private mutating func takeRoles(_ json: TokenizerJSON) throws {
    for role in TokenizerConfig.roleNames {
      guard let member = json.member("\(role)_token") else { continue }
      roles[role] = try member.value.string ?? member.string("content")
    }
    if let additional = json.member("additional_special_tokens") {
      additionalSpecialTokens = try additional.list().map { try $0.value.string ?? $0.string("content") }
    }
    // transformers 5's name for the same; with names of their own in multimodal models.
    if let extra = json.member("extra_special_tokens") {
      let named = (extra.value.object ?? [:]).keys.sorted().compactMap { extra.member($0) }
      additionalSpecialTokens += try (named.isEmpty ? extra.list() : named).map {
        try $0.value.string ?? $0.string("content")
      }
    }
  }

  private mutating func takeAddedTokens(_ json: TokenizerJSON) throws {
    for key in (json.value.object ?? [:]).keys {
      addedTokens.append(AddedToken(key, id: try json.tokenID(key), special: false))
    }
    addedTokens.sort { $0.id < $1.id }
  }

  /// The tokens with a role, and those on the list of special ones.
  private var specialNames: [String] {
    ["bos", "eos", "unk", "pad"].compactMap { roles[$0] } + additionalSpecialTokens
  }

  /// A line about the special tokens that the vocabulary lacks, to which transformers adds them; nil: it has them all.
  func note(beyond table: TokenTable) -> String? {
    var lacking: [String] = []
    for name in specialNames where table.id(of: name) == nil && !lacking.contains(name) {
      lacking.append(name)
    }
    guard !lacking.isEmpty else { return nil }
    let names = lacking.prefix(5).joined(separator: ", ") + (lacking.count > 5 ? ", …" : "")
    return
      "special tokens that the vocabulary does not have are left out, where transformers adds them: \(names)"
  }

  /// The tokens with a role or on the list of special ones that `known` lacks and the vocabulary has.
  func specialTokens(beyond known: [AddedToken], _ table: TokenTable) -> [AddedToken] {
    var taken = Set(known.map(\.id))
    return specialNames.compactMap { name in
      guard let id = table.id(of: name), taken.insert(id).inserted else { return nil }
      return AddedToken(name, id: id, special: true)
    }
  }
}

extension AddedToken {
  /// An entry of `added_tokens` or `added_tokens_decoder`; the id is in the entry or beside it.
  init(_ json: TokenizerJSON, id: Int32? = nil) throws {
    try json.allow(
      only: "id", "content", "special", "lstrip", "rstrip", "normalized", "single_word", "__type")
    let special = try json.bool("special", default: false)
    self.init(
      try json.string("content"), id: try id ?? json.tokenID("id"), special: special,
      lstrip: try json.bool("lstrip", default: false), rstrip: try json.bool("rstrip", default: false),
      normalized: try json.bool("normalized", default: !special),
      singleWord: try json.bool("single_word", default: false))
  }
}
