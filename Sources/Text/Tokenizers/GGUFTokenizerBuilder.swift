import FireflyBase

/// Builds the tokenizer of a GGUF file from its `tokenizer.ggml.*` values.
struct GGUFTokenizerBuilder {
  private let vocabulary: GGUFVocabulary

  init(_ vocabulary: GGUFVocabulary) { self.vocabulary = vocabulary }

  func tokenizer() throws -> PipelineTokenizer {
    guard vocabulary.tokens.count <= TokenTable.largestID else {
      throw FireflyError("too many tokens", at: vocabulary.source, found: "\(vocabulary.tokens.count)")
    }
    var table = TokenTable(count: vocabulary.tokens.count)
    for (id, token) in vocabulary.tokens.enumerated() { table.insert(token, id: Int32(id)) }
    switch vocabulary.model {
    case "gpt2": return try byteLevel(table)
    case "llama": return try sentencePiece(table)
    default:
      throw FireflyError(
        "unsupported tokenizer model", at: "\(vocabulary.source): tokenizer.ggml.model",
        expected: "gpt2 or llama", found: vocabulary.model)
    }
  }

  /// The unknown token (type 2) and control tokens (3) are special; user-defined ones (4) are always found in the text.
  private var addedTokens: [AddedToken] {
    vocabulary.types.enumerated().compactMap { id, type in
      guard (2...4).contains(type), id < vocabulary.tokens.count else { return nil }
      return AddedToken(vocabulary.tokens[id], id: Int32(id), special: type != 4)
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
      addsBOS: vocabulary.addBOS, addsEOS: vocabulary.addEOS,
      specialIDs: Set(added.filter(\.special).map(\.id)),
      chatTemplate: vocabulary.chatTemplate, toolTemplate: vocabulary.toolTemplate, notes: vocabulary.notes)
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

  /// How a text is cut into words, by `tokenizer.ggml.pre`.
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

  private func byteLevel(_ table: TokenTable) throws -> PipelineTokenizer {
    guard let words = GGUFTokenizerBuilder.words[vocabulary.pre] else {
      throw FireflyError(
        "unsupported pre-tokenizer", at: "\(vocabulary.source): tokenizer.ggml.pre",
        expected: GGUFTokenizerBuilder.words.keys.filter { !$0.isEmpty }.sorted().joined(separator: ", "),
        found: vocabulary.pre)
    }
    var merges = MergeList(
      table: table, count: vocabulary.merges.count, place: "\(vocabulary.source): tokenizer.ggml.merges")
    for var merge in vocabulary.merges {
      try merge.withUTF8 { try merges.append(UnsafeRawBufferPointer($0)) }
    }
    let added = addedTokens
    let steps: [PreTokenizer.Step] = try words.patterns.map {
      let pattern = try RegularExpressionSyntax.translate($0, at: vocabulary.source)
      return .isolating(try RegularExpression(pattern, at: vocabulary.source))
    }
    return try PipelineTokenizer(
      PipelineTokenizer.Parts(
        table: table, addedTokens: added, normalizer: Normalizer(steps: words.normalizer),
        preTokenizer: PreTokenizer(steps: steps),
        encoder: BytePairEncoder(
          table: table, symbols: .bytes(BytePairEncoder.byteIDs(table)), merges: merges.pairs,
          ignoresMerges: words.ignoresMerges),
        decoder: .byteLevel, properties: try properties(added)))
  }

  // MARK: - SentencePiece by scores

  private func sentencePiece(_ table: TokenTable) throws -> PipelineTokenizer {
    guard vocabulary.scores.count == vocabulary.tokens.count else {
      throw FireflyError(
        "one score a token is needed", at: "\(vocabulary.source): tokenizer.ggml.scores",
        expected: "\(vocabulary.tokens.count)", found: "\(vocabulary.scores.count)")
    }
    if let id = vocabulary.scores.firstIndex(where: { !$0.isFinite }) {
      throw FireflyError(
        "a score is not a number", at: "\(vocabulary.source): tokenizer.ggml.scores[\(id)]",
        found: "\(vocabulary.scores[id])")
    }
    // The table's own bytes: as arrays of their own 262,144 tokens took 24 MiB.
    let tokens = vocabulary.tokens.indices.compactMap { id -> ScoredMerges.Token? in
      guard id >= vocabulary.types.count || [1, 4, 5].contains(vocabulary.types[id]),
        let bytes = table.token(of: Int32(id)), !bytes.isEmpty
      else { return nil }
      return (bytes, Int32(id), vocabulary.scores[id])
    }
    let scored = ScoredMerges(tokens, limit: vocabulary.tokens.count, cuts: .characters)
    let unknown = UnknownCharacters(
      byteFallback: try table.byteTokens(at: vocabulary.source), unknown: vocabulary.unk, fuses: true)
    let added = addedTokens
    return try PipelineTokenizer(
      PipelineTokenizer.Parts(
        table: table, addedTokens: added,
        normalizer: Normalizer(steps: [.pieces(PieceNormalizer(addsSpace: vocabulary.addSpacePrefix))]),
        encoder: BytePairEncoder(
          table: scored.table,
          symbols: .characters(.init(unknown: unknown, firstPartial: scored.firstPartial)),
          merges: scored.merges),
        decoder: .pieces(dropsSpace: vocabulary.addSpacePrefix ? .oneDropped : .kept),
        properties: try properties(added)))
  }
}
