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
  private let best: Double
  private let unknownScore: Double
  private let unknown: UnknownCharacters
  private let arithmetic: Lattice.Arithmetic

  /// - Parameters:
  ///   - tokens: none of them empty; their scores are numbers.
  ///   - range: the least and the greatest score, of the tokens that count for it.
  init(
    _ tokens: [Token], range: ClosedRange<Double>, unknown: UnknownCharacters, arithmetic: Lattice.Arithmetic
  ) {
    trie = PieceTrie(tokens.map { ($0.bytes, $0.id) })
    var scores = [Double](repeating: 0, count: Int(tokens.map(\.id).max() ?? -1) + 1)
    for token in tokens { scores[Int(token.id)] = token.score }
    self.scores = scores
    isFixed = Set(tokens.lazy.filter(\.isFixed).map(\.id))
    best = range.upperBound
    self.unknown = unknown
    self.arithmetic = arithmetic
    unknownScore = arithmetic.round(range.lowerBound - UnigramEncoder.unknownPenalty)
  }

  func encode(_ word: UnsafeRawBufferPointer, scratch: EncodingScratch, to ids: inout [Int32]) throws {
    let hash = hashBytes(word)
    if scratch.words.append(word, hash: hash, to: &ids) { return }
    let start = ids.count
    fill(&scratch.lattice, word)
    scratch.lattice.trace(from: word.count)
    for (id, range) in scratch.lattice.path.reversed() {
      if id >= 0 {
        ids.append(id)
      } else {
        try unknown.append(word.part(range), to: &ids, from: start)
      }
    }
    scratch.words.keep(word, hash: hash, ids: ids[start...])
  }

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
    isFixed.isEmpty || !isFixed.contains(id) ? scores[Int(id)] : fixedScore(length)
  }

  /// A bonus that makes a fixed token win.
  private func fixedScore(_ length: Int) -> Double { Double(Float(length) * Float(best)) - 0.1 }
}
