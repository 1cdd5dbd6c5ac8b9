/// Byte-pair encoding (Sennrich et al., 2016): the adjacent pair whose merge ranks lowest is joined
/// until no pair has a merge.
final class BytePairEncoder: WordEncoder {
  /// What a word is before any merge.
  enum Symbols: Sendable {
    /// One symbol a byte: the id of each, below 0 where the vocabulary has none (GPT-2).
    case bytes([Int32])
    case characters(Characters)
  }

  /// A vocabulary in which a word is one symbol a character before any merge.
  struct Characters: Sendable {
    var unknown: UnknownCharacters
    /// What every character of a word but the first has in front (`continuing_subword_prefix`).
    var prefix: [UInt8] = []
    /// What the last character of a word has behind (`end_of_word_suffix`).
    var suffix: [UInt8] = []
    /// Ids from here on are characters that are only parts of tokens; nil when there are none.
    var firstPartial: Int32?
  }

  /// Where merges may reach from one character to the next; elsewhere a text may be cut with no change of its ids.
  private enum Bonds: Sendable {
    /// Pairs of adjacent characters inside merged tokens.
    case characters(PairTable)
    case bytes(ByteBonds)
  }

  private let table: TokenTable
  private let symbols: Symbols
  private let merges: PairTable
  private let bonds: Bonds?
  /// Whether a word that is a token as a whole is that token, whatever the merges say.
  private let ignoresMerges: Bool
  /// Tokens that are taken wherever they stand, before any merge (SentencePiece's user-defined pieces).
  private let fixed: PieceTrie?
  /// Tokens that merge on but are cut up again when they are left (SentencePiece's unused pieces).
  private let unused: Set<Int32>

  init(
    table: TokenTable, symbols: Symbols, merges: PairTable, ignoresMerges: Bool = false,
    fixed: PieceTrie? = nil, unused: Set<Int32> = []
  ) {
    self.table = table
    self.symbols = symbols
    self.merges = merges
    self.ignoresMerges = ignoresMerges
    self.fixed = fixed
    self.unused = unused
    switch symbols {
    case .bytes(let ids):
      // Where a byte is left out its neighbours meet, whatever the tokens are.
      let isWhole = ids.allSatisfy { $0 >= 0 }
      bonds =
        !isWhole
        ? nil
        : .bytes(ByteBonds(merges.results.lazy.compactMap { table.token(of: $0).flatMap(ByteAlphabet.read) }))
    case .characters(let characters)
    where characters.prefix.isEmpty && characters.suffix.isEmpty && !ignoresMerges
      && !merges.contains(anyOf: characters.unknown.byteFallback ?? []):
      bonds = .characters(BytePairEncoder.bonds(of: merges, table))
    case .characters: bonds = nil
    }
  }

  private static func bonds(of merges: PairTable, _ table: TokenTable) -> PairTable {
    // The same neighbours stand in many tokens.
    let bonds = PairTable(count: 1 << 12)
    for id in merges.results {
      guard let token = table.token(of: id) else { continue }
      token.withUnsafeBytes { token in
        var (previous, position) = decodeScalar(token, at: 0)
        while position < token.count {
          let (scalar, length) = decodeScalar(token, at: position)
          bonds.insert(previous, scalar, rank: 0, id: 0)
          previous = scalar
          position += length
        }
      }
    }
    return bonds
  }

  func encode(_ word: UnsafeRawBufferPointer, scratch: EncodingScratch, to ids: inout [Int32]) throws {
    switch bonds {
    case .bytes(let bonds) where word.count > WordCache.longestWord:
      if ignoresMerges, let id = wholeToken(word) { return ids.append(id) }
      try forEachSegment(of: word, bonds) {
        try encodeSegment($0, isWhole: !ignoresMerges, scratch: scratch, to: &ids)
      }
    case .characters(let bonds):
      try encodeSegments(of: word, bonds, scratch: scratch, to: &ids)
    case .bytes, nil: try encodeSegment(word, isWhole: true, scratch: scratch, to: &ids)
    }
  }

  private func encodeSegments(
    of word: UnsafeRawBufferPointer, _ bonds: PairTable, scratch: EncodingScratch, to ids: inout [Int32]
  ) throws {
    let wordStart = ids.count
    try forEachSegment(of: word, bonds) { segment in
      let start = ids.count
      try encodeSegment(segment, isWhole: true, scratch: scratch, to: &ids)
      if start > wordStart, let fused, ids[start - 1] == fused, start < ids.count, ids[start] == fused {
        ids.remove(at: start)
      }
    } onFixed: {
      ids.append($0)
    }
  }

