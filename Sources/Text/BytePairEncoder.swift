import FireflyBase

/// Byte-pair encoding (Sennrich et al., 2016): the adjacent pair whose merge ranks lowest is joined
/// until no pair has a merge.
final class BytePairEncoder: Sendable {
  /// What a word is before any merge.
  enum Symbols: Sendable {
    /// One symbol a byte: the id of each (GPT-2).
    case bytes([Int32])
    /// One symbol a character; characters without a token become their bytes' ids, or `unknown`.
    case characters(byteFallback: [Int32]?, unknown: Int32?, fusesUnknown: Bool)
  }

  private let table: TokenTable
  private let symbols: Symbols
  private let merges: PairTable
  /// Pairs of adjacent characters inside merged tokens; elsewhere a text may be cut with no change of its ids.
  private let bonds: PairTable?
  /// Whether a word that is a token as a whole is that token, whatever the merges say.
  private let ignoresMerges: Bool

  init(table: TokenTable, symbols: Symbols, merges: PairTable, ignoresMerges: Bool) {
    self.table = table
    self.symbols = symbols
    self.merges = merges
    self.ignoresMerges = ignoresMerges
    if case .characters(let fallback?, _, _) = symbols, !merges.contains(anyOf: fallback) {
      bonds = BytePairEncoder.bonds(of: merges, table)
    } else {
      bonds = nil
    }
  }

  private static func bonds(of merges: PairTable, _ table: TokenTable) -> PairTable {
    var pairs: [(Int32, Int32)] = []
    for id in merges.results {
      guard let token = table.token(of: id) else { continue }
      let scalars = String(decoding: token, as: UTF8.self).unicodeScalars
      for (left, right) in zip(scalars, scalars.dropFirst()) {
        pairs.append((Int32(left.value), Int32(right.value)))
      }
    }
    let bonds = PairTable(count: pairs.count)
    for (left, right) in pairs { bonds.insert(left, right, rank: 0, id: 0) }
    return bonds
  }

  /// Appends the ids of `word`, which is valid UTF-8 and not empty.
  func encode(_ word: UnsafeRawBufferPointer, scratch: EncodingScratch, to ids: inout [Int32]) throws {
    if ignoresMerges, let id = wholeToken(word) {
      ids.append(id)
    } else if let bonds {
      try forEachSegment(of: word, bonds) { try encodeSegment($0, scratch: scratch, to: &ids) }
    } else {
      try encodeSegment(word, scratch: scratch, to: &ids)
    }
  }

  private func wholeToken(_ word: UnsafeRawBufferPointer) -> Int32? {
    guard case .bytes = symbols else { return table.id(of: word) }
    return table.id(of: ByteAlphabet.spell(word))
  }

  private func forEachSegment(
    of word: UnsafeRawBufferPointer, _ bonds: PairTable, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) rethrows {
    var start = 0
    var position = 0
    var previous: Int32 = -1
    while position < word.count {
      let (scalar, length) = decodeScalar(word, at: position)
      if position > 0, bonds.find(previous, scalar) == nil {
        try body(UnsafeRawBufferPointer(rebasing: word[start..<position]))
        start = position
      }
      previous = scalar
      position += length
    }
    try body(UnsafeRawBufferPointer(rebasing: word[start...]))
  }

  private func encodeSegment(
    _ word: UnsafeRawBufferPointer, scratch: EncodingScratch, to ids: inout [Int32]
  ) throws {
    let hash = hashBytes(word)
    if scratch.words.append(word, hash: hash, to: &ids) { return }
    let start = ids.count
    try spell(word, into: &scratch.merging.symbols)
    scratch.merging.merge(by: merges, to: &ids)
    scratch.words.keep(word, hash: hash, ids: ids[start...])
  }

  private func spell(_ word: UnsafeRawBufferPointer, into out: inout [Int32]) throws {
    out.removeAll(keepingCapacity: true)
    switch symbols {
    case .bytes(let byteIDs):
      // A byte that the vocabulary lacks (id below 0) is left out, as in Hugging Face's tokenizers.
      for byte in word where byteIDs[Int(byte)] >= 0 { out.append(byteIDs[Int(byte)]) }
    case .characters(let byteFallback, let unknown, let fusesUnknown):
      var position = 0
      var afterUnknown = false
      while position < word.count {
        let length = decodeScalar(word, at: position).length
        let character = UnsafeRawBufferPointer(rebasing: word[position..<(position + length)])
        position += length
        if let id = table.id(of: character) {
          out.append(id)
          afterUnknown = false
        } else if let byteFallback {
          for byte in character { out.append(byteFallback[Int(byte)]) }
        } else if let unknown {
          if !(fusesUnknown && afterUnknown) { out.append(unknown) }
          afterUnknown = true
        } else {
          throw FireflyError(
            "the vocabulary has no token for a character and none for unknown text",
            found: String(decoding: character, as: UTF8.self))
        }
      }
    }
  }
}

/// The scalar at `position` of valid UTF-8, and how many bytes it takes.
@inline(__always)
func decodeScalar(_ text: UnsafeRawBufferPointer, at position: Int) -> (scalar: Int32, length: Int) {
  let first = Int32(text[position])
  if first < 0x80 { return (first, 1) }
  let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
  var scalar = first & (0x7F >> Int32(length))
  for offset in 1..<length { scalar = scalar << 6 | Int32(text[position + offset]) & 0x3F }
  return (scalar, length)
}
