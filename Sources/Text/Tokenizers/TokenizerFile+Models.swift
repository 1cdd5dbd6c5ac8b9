import FireflyBase

extension TokenizerFile {
  /// How the words that reach the model are spelt.
  enum Spelling {
    case characters
    /// Words come as they are; the vocabulary spells their bytes in GPT-2's alphabet.
    case bytes
    /// Words come in GPT-2's alphabet, as the vocabulary has them.
    case byteAlphabet
  }

  private var model: TokenizerJSON {
    get throws { try root.require("model") }
  }

  private var modelType: String {
    get throws { try model.member("type")?.string() ?? "BPE" }
  }

  /// The vocabulary by id.
  func tokenTable() throws -> TokenTable {
    guard var reader = vocabulary else {
      throw FireflyError("a key is missing", at: try model.place, expected: "\"vocab\"")
    }
    var table = TokenTable(count: byteCount / 64)
    let place = "\(try model.place).vocab"
    if try modelType == "Unigram" {
      for (id, piece) in try scoredPieces().enumerated() {
        piece.bytes.withUnsafeBytes { table.insert($0, id: Int32(id)) }
      }
      return table
    }
    guard try reader.next() == UInt8(ascii: "{") else {
      throw TokenizerJSON(try reader.value(), at: place).mistyped("an object")
    }
    try reader.forEachMember { token, reader in
      let value = try reader.value()
      guard let id = value.int else {
        throw TokenizerJSON(value, at: place).mistyped("a whole number")
      }
      guard (0...TokenTable.largestID).contains(id) else {
        throw FireflyError(
          "token id out of range", at: place, expected: "0…\(TokenTable.largestID)", found: "\(id)")
      }
      table.insert(token, id: Int32(id))
    }
    return table
  }

  func encoder(_ table: TokenTable, _ spelling: Spelling) throws -> any WordEncoder {
    let model = try model
    switch try modelType {
    case "BPE": return try bytePairs(model, table, spelling)
    case "Unigram": return try unigram(model)
    case "WordPiece":
      try model.allow(
        only: "type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab")
      let unknown = try model.member("unk_token")?.string() ?? "[UNK]"
      let prefix = try model.member("continuing_subword_prefix")?.string() ?? "##"
      return WordPieceEncoder(
        table: table, unknown: table.id(of: unknown), prefix: Array(prefix.utf8),
        longest: try model.int("max_input_chars_per_word", default: 100))
    case "WordLevel":
      try model.allow(only: "type", "unk_token", "vocab")
      let unknown = try model.member("unk_token")?.string()
      return WordPieceEncoder(
        table: table, unknown: unknown.flatMap { table.id(of: $0) }, prefix: nil, longest: .max)
    case let type:
      throw model.unsupported("tokenizer model", type, supported: "BPE, Unigram, WordPiece or WordLevel")
    }
  }

  // MARK: - Byte-pair encoding

  /// Whether the model can take words as bytes, with no look at their spelling in GPT-2's alphabet.
  func readsBytes(_ table: TokenTable) throws -> Bool {
    let model = try model
    guard try modelType == "BPE" else { return false }
    let affixes = try ["continuing_subword_prefix", "end_of_word_suffix"].compactMap {
      try model.member($0)?.string()
    }
    guard affixes.allSatisfy(\.isEmpty) else { return false }
    let leavesOut = try model.member("unk_token") == nil && !model.bool("byte_fallback", default: false)
    return leavesOut || BytePairEncoder.byteIDs(table).allSatisfy { $0 >= 0 }
  }

  private func bytePairs(
    _ model: TokenizerJSON, _ table: TokenTable, _ spelling: Spelling
  ) throws -> BytePairEncoder {
    try model.allow(
      only: "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
      "byte_fallback", "ignore_merges", "vocab", "merges")
    if let dropout = model.member("dropout"), dropout.value.double != 0 {
      throw FireflyError(
        "unsupported: merges left out at random", at: dropout.place, expected: "null or 0",
        found: dropout.value.text())
    }
    let prefix = Array(try model.member("continuing_subword_prefix")?.string().utf8 ?? "".utf8)
    let suffix = Array(try model.member("end_of_word_suffix")?.string().utf8 ?? "".utf8)
    let unknown = (try model.member("unk_token")?.string()).flatMap { table.id(of: $0) }
    let symbols: BytePairEncoder.Symbols
    if spelling == .bytes {
      symbols = .bytes(BytePairEncoder.byteIDs(table))
    } else {
      let fallsBack = try model.bool("byte_fallback", default: false)
      symbols = .characters(
        BytePairEncoder.Characters(
          unknown: UnknownCharacters(
            byteFallback: fallsBack ? try table.byteTokens(at: root.place) : nil, unknown: unknown,
            fuses: try model.bool("fuse_unk", default: false), omits: spelling != .characters),
          prefix: prefix, suffix: suffix))
    }
    return BytePairEncoder(
      table: table, symbols: symbols, merges: try mergeTable(model, table, prefix: prefix),
      ignoresMerges: try model.bool("ignore_merges", default: false))
  }

