import FireflyBase

/// One tokenizer.json of Hugging Face's `tokenizers`: normalizer → pre_tokenizer → model → decoder, with added tokens
/// cut out before all of them. What is not understood is refused by its name.
struct TokenizerFile {
  /// Everything but the vocabulary and the merges.
  let root: TokenizerJSON
  /// A reader at `model.vocab`, which is read straight into its table.
  let vocabulary: JSONReader?
  /// A reader at `model.merges`.
  let merges: JSONReader?
  let byteCount: Int
  private let file: MappedFile

  init(_ path: String) throws {
    file = try MappedFile(path)
    byteCount = file.bytes.count
    guard byteCount > 0 else { throw FireflyError("the file is empty", at: path, expected: "JSON") }
    var reader = try JSONReader(file.bytes, source: path)
    guard try reader.next() == UInt8(ascii: "{") else {
      throw TokenizerJSON(try reader.value(), at: path).mistyped("an object")
    }
    var members: [String: JSONValue] = [:]
    var parts: (vocabulary: JSONReader?, merges: JSONReader?) = (nil, nil)
    try reader.forEachMember { key, reader in
      let name = String(decoding: key, as: UTF8.self)
      let isModel = try name == "model" && reader.next() == UInt8(ascii: "{")
      members[name] = isModel ? try TokenizerFile.model(&reader, &parts) : try reader.value()
    }
    try reader.end()
    (vocabulary, merges) = parts
    root = TokenizerJSON(.object(members), at: path)
    try root.allow(
      only: "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
      "post_processor", "decoder", "model")
  }

  /// The model without its two long members, whose places are kept.
  private static func model(
    _ reader: inout JSONReader, _ parts: inout (vocabulary: JSONReader?, merges: JSONReader?)
  ) throws -> JSONValue {
    var members: [String: JSONValue] = [:]
    try reader.forEachMember { key, reader in
      let name = String(decoding: key, as: UTF8.self)
      guard try ["vocab", "merges"].contains(name) && reader.next() != UInt8(ascii: "n") else {
        members[name] = try reader.value()
        return
      }
      if name == "vocab" { parts.vocabulary = reader } else { parts.merges = reader }
      try reader.skip()
    }
    return .object(members)
  }

  func tokenizer(_ config: TokenizerConfig) throws -> PipelineTokenizer {
    try withExtendedLifetime(file) {
      var table = try tokenTable()
      var added = try root.member("added_tokens")?.list().map { try AddedToken($0) } ?? []
      for token in added { table.insert(token.content, id: token.id) }
      added += config.specialTokens(beyond: added, table)
      for index in added.indices where FamilyTokens.alwaysSpecial.contains(added[index].content) {
        added[index].special = true
      }
      let words = try wordSteps(canReadBytes: readsBytes(table))
      return try PipelineTokenizer(
        PipelineTokenizer.Parts(
          table: table, addedTokens: added,
          normalizer: Normalizer(steps: try root.member("normalizer").map(normalizer) ?? []),
          preTokenizer: PreTokenizer(steps: words.steps), encoder: try encoder(table, words.spelling),
          decoder: try root.member("decoder").map(decoder) ?? .steps([.join]),
          properties: try properties(config, table, added)))
    }
  }

  // MARK: - Ends of a text

  /// Its post-processor says whether texts have ends, whatever tokenizer_config.json says: as in transformers 5.
  private func properties(
    _ config: TokenizerConfig, _ table: TokenTable, _ added: [AddedToken]
  ) throws -> TokenizerProperties {
    let ends = try root.member("post_processor").map(ends) ?? (bos: nil, eos: nil)
    var properties = TokenizerProperties(config, table, special: added)
    properties.bos = properties.bos ?? ends.bos
    properties.eos = properties.eos ?? ends.eos
    properties.addsBOS = ends.bos != nil
    properties.addsEOS = ends.eos != nil
    for (key, said, adds) in [
      ("add_bos_token", config.addsBOS, properties.addsBOS),
      ("add_eos_token", config.addsEOS, properties.addsEOS),
    ] {
      guard let said, said != adds else { continue }
      properties.notes.append(
        "tokenizer_config.json: \(key) has no effect beside tokenizer.json, whose post-processor says "
          + "otherwise (found \(said))")
    }
    return properties
  }

  /// The tokens that a post-processor puts before and after a text.
  private func ends(_ json: TokenizerJSON) throws -> (bos: Int32?, eos: Int32?) {
    let type = try json.string("type")
    switch type {
    case "ByteLevel": return (nil, nil)
    case "Sequence":
      let all = try json.list("processors").map(ends)
      return (all.compactMap(\.bos).first, all.compactMap(\.eos).last)
    case "BertProcessing", "RobertaProcessing":
      return (try markerID(json.require("cls")), try markerID(json.require("sep")))
    case "TemplateProcessing":
      let parts = try json.list("single")
      return (
        try parts.first.flatMap { try templateID($0, in: json) },
        parts.count < 2 ? nil : try parts.last.flatMap { try templateID($0, in: json) }
      )
    default:
      throw json.unsupported(
        "post-processor", type,
        supported: "Sequence, ByteLevel, TemplateProcessing, BertProcessing or RobertaProcessing")
    }
  }

  /// The id of `["[CLS]", 101]`.
  private func markerID(_ json: TokenizerJSON) throws -> Int32 {
    guard let pair = json.value.array, pair.count == 2, let id = pair[1].int,
      (0...TokenTable.largestID).contains(id)
    else { throw json.mistyped("a token and its id") }
    return Int32(id)
  }

  /// The id of one part of a template; nil for the text itself.
  private func templateID(_ part: TokenizerJSON, in template: TokenizerJSON) throws -> Int32? {
    guard let special = part.member("SpecialToken") else { return nil }
    let name = try special.string("id")
    let ids = try template.require("special_tokens").require(name).list("ids")
    guard let id = ids.first?.value.int, (0...TokenTable.largestID).contains(id) else {
      throw FireflyError("a template's token has no id", at: template.place, found: "\"\(name)\"")
    }
    return Int32(id)
  }
}