  /// The token of which two neighbours are one.
  private var fused: Int32? {
    guard case .characters(let characters) = symbols, characters.unknown.fuses else { return nil }
    return characters.unknown.unknown
  }

  /// Cuts `word` where no merge can reach across; fixed tokens go to `onFixed`.
  private func forEachSegment(
    of word: UnsafeRawBufferPointer, _ bonds: PairTable,
    _ body: (UnsafeRawBufferPointer) throws -> Void, onFixed: (Int32) -> Void
  ) rethrows {
    var start = 0
    var position = 0
    var previous: Int32 = -1
    while position < word.count {
      if let fixed, fixed.mayStart(with: word[position]), let piece = fixed.longest(in: word, at: position) {
        if start < position { try body(word.part(start..<position)) }
        onFixed(piece.id)
        position = piece.end
        start = position
        continue
      }
      let (scalar, length) = decodeScalar(word, at: position)
      if position > start, bonds.find(previous, scalar) == nil {
        try body(word.part(start..<position))
        start = position
      }
      previous = scalar
      position += length
    }
    if start < word.count { try body(word.part(start..<word.count)) }
  }

  private func forEachSegment(
    of word: UnsafeRawBufferPointer, _ bonds: ByteBonds, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) rethrows {
    var start = 0
    for position in 1..<word.count where !ByteBonds.goesOn(word[position]) && !bonds.holds(word, at: position)
    {
      try body(word.part(start..<position))
      start = position
    }
    try body(word.part(start..<word.count))
  }

  /// - Parameter isWhole: whether `word` may be one token whatever the merges say.
  private func encodeSegment(
    _ word: UnsafeRawBufferPointer, isWhole: Bool, scratch: EncodingScratch, to ids: inout [Int32]
  ) throws {
    // A part of a word and a word are not the same where whole words are looked up.
    let hash = hashBytes(word) ^ (isWhole ? 0 : 1 << 63)
    if scratch.words.append(word, hash: hash, to: &ids) { return }
    let start = ids.count
    if ignoresMerges, isWhole, let id = wholeToken(word) {
      ids.append(id)
    } else {
      try spell(word, into: &scratch.merging.symbols)
      scratch.merging.merge(by: merges, unused: unused, to: &ids)
      try finish(&ids, from: start)
    }
    scratch.words.keep(word, hash: hash, ids: ids[start...])
  }

  private func wholeToken(_ word: UnsafeRawBufferPointer) -> Int32? {
    guard case .bytes = symbols else { return table.id(of: word) }
    return table.id(of: ByteAlphabet.spell(word))
  }

  private func spell(_ word: UnsafeRawBufferPointer, into out: inout [Int32]) throws {
    out.removeAll(keepingCapacity: true)
    switch symbols {
    case .bytes(let byteIDs):
      // A byte that the vocabulary lacks is left out, as in Hugging Face's tokenizers.
      for byte in word where byteIDs[Int(byte)] >= 0 { out.append(byteIDs[Int(byte)]) }
    case .characters(let characters):
      var position = 0
      while position < word.count {
        let end = position + decodeScalar(word, at: position).length
        try append(characters, word, position..<end, to: &out)
        position = end
      }
    }
  }

  private func append(
    _ characters: Characters, _ word: UnsafeRawBufferPointer, _ range: Range<Int>, to out: inout [Int32]
  ) throws {
    let hasPrefix = range.lowerBound > 0 && !characters.prefix.isEmpty
    let hasSuffix = range.upperBound == word.count && !characters.suffix.isEmpty
    guard hasPrefix || hasSuffix else {
      if let id = table.id(of: word.part(range)) { return out.append(id) }
      return try characters.unknown.append(word.part(range), to: &out, from: 0)
    }
    let spelt = (hasPrefix ? characters.prefix : []) + word.part(range) + (hasSuffix ? characters.suffix : [])
    if let id = table.id(of: spelt) { return out.append(id) }
    try spelt.withUnsafeBytes { try characters.unknown.append($0, to: &out, from: 0) }
  }

  /// Puts what stands for unknown characters in the place of those that no merge took.
  private func finish(_ ids: inout [Int32], from start: Int) throws {
    guard case .characters(let characters) = symbols, let first = characters.firstPartial,
      ids[start...].contains(where: { $0 >= first })
    else { return }
    let merged = Array(ids[start...])
    ids.removeSubrange(start...)
    for id in merged {
      guard id >= first, let character = table.token(of: id) else {
        ids.append(id)
        continue
      }
      try character.withUnsafeBytes { try characters.unknown.append($0, to: &ids, from: start) }
    }
  }
}
