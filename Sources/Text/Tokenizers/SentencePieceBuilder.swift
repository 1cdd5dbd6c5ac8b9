import FireflyBase

/// Builds the tokenizer of a tokenizer.model and of the files beside it.
///
/// Text between special tokens is encoded part by part, each with the model's own leading space, as the slow
/// tokenizers of transformers do; with `legacy` false in tokenizer_config.json only the start of a text gets it.
struct SentencePieceBuilder {
  private let model: SentencePieceModel
  private let config: TokenizerConfig
  private let place: String

  init(_ path: String, _ config: TokenizerConfig) throws {
    let file = try MappedFile(path)
    guard !file.bytes.isEmpty else {
      throw FireflyError("the file is empty", at: path, expected: "a SentencePiece model")
    }
    model = try withExtendedLifetime(file) { try SentencePieceModel(file.bytes, at: path) }
    self.config = config
    place = path
  }

  func tokenizer() throws -> PipelineTokenizer {
    var table = try pieceTable()
    let family = FamilyTokens(config, pieces: table)
    var added = addedTokens(family)
    added += config.specialTokens(beyond: added, table)
    for token in added { table.insert(token.content, id: token.id) }
    let fixed = fixedPieces
    let normalizer = PieceNormalizer(
      map: model.map, fixed: fixed, addsSpace: model.addsSpace, addsSpaceOnlyAtStart: !config.legacy,
      addsSpaceBehind: model.spaceIsSuffix, removesExtraSpaces: model.removesExtraSpaces,
      marksSpaces: model.marksSpaces)
    return try PipelineTokenizer(
      PipelineTokenizer.Parts(
        table: table, addedTokens: added, addedTokenRule: family.wordRule,
        normalizer: Normalizer(steps: [.pieces(normalizer)]),
        encoder: model.kind == .bpe ? try bytePairs(fixed) : try unigram(),
        decoder: .pieces(dropsSpace: dropsSpace), properties: properties(table, added, family)))
  }

  private func pieceTable() throws -> TokenTable {
    var table = TokenTable(count: model.pieces.count)
    for (id, piece) in model.pieces.enumerated() {
      try piece.bytes.withUnsafeBytes { bytes in
        guard table.id(of: bytes) == nil else {
          throw FireflyError(
            "two pieces are equal", at: place, found: "\"\(String(decoding: piece.bytes, as: UTF8.self))\"")
        }
        table.insert(bytes, id: Int32(id))
      }
    }
    return table
  }

  /// The tokens of the folder's files, then the model's control pieces and its unknown piece.
  private func addedTokens(_ family: FamilyTokens) -> [AddedToken] {
    var tokens =
      family.tokens
      + config.addedTokens.filter { token in
        !family.tokens.contains { $0.id == token.id }
      }
    for index in tokens.indices { tokens[index].normalized = false }
    let known = Set(tokens.map(\.id))
    for (id, piece) in model.pieces.enumerated() where !known.contains(Int32(id)) {
      guard piece.type == .control || piece.type == .unknown else { continue }
      tokens.append(AddedToken(String(decoding: piece.bytes, as: UTF8.self), id: Int32(id), special: true))
    }
    return tokens
  }

  private func properties(
    _ table: TokenTable, _ added: [AddedToken], _ family: FamilyTokens
  ) -> TokenizerProperties {
    func id(_ name: String, _ type: SentencePieceModel.PieceType) -> Int32? {
      model.pieces.firstIndex { $0.type == type && $0.bytes.elementsEqual(name.utf8) }.map(Int32.init)
    }
    var properties = TokenizerProperties(config, table, special: added)
    properties.addsBOS = config.addsBOS ?? family.addsBOS
    properties.addsEOS = config.addsEOS ?? false
    properties.bos = properties.bos ?? id(model.bosPiece, .control)
    properties.eos = properties.eos ?? id(model.eosPiece, .control)
    properties.unk = properties.unk ?? model.pieces.firstIndex { $0.type == .unknown }.map(Int32.init)
    properties.pad =
      properties.pad ?? id(model.padPiece, .control) ?? (family.padsWithUnknown ? properties.unk : nil)
    return properties
  }

  private var dropsSpace: PieceDecoding.LeadingSpace {
    if model.removesExtraSpaces { return .allDropped }
    return model.addsSpace ? .oneDropped : .kept
  }

  // MARK: - The model

  private var fixedPieces: PieceTrie? {
    let pieces = model.pieces.enumerated().filter { $0.element.type == .userDefined }
    return pieces.isEmpty ? nil : PieceTrie(pieces.map { ($0.element.bytes, Int32($0.offset)) })
  }

  /// The pieces that text can become: all but controls, bytes and the unknown piece.
  private var textPieces: [(offset: Int, element: SentencePieceModel.Piece)] {
    model.pieces.enumerated().filter { [.normal, .userDefined, .unused].contains($0.element.type) }
  }

  private func unknownCharacters() throws -> UnknownCharacters {
    var bytes: [Int32]?
    if model.hasByteFallback {
      var table = TokenTable(count: 256)
      for (id, piece) in model.pieces.enumerated() where piece.type == .byte {
        piece.bytes.withUnsafeBytes { table.insert($0, id: Int32(id)) }
      }
      bytes = try table.byteTokens(at: place)
    }
    return UnknownCharacters(
      byteFallback: bytes, unknown: model.pieces.firstIndex { $0.type == .unknown }.map(Int32.init),
      fuses: true)
  }

  private func bytePairs(_ fixed: PieceTrie?) throws -> BytePairEncoder {
    let scored = ScoredMerges(
      textPieces.map { ($0.element.bytes, Int32($0.offset), $0.element.score) }, limit: model.pieces.count,
      cuts: .characters)
    let unused = textPieces.filter { $0.element.type == .unused }.map { Int32($0.offset) }
    let characters = BytePairEncoder.Characters(
      unknown: try unknownCharacters(), firstPartial: scored.firstPartial)
    return BytePairEncoder(
      table: scored.table, symbols: .characters(characters), merges: scored.merges, fixed: fixed,
      unused: Set(unused))
  }

  private func unigram() throws -> UnigramEncoder {
    let scores = model.pieces.lazy.filter { $0.type == .normal }.map { Double($0.score) }
    let tokens = textPieces.filter { $0.element.type != .unused }.map { id, piece in
      UnigramEncoder.Token(
        bytes: piece.bytes, id: Int32(id), score: Double(piece.score), isFixed: piece.type == .userDefined)
    }
    return UnigramEncoder(
      tokens, lowest: scores.min() ?? 0, unknown: try unknownCharacters(), arithmetic: .single)
  }
}
