import FireflyBase

// tokenizer.json of Hugging Face's `tokenizers`: normalizer → pre_tokenizer → model (BPE) → decoder, with
// added tokens cut out before all of them. What is not understood is refused by its name.

/// One tokenizer.json, read.
struct TokenizerFile {
  private let file: MappedFile
  private let root: TokenizerJSON

  init(_ path: String) throws {
    file = try MappedFile(path)
    guard !file.bytes.isEmpty else { throw FireflyError("the file is empty", at: path, expected: "JSON") }
    root = TokenizerJSON(try JSONValue.parse(file.data, source: path), at: path)
    try root.allow(
      only: "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
      "post_processor",
      "decoder", "model")
  }

  func tokenizer(_ config: TokenizerConfig) throws -> BPETokenizer {
    let model = try root.require("model")
    try checkModel(model)
    let added = try root.member("added_tokens")?.list().map { try AddedToken($0) } ?? []
    var table = try vocabulary(model)
    for token in added { table.insert(token.content.utf8, id: token.id) }
    let steps = try root.member("pre_tokenizer").map(preTokenizer) ?? []
    let decoder = try root.member("decoder").map(decoder) ?? .steps([.fuse])
    let encoder = BytePairEncoder(
      table: table, symbols: try symbols(model, table), merges: try merges(model, table),
      ignoresMerges: try model.bool("ignore_merges", default: false))
    return try BPETokenizer(
      BPETokenizer.Parts(
        table: table, addedTokens: added,
        normalizer: Normalizer(steps: try root.member("normalizer").map(normalizer) ?? []),
        preTokenizer: PreTokenizer(steps: steps), encoder: encoder, decoder: decoder,
        properties: TokenizerProperties(config, table, addsBOS: addsBOS, special: added)))
  }

  // MARK: - Model

  private func checkModel(_ model: TokenizerJSON) throws {
    try model.allow(
      only: "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
      "byte_fallback", "ignore_merges", "vocab", "merges")
    if let type = try model.member("type")?.string(), type != "BPE" {
      throw model.unsupported("tokenizer model", type, supported: "BPE")
    }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
      if let text = try model.member(key)?.string(), !text.isEmpty {
        throw FireflyError(
          "unsupported value", at: "\(model.place).\(key)", expected: "none", found: "\"\(text)\"")
      }
    }
  }

  private func vocabulary(_ model: TokenizerJSON) throws -> TokenTable {
    guard let count = try model.require("vocab").value.object?.count else {
      throw try model.require("vocab").mistyped("an object")
    }
    var table = TokenTable(count: count)
    let place = "\(root.place): model.vocab"
    try withExtendedLifetime(file) {
      try VocabularyReader.forEachToken(in: file.bytes, at: place) { token, id in
        guard (0...TokenTable.largestID).contains(id) else {
          throw FireflyError(
            "token id out of range", at: place, expected: "0…\(TokenTable.largestID)", found: "\(id)")
        }
        table.insert(token, id: Int32(id))
      }
    }
    return table
  }

  /// GPT-2's byte alphabet where the pre-tokenizer or the decoder is byte-level, characters elsewhere.
  private func symbols(_ model: TokenizerJSON, _ table: TokenTable) throws -> BytePairEncoder.Symbols {
    if isByteLevel(root.member("pre_tokenizer")) || isByteLevel(root.member("decoder")) {
      return .bytes(BytePairEncoder.byteIDs(table))
    }
    let unknown = try model.member("unk_token")?.string()
    return .characters(
      byteFallback: try model.bool("byte_fallback", default: false) ? byteTokens(table) : nil,
      unknown: unknown.flatMap { table.id(of: $0) }, fusesUnknown: try model.bool("fuse_unk", default: false))
  }

  private func isByteLevel(_ json: TokenizerJSON?) -> Bool {
    guard let json else { return false }
    if json.value["type"]?.string == "ByteLevel" { return true }
    let inner = json.value["pretokenizers"]?.array ?? json.value["decoders"]?.array ?? []
    return inner.contains { $0["type"]?.string == "ByteLevel" }
  }

  private func byteTokens(_ table: TokenTable) throws -> [Int32]? { try table.byteTokens(at: root.place) }

  private func merges(_ model: TokenizerJSON, _ table: TokenTable) throws -> PairTable {
    guard let list = try model.require("merges").value.array else {
      throw try model.require("merges").mistyped("a list")
    }
    let pairs = PairTable(count: list.count)
    for (rank, merge) in list.enumerated() {
      let place = "\(root.place): model.merges[\(rank)]"
      try pairs.insert(try MergePair(merge, at: place), rank: rank, table, at: place)
    }
    return pairs
  }

  /// The post-processor matters only for whether a text begins with BOS.
  private var addsBOS: Bool {
    let single = root.value["post_processor"]?["single"]?.array
    return single?.first?["SpecialToken"] != nil
  }
}

/// A merge as its two tokens' bytes: `"a b"` or `["a", "b"]`.
struct MergePair {
  let left: [UInt8]
  let right: [UInt8]

  private init(left: [UInt8], right: [UInt8]) {
    self.left = left
    self.right = right
  }

  init(_ json: JSONValue, at place: String) throws {
    if let pair = json.array, pair.count == 2, let left = pair[0].string, let right = pair[1].string {
      self.init(left: Array(left.utf8), right: Array(right.utf8))
    } else if let text = json.string {
      try self.init(text, at: place)
    } else {
      throw FireflyError("wrong type", at: place, expected: "\"left right\" or two strings", found: json.kind)
    }
  }

  init(_ text: String, at place: String) throws {
    let bytes = Array(text.utf8)
    guard let space = bytes.firstIndex(of: UInt8(ascii: " ")), space > 0, space + 1 < bytes.count else {
      throw FireflyError("not a merge", at: place, expected: "\"left right\"", found: "\"\(text)\"")
    }
    self.init(left: Array(bytes[..<space]), right: Array(bytes[(space + 1)...]))
  }
}

extension PairTable {
  /// - Throws: when one of the three tokens is not in the vocabulary.
  func insert(_ merge: MergePair, rank: Int, _ table: TokenTable, at place: String) throws {
    func id(_ token: [UInt8]) throws -> Int32 {
      guard let id = table.id(of: token) else {
        throw FireflyError(
          "a merge names a token that is not in the vocabulary", at: place,
          found: "\"\(String(decoding: token, as: UTF8.self))\"")
      }
      return id
    }
    insert(try id(merge.left), try id(merge.right), rank: Int32(rank), id: try id(merge.left + merge.right))
  }
}

extension BytePairEncoder {
  /// By byte: the id of its character in GPT-2's alphabet, −1 where the vocabulary has none.
  static func byteIDs(_ table: TokenTable) -> [Int32] {
    (UInt8.min...UInt8.max).map { table.id(of: ByteAlphabet.spell([$0])) ?? -1 }
  }
}

extension TokenTable {
  /// By byte: the id of `<0x00>` … `<0xFF>`.
  /// - Throws: when some but not all are there; returns nil when none is.
  func byteTokens(at place: String) throws -> [Int32]? {
    let ids = (UInt8.min...UInt8.max).map { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return id(of: "<0x" + (digits.count < 2 ? "0" : "") + digits + ">")
    }
    let found = ids.compactMap { $0 }
    guard !found.isEmpty else { return nil }
    guard found.count == 256 else {
      throw FireflyError("byte tokens are missing", at: place, expected: "256", found: "\(found.count)")
    }
    return found
  }
}
