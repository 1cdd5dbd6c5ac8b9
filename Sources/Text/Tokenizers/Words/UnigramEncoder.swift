/// The unigram model (Kudo, 2018): the cut of a text whose tokens have the greatest sum of scores (Viterbi).
final class UnigramEncoder: WordEncoder {
  /// The numbers that decide between cuts, so that ties fall as in the reference.
  enum Arithmetic: Sendable {
    /// Sums in single precision (SentencePiece; before 0.2.2 it compared them in double precision, so that some ties fell otherwise).
    case single
    /// Sums in double precision (Hugging Face's tokenizers).
    case double
  }

  struct Token {
    var bytes: ArraySlice<UInt8>
    var id: Int32
    var score: Double
    /// Always taken where it stands (SentencePiece's user-defined pieces).
    var isFixed = false
  }

  private static let unknownPenalty = 10.0

  private let trie: PieceTrie
  /// By id.
  private let scores: [Double]
  private let isFixed: Set<Int32>
  private let best: Double
  private let unknownScore: Double
  private let unknown: UnknownCharacters
  private let arithmetic: Arithmetic

  /// - Parameters:
  ///   - tokens: none of them empty; their scores are numbers.
  ///   - range: the least and the greatest score, of the tokens that count for it.
  init(
    _ tokens: [Token], range: ClosedRange<Double>, unknown: UnknownCharacters, arithmetic: Arithmetic
  ) {
    trie = PieceTrie(tokens.map { ($0.bytes, $0.id) })
    var scores = [Double](repeating: 0, count: Int(tokens.map(\.id).max() ?? -1) + 1)
    for token in tokens { scores[Int(token.id)] = token.score }
    self.scores = scores
    isFixed = Set(tokens.lazy.filter(\.isFixed).map(\.id))
    best = range.upperBound
    self.unknown = unknown
    self.arithmetic = arithmetic
    unknownScore = UnigramEncoder.round(range.lowerBound - UnigramEncoder.unknownPenalty, arithmetic)
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

  fileprivate static func round(_ value: Double, _ arithmetic: Arithmetic) -> Double {
    arithmetic == .single ? Double(Float(value)) : value
  }
}

/// The best way to every place of a word.
struct Lattice {
  private struct Node {
    var score = 0.0
    /// The last token of the way; −1 for an unknown character.
    var id: Int32 = -1
    /// Where that token starts; −1 while no way is known.
    var start: Int32 = -1
  }

  private var nodes: [Node] = []
  /// The tokens of the best way, the last one first.
  private(set) var path: [(id: Int32, range: Range<Int>)] = []

  mutating func reset(_ count: Int) {
    nodes.removeAll(keepingCapacity: true)
    nodes.append(contentsOf: repeatElement(Node(), count: count + 1))
  }

  func score(at position: Int) -> Double { nodes[position].score }

  /// Takes a token as the last one of the way to its end when that is better than what is known.
  @inline(__always)
  mutating func offer(
    _ id: Int32, _ range: Range<Int>, _ score: Double, _ arithmetic: UnigramEncoder.Arithmetic
  ) {
    let score = UnigramEncoder.round(score, arithmetic)
    guard nodes[range.upperBound].start < 0 || score > nodes[range.upperBound].score else { return }
    nodes[range.upperBound] = Node(score: score, id: id, start: Int32(range.lowerBound))
  }

  /// Fills `path` with the best way to `end`.
  mutating func trace(from end: Int) {
    path.removeAll(keepingCapacity: true)
    var end = end
    while end > 0 {
      let node = nodes[end]
      path.append((node.id, Int(node.start)..<end))
      end = Int(node.start)
    }
  }
}