  private func mergeTable(_ model: TokenizerJSON, _ table: TokenTable, prefix: [UInt8]) throws -> PairTable {
    let place = "\(model.place).merges"
    guard var reader = merges else {
      throw FireflyError("a key is missing", at: model.place, expected: "\"merges\"")
    }
    guard try reader.next() == UInt8(ascii: "[") else {
      throw TokenizerJSON(try reader.value(), at: place).mistyped("a list")
    }
    var list = MergeList(table: table, count: table.limit, prefix: prefix, place: place)
    try reader.forEachElement { reader in
      switch try reader.next() {
      case UInt8(ascii: "\""): try reader.withString { try list.append($0) }
      case UInt8(ascii: "["):
        var parts: [[UInt8]] = []
        try reader.forEachElement { reader in
          guard try reader.next() == UInt8(ascii: "\"") else { throw list.mistyped(try reader.value().kind) }
          parts.append(try reader.withString { Array($0) })
        }
        guard parts.count == 2 else { throw list.mistyped("\(parts.count) elements") }
        try list.append(parts[0], parts[1])
      default: throw list.mistyped(try reader.value().kind)
      }
    }
    return list.pairs
  }

  // MARK: - Unigram

  private func unigram(_ model: TokenizerJSON) throws -> UnigramEncoder {
    try model.allow(only: "type", "unk_id", "vocab", "byte_fallback")
    let pieces = try scoredPieces()
    let unknown = model.member("unk_id") == nil ? nil : try model.tokenID("unk_id")
    var bytes: [Int32]?
    if try model.bool("byte_fallback", default: false) {
      bytes = try tokenTable().byteTokens(at: root.place)
    }
    let tokens = pieces.enumerated().filter { !$0.element.bytes.isEmpty }.map { id, piece in
      UnigramEncoder.Token(bytes: piece.bytes[...], id: Int32(id), score: piece.score)
    }
    return UnigramEncoder(
      tokens, lowest: pieces.map(\.score).min() ?? 0,
      unknown: UnknownCharacters(byteFallback: bytes, unknown: unknown, fuses: true), arithmetic: .double)
  }

  /// The vocabulary of a unigram model: `[["token", score], …]`.
  private func scoredPieces() throws -> [(bytes: [UInt8], score: Double)] {
    let place = "\(try model.place).vocab"
    guard var reader = vocabulary, try reader.next() == UInt8(ascii: "[") else {
      throw FireflyError("wrong type", at: place, expected: "a list of tokens with scores")
    }
    var pieces: [(bytes: [UInt8], score: Double)] = []
    try reader.forEachElement { reader in
      var piece: (bytes: [UInt8]?, score: Double?) = (nil, nil)
      var count = 0
      guard try reader.next() == UInt8(ascii: "[") else {
        throw TokenizerJSON(try reader.value(), at: "\(place)[\(pieces.count)]").mistyped(
          "a token and its score")
      }
      try reader.forEachElement { reader in
        count += 1
        if try reader.next() == UInt8(ascii: "\"") {
          piece.bytes = try reader.withString { Array($0) }
        } else {
          piece.score = try reader.value().double
        }
      }
      guard count == 2, let bytes = piece.bytes, let score = piece.score else {
        throw FireflyError("wrong type", at: "\(place)[\(pieces.count)]", expected: "a token and its score")
      }
      pieces.append((bytes, score))
    }
    guard pieces.count <= TokenTable.largestID else {
      throw FireflyError("too many tokens", at: place, found: "\(pieces.count)")
    }
    return pieces
  }
}
