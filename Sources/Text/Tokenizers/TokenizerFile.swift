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
      // The model knows its own tokens alone: a text that spells an added one is not that token to it.
      let vocabulary = try tokenTable()
      var table = vocabulary
      let listed = try root.member("added_tokens")?.list().map { try AddedToken($0) } ?? []
      var added = TokenizerFile.numbered(listed, vocabulary)
      for token in added { table.insert(token.content, id: token.id) }
      added += config.specialTokens(beyond: added, table)
      for index in added.indices where FamilyTokens.alwaysSpecial.contains(added[index].content) {
        added[index].special = true
      }
      let words = try wordSteps(canReadBytes: readsBytes(vocabulary))
      return try PipelineTokenizer(
        PipelineTokenizer.Parts(
          table: table, addedTokens: added,
          normalizer: Normalizer(steps: try root.member("normalizer").map(normalizer) ?? []),
          preTokenizer: PreTokenizer(steps: words.steps), encoder: try encoder(vocabulary, words.spelling),
          decoder: try root.member("decoder").map(decoder) ?? .steps([.join]),
          properties: try properties(config, table, added, notes: TokenizerFile.renumbered(listed, added))))
    }
  }

  // MARK: - Added tokens

  /// The tokens with the ids that tokenizers gives them, whatever the file says: the model's own where it has the token,
  /// otherwise those that follow the model's and the added ones before.
  private static func numbered(_ listed: [AddedToken], _ vocabulary: TokenTable) -> [AddedToken] {
    let size = Int32(vocabulary.count)
    var last: Int32 = -1
    return listed.map { token in
      var token = token
      token.id = vocabulary.id(of: token.content) ?? (last >= size ? last + 1 : size)
      last = max(last, token.id)
      return token
    }
  }

  private static func renumbered(_ listed: [AddedToken], _ added: [AddedToken]) -> [String] {
    guard let (said, token) = zip(listed, added).first(where: { $0.id != $1.id }) else { return [] }
    return [
      "tokenizer.json: ids of added tokens are not those that follow the vocabulary; they are counted as tokenizers does, from "
        + "\"\(token.content)\" on (\(token.id), found \(said.id))"
    ]
  }

  // MARK: - Ends of a text

  /// Its post-processor says whether texts have ends, whatever tokenizer_config.json says: as in transformers 5.
  private func properties(
    _ config: TokenizerConfig, _ table: TokenTable, _ added: [AddedToken], notes: [String]
  ) throws -> TokenizerProperties {
    let ends = try root.member("post_processor").map(ends) ?? (start: [], end: [])
    var properties = TokenizerProperties(config, table, special: added)
    properties.notes += notes
    properties.bos = properties.bos ?? ends.start.first
    properties.eos = properties.eos ?? ends.end.last
    properties.addsBOS = !ends.start.isEmpty
    properties.addsEOS = !ends.end.isEmpty
    properties.ends = ends
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
  private func ends(_ json: TokenizerJSON) throws -> TokenizerProperties.Ends {
    let type = try json.string("type")
    switch type {
    case "ByteLevel": return ([], [])
    case "Sequence":
      let all = try json.list("processors").map(ends)
      let adding = all.filter { !$0.start.isEmpty || !$0.end.isEmpty }
      guard adding.count < 2 else {
        throw FireflyError("unsupported: two post-processors that add tokens", at: json.place)
      }
      return adding.first ?? ([], [])
    case "BertProcessing", "RobertaProcessing":
      return ([try markerID(json.require("cls"))], [try markerID(json.require("sep"))])
    case "TemplateProcessing":
      let parts = try json.list("single")
      guard let text = parts.firstIndex(where: { $0.member("Sequence") != nil }),
        parts[(text + 1)...].allSatisfy({ $0.member("Sequence") == nil })
      else { throw FireflyError("a template must have the text once", at: "\(json.place).single") }
      return (
        try parts[..<text].flatMap { try templateIDs($0, in: json) },
        try parts[(text + 1)...].flatMap { try templateIDs($0, in: json) }
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

  /// The ids of one part of a template.
  private func templateIDs(_ part: TokenizerJSON, in template: TokenizerJSON) throws -> [Int32] {
    let name = try part.require("SpecialToken").string("id")
    let ids = try template.require("special_tokens").require(name).list("ids").map(\.value.int)
    return try ids.map { id in
      guard let id, (0...TokenTable.largestID).contains(id) else {
        throw FireflyError("a template's token has no id", at: template.place, found: "\"\(name)\"")
      }
      return Int32(id)
    }
  }
}
