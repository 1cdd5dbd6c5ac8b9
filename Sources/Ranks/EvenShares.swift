/// Cuts a list of work into consecutive pieces.
package enum EvenShares {
  /// Cuts a list into `count` pieces whose heaviest is as light as it can be; later pieces may be empty.
  ///
  /// - Parameter weights: what each element takes.
  package static func ranges(of weights: [Int], among count: Int) -> [Range<Int>] {
    // The smallest load with which so many pieces are enough, by bisection.
    var (low, high) = (weights.max() ?? 0, weights.reduce(0, +))
    while low < high {
      let middle = (low + high) / 2
      if pieces(weights, load: middle).count <= count { high = middle } else { low = middle + 1 }
    }
    let pieces = pieces(weights, load: low)
    return pieces + [Range<Int>](repeating: weights.count..<weights.count, count: count - pieces.count)
  }

  /// Cuts a list into rounds of `perPiece` × `count` elements, and each round into `count` pieces as above; of one piece all
  /// is one round.
  package static func rounds(of weights: [Int], among count: Int, perPiece: Int) -> [[Range<Int>]] {
    if count == 1 { return weights.isEmpty ? [] : [[0..<weights.count]] }
    return stride(from: 0, to: weights.count, by: perPiece * count).map { start in
      let end = min(weights.count, start + perPiece * count)
      return ranges(of: Array(weights[start..<end]), among: count).map {
        start + $0.lowerBound..<start + $0.upperBound
      }
    }
  }

  /// Pieces of at most `load`, each as long as it can be.
  private static func pieces(_ weights: [Int], load: Int) -> [Range<Int>] {
    var pieces: [Range<Int>] = []
    var (start, sum) = (0, 0)
    for (index, weight) in weights.enumerated() {
      if index > start && sum + weight > load {
        pieces.append(start..<index)
        (start, sum) = (index, 0)
      }
      sum += weight
    }
    if start < weights.count { pieces.append(start..<weights.count) }
    return pieces
  }
}
