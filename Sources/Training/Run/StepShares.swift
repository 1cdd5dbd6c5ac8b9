import FireflyRanks
import FireflyText

/// Divides an optimizer step among ranks: each gets rows that follow each other, as many tokens as the others as far as that
/// can be. It depends on the rows alone, so every rank knows all shares.
struct StepShares {
  /// A micro-batch is left whole, because its rows' losses depend on each other: routers' auxiliary loss looks at all.
  let keepsMicroBatches: Bool
  /// Rows, by their numbers, as one batch.
  let batch: ([Int]) -> Batch

  /// What one rank computes.
  ///
  /// - Parameter microBatches: the step's, as row numbers.
  func part(_ microBatches: [[Int]], rank: Int, of ranks: Int) -> StepBatches {
    let extents = microBatches.map { rows in rows.map { BatchExtent(batch([$0])) } }
    let weights =
      keepsMicroBatches
      ? extents.map { $0.reduce(0) { $0 + $1.tokens } } : extents.joined().map(\.tokens)
    let own = EvenShares.ranges(of: weights, among: ranks)[rank]
    var parts: [StepBatches.Part] = []
    var first = 0
    for (index, rows) in microBatches.enumerated() {
      let units = keepsMicroBatches ? 1 : rows.count
      let range = own.clamped(to: first..<first + units)
      if !range.isEmpty {
        let taken =
          keepsMicroBatches ? 0..<rows.count : range.lowerBound - first..<range.upperBound - first
        parts.append(
          StepBatches.Part(
            batch: batch(Array(rows[taken])), index: index,
            whole: extents[index].reduce(BatchExtent(), +),
            before: extents[index][..<taken.lowerBound].reduce(BatchExtent(), +)))
      }
      first += units
    }
    return StepBatches(
      count: microBatches.count, extent: extents.joined().reduce(BatchExtent(), +), parts: parts)
  }
}
