/// The merges of a vocabulary that has a score for each token instead: two tokens that make a third one merge, the
/// better the score the earlier, and of equal scores the leftmost first (SentencePiece's BPE; tiktoken's, where the
/// score is the rank).
struct ScoredMerges {
  typealias Token = (bytes: ArraySlice<UInt8>, id: Int32, score: Float)

  /// Where a token may be cut into two.
  enum Cuts { case bytes, characters }

  /// The tokens that merging can give; ids from `firstPartial` on are characters that are only parts of tokens.
  private(set) var table: TokenTable
  private(set) var firstPartial: Int32?
  let merges: PairTable

  /// - Parameters:
  ///   - tokens: none of them empty; scores are numbers.
  ///   - limit: above all ids of the vocabulary.
  init(_ tokens: [Token], limit: Int, cuts: Cuts) {
    table = TokenTable(count: tokens.count)
    merges = PairTable(count: tokens.count * 2)
    for token in tokens { token.bytes.withUnsafeBytes { table.insert($0, id: token.id) } }
    if cuts == .characters { insertPartials(of: tokens, from: Int32(limit)) }
    let ranks = ScoredMerges.ranks(tokens.map(\.score))
    for (token, rank) in zip(tokens, ranks) {
      token.bytes.withUnsafeBytes { bytes in
        for cut in 1..<max(1, bytes.count) where cuts == .bytes || bytes[cut] & 0xC0 != 0x80 {
          if let left = table.id(of: bytes.part(0..<cut)),
            let right = table.id(of: bytes.part(cut..<bytes.count))
          {
            merges.insert(left, right, rank: rank, id: token.id)
          }
        }
      }
    }
  }

  /// Characters inside of tokens that are no tokens themselves get ids of their own, so that they can merge.
  private mutating func insertPartials(of tokens: [Token], from limit: Int32) {
    var id = limit
    for token in tokens {
      token.bytes.withUnsafeBytes { bytes in
        var position = 0
        while position < bytes.count {
          let end = position + decodeScalar(bytes, at: position).length
          if end - position < bytes.count, table.id(of: bytes.part(position..<end)) == nil {
            table.insert(bytes.part(position..<end), id: id)
            id += 1
          }
          position = end
        }
      }
    }
    if id > limit { firstPartial = limit }
  }

  /// The rank of each token: 0 for the best score; equal scores have equal ranks.
  private static func ranks(_ scores: [Float]) -> [Int32] {
    var ranks = [Int32](repeating: 0, count: scores.count)
    var rank: Int32 = 0
    var previous: Float?
    for index in scores.indices.sorted(by: { scores[$0] > scores[$1] }) {
      if let previous, scores[index] < previous { rank += 1 }
      previous = scores[index]
      ranks[index] = rank
    }
    return ranks
  }
}
