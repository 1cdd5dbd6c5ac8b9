/// The unigram model (Kudo, 2018): the cut of a text whose tokens have the greatest sum of scores (Viterbi).
final class UnigramEncoder: WordEncoder {
  struct Token {
    var bytes: ArraySlice<UInt8>
    var id: Int32
    var score: Double
    /// Whether it is always taken where it stands (SentencePiece's user-defined pieces).
    var isFixed = false
  }

  private static let unknownPenalty = 10.0

  private let trie: PieceTrie
  /// The scores of tokens by their ids.
  private let scores: [Double]
  private let isFixed: Set<Int32>
  private let unknownScore: Double
  private let unknown: UnknownCharacters
  private let arithmetic: Lattice.Arithmetic

  /// - Parameters:
  ///   - tokens: none of them empty; their scores are numbers.
  ///   - lowest: the least score, of the tokens that count for it.
  init(
    _ tokens: [Token], lowest: Double, unknown: UnknownCharacters, arithmetic: Lattice.Arithmetic
  ) {
    trie = PieceTrie(tokens.map { ($0.bytes, $0.id) })
    var scores = [Double](repeating: 0, count: Int(tokens.map(\.id).max() ?? -1) + 1)
    for token in tokens { scores[Int(token.id)] = token.score }
    self.scores = scores
    isFixed = Set(tokens.lazy.filter(\.isFixed).map(\.id))
    self.unknown = unknown
    self.arithmetic = arithmetic
    unknownScore = arithmetic.round(lowest - UnigramEncoder.unknownPenalty)
  }

  func encode(_ word: UnsafeRawBufferPointer, scratch: EncodingScratch, to ids: inout [Int32]) throws {
    let hash = hashBytes(word)
    if scratch.words.append(word, hash: hash, to: &ids) { return }
    let start = ids.count
    fill(&scratch.lattice, word)
    scratch.lattice.trace(from: word.count)
    try append(scratch.lattice.path, of: word, to: &ids)
    scratch.words.keep(word, hash: hash, ids: ids[start...])
  }

  /// Neighbours that are unknown are one part; the unknown token's own text, beside them, is a piece of it.
  private func append(
    _ path: [(id: Int32, range: Range<Int>)], of word: UnsafeRawBufferPointer, to ids: inout [Int32]
  ) throws {
    var parts = path.reversed()[...]
    while let (id, range) = parts.popFirst() {
      guard isUnknown(id) else {
        ids.append(id)
        continue
      }
      var (end, isAlone) = (range.upperBound, true)
      while let next = parts.first, isUnknown(next.id) {
        (end, isAlone) = (next.range.upperBound, false)
        parts.removeFirst()
      }
      if isAlone && id >= 0 {
        ids.append(id)
      } else {
        try unknown.append(word.part(range.lowerBound..<end), to: &ids, from: ids.count)
      }
    }
  }

  private func isUnknown(_ id: Int32) -> Bool { id < 0 || id == unknown.unknown }

  private func fill(_ lattice: inout Lattice, _ word: UnsafeRawBufferPointer) {
    lattice.reset(word.count)
    var position = 0
    while position < word.count {
      let before = lattice.score(at: position)
      let characterEnd = position + decodeScalar(word, at: position).length
      var hasCharacter = false
      trie.forEachPrefix(of: word, at: position) { id, end in
        lattice.offer(id, position..<end, before + score(id, length: end - position), arithmetic)
        if end == characterEnd { hasCharacter = true }
      }
      if !hasCharacter {
        lattice.offer(-1, position..<characterEnd, before + unknownScore, arithmetic)
      }
      position = characterEnd
    }
  }

  private func score(_ id: Int32, length: Int) -> Double {
    isFixed.isEmpty || !isFixed.contains(id) ? scores[Int(id)] : UnigramEncoder.fixedScore(length)
  }

  /// More than any text's own score, which is a logarithm: a fixed token wins unless the way around it is short (SentencePiece 0.2.3).
  private static func fixedScore(_ length: Int) -> Double { 0.1 * Double(length - 1) }
}
