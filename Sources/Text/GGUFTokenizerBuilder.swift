import FireflyBase

/// Builds the tokenizer of a GGUF file from its `tokenizer.ggml.*` values.
struct GGUFTokenizerBuilder {
  private let vocabulary: GGUFVocabulary

  init(_ vocabulary: GGUFVocabulary) { self.vocabulary = vocabulary }

  func tokenizer() throws -> BPETokenizer {
    guard vocabulary.tokens.count <= TokenTable.largestID else {
      throw FireflyError("too many tokens", at: vocabulary.source, found: "\(vocabulary.tokens.count)")
    }
    var table = TokenTable(count: vocabulary.tokens.count)
    for (id, token) in vocabulary.tokens.enumerated() { table.insert(token.utf8, id: Int32(id)) }
    switch vocabulary.model {
    case "gpt2": return try byteLevel(table)
    case "llama": return try sentencePiece(table)
    default:
      throw FireflyError(
        "unsupported tokenizer model", at: "\(vocabulary.source): tokenizer.ggml.model",
        expected: "gpt2 or llama", found: vocabulary.model)
    }
  }

  /// Control tokens (type 3) are special; user-defined ones (type 4) are always found in the text.
  private var addedTokens: [AddedToken] {
    vocabulary.types.enumerated().compactMap { id, type in
      guard type == 3 || type == 4, id < vocabulary.tokens.count else { return nil }
      return AddedToken(vocabulary.tokens[id], id: Int32(id), special: type == 3)
    }
  }

  private func properties(_ added: [AddedToken]) throws -> TokenizerProperties {
    let roles = [vocabulary.bos, vocabulary.eos, vocabulary.pad, vocabulary.unk].compactMap { $0 }
    for id in roles where id < 0 || Int(id) >= vocabulary.tokens.count {
      throw FireflyError(
        "a special token's id is out of range", at: vocabulary.source,
        expected: "0..<\(vocabulary.tokens.count)", found: "\(id)")
    }
    return TokenizerProperties(
      bos: vocabulary.bos, eos: vocabulary.eos, pad: vocabulary.pad, unk: vocabulary.unk,
      addsBOS: vocabulary.addBOS, specialIDs: Set(added.filter(\.special).map(\.id)),
      chatTemplate: vocabulary.chatTemplate)
  }

  // MARK: - Byte-level

  private struct Words {
    var patterns: [String]
    var normalizer: [Normalizer.Step] = []
    var ignoresMerges = false
  }

  private static let modern =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|DIGITS| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
    + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

  /// By `tokenizer.ggml.pre`: how a text is cut into words.
  private static let words: [String: Words] = {
    let gpt2 = Words(patterns: [PreTokenizer.gpt2Pattern])
    let digits = Words(patterns: ["\\p{N}", PreTokenizer.gpt2Pattern])
    let qwen2 = Words(
      patterns: [modern.replacing("DIGITS", with: "\\p{N}")], normalizer: [.nfc])
    let llama3 = Words(patterns: [modern.replacing("DIGITS", with: "\\p{N}{1,3}")], ignoresMerges: true)
    return [
      "gpt-2": gpt2, "default": gpt2, "": gpt2, "smollm": digits, "starcoder": digits, "refact": digits,
      "qwen2": qwen2, "llama-bpe": llama3, "llama3": llama3,
    ]
  }()

  private func byteLevel(_ table: TokenTable) throws -> BPETokenizer {
    guard let words = GGUFTokenizerBuilder.words[vocabulary.pre] else {
      throw FireflyError(
        "unsupported pre-tokenizer", at: "\(vocabulary.source): tokenizer.ggml.pre",
        expected: GGUFTokenizerBuilder.words.keys.filter { !$0.isEmpty }.sorted().joined(separator: ", "),
        found: vocabulary.pre)
    }
    let merges = PairTable(count: vocabulary.merges.count)
    for (rank, merge) in vocabulary.merges.enumerated() {
      let place = "\(vocabulary.source): tokenizer.ggml.merges[\(rank)]"
      try merges.insert(try MergePair(merge, at: place), rank: rank, table, at: place)
    }
    let added = addedTokens
    let steps: [PreTokenizer.Step] = try words.patterns.map {
      let pattern = try RegularExpressionSyntax.translate($0, at: vocabulary.source)
      return .isolating(try RegularExpression(pattern, at: vocabulary.source))
    }
    return try BPETokenizer(
      BPETokenizer.Parts(
        table: table, addedTokens: added, normalizer: Normalizer(steps: words.normalizer),
        preTokenizer: PreTokenizer(steps: steps),
        encoder: BytePairEncoder(
          table: table, symbols: .bytes(BytePairEncoder.byteIDs(table)), merges: merges,
          ignoresMerges: words.ignoresMerges),
        decoder: .byteLevel, properties: try properties(added)))
  }

  // MARK: - SentencePiece by scores

  private func sentencePiece(_ table: TokenTable) throws -> BPETokenizer {
    guard vocabulary.scores.count == vocabulary.tokens.count else {
      throw FireflyError(
        "one score a token is needed", at: "\(vocabulary.source): tokenizer.ggml.scores",
        expected: "\(vocabulary.tokens.count)", found: "\(vocabulary.scores.count)")
    }
    let added = addedTokens
    let spaces = try RegularExpression(" ", literal: true, at: vocabulary.source)
    var normalizer: [Normalizer.Step] = [.replace(spaces, with: Array("▁".utf8))]
    if vocabulary.addSpacePrefix { normalizer.insert(.prepend(Array("▁".utf8)), at: 0) }
    let symbols = BytePairEncoder.Symbols.characters(
      byteFallback: try table.byteTokens(at: vocabulary.source), unknown: vocabulary.unk, fusesUnknown: true)
    return try BPETokenizer(
      BPETokenizer.Parts(
        table: table, addedTokens: added, normalizer: Normalizer(steps: normalizer),
        encoder: BytePairEncoder(
          table: table, symbols: symbols, merges: mergesByScore(table), ignoresMerges: false),
        decoder: .sentencePiece(dropsLeadingSpace: vocabulary.addSpacePrefix),
        properties: try properties(added)))
  }

  /// Every split of a piece into two pieces is a merge; the better the piece's score, the earlier.
  private func mergesByScore(_ table: TokenTable) -> PairTable {
    var merges: [(left: Int32, right: Int32, id: Int32)] = []
    for (id, token) in vocabulary.tokens.enumerated() {
      let bytes = Array(token.utf8)
      for cut in bytes.indices.dropFirst() where bytes[cut] & 0xC0 != 0x80 {
        if let left = table.id(of: Array(bytes[..<cut])), let right = table.id(of: Array(bytes[cut...])) {
          merges.append((left, right, Int32(id)))
        }
      }
    }
    let scores = vocabulary.scores
    merges.sort { a, b in
      let (x, y) = (scores[Int(a.id)], scores[Int(b.id)])
      return x != y ? x > y : (a.left, a.right) < (b.left, b.right)
    }
    let pairs = PairTable(count: merges.count)
    for (rank, merge) in merges.enumerated() {
      pairs.insert(merge.left, merge.right, rank: Int32(rank), id: merge.id)
    }
    return pairs
  }
}
