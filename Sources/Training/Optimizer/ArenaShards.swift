import FireflyBase
import FireflyModels
import FireflyRanks
import FireflyTensors

/// How ranks share an arena: each has the moments of a range of its elements and updates these, so that the optimizer's
/// memory and work are divided among them (ZeRO's first stage, Rajbhandari et al., 2020).
///
/// A step sends each element twice, as adding gradients up everywhere would: its gradient to the rank that updates it, and
/// the new value to all.
struct ArenaShards {
  let ranks: Ranks
  /// By rank; together all elements.
  let ranges: [Range<Int>]

  /// Elements of a shard that are under way at once.
  private static let piece = 1 << 20
  /// Elements of a cache line in float32.
  private static let line = 16

  init(_ ranks: Ranks, of trainable: Trainable) {
    self.ranks = ranks
    let lines = (trainable.arenaCount + ArenaShards.line - 1) / ArenaShards.line
    let bounds = (0...ranks.size).map {
      min(trainable.arenaCount, lines * $0 / ranks.size * ArenaShards.line)
    }
    ranges = zip(bounds, bounds.dropFirst()).map { $0..<$1 }
  }

  /// What this rank updates.
  var own: Range<Int> { ranges[ranks.rank] }

  // MARK: - A step

  /// Adds up the ranks' gradients of this rank's range, in the ranks' order.
  func sumGradients(_ arena: ParameterArena) throws {
    guard !ranks.isAlone else { return }
    var pending: (exchange: Exchange<Float>, range: Range<Int>)?
    for index in 0..<pieceCount {
      let next = try (
        ranks.start(
          ranges.indices.map { arena.gradients.slice(piece(index, of: $0)).inType(.float32).floats },
          counts: [Int](repeating: piece(index, of: ranks.rank).count, count: ranks.size)),
        piece(index, of: ranks.rank)
      )
      if let pending { try add(pending, to: arena) }
      pending = next
    }
    if let pending { try add(pending, to: arena) }
  }

  private func add(_ pending: (exchange: Exchange<Float>, range: Range<Int>), to arena: ParameterArena) throws
  {
    let parts = try pending.exchange.wait()
    guard !pending.range.isEmpty else { return }
    let device = arena.gradients.device
    let sum = Tensor(parts[0], [pending.range.count], on: device)
    for part in parts.dropFirst() { Ops.add(sum.matrix, Tensor(part, sum.shape, on: device).matrix) }
    Ops.convert(arena.gradients.slice(pending.range).matrix, sum.matrix)
  }

  /// The 2-norm over all gradients, of which each rank has added up its range.
  func gradientNorm(_ arena: ParameterArena) throws -> Double {
    guard !ranks.isAlone else { return FireflyTraining.gradientNorm(arena) }
    return try ranks.sum([sumOfSquares(arena, of: own)])[0].squareRoot()
  }

  /// Gives all ranks the values that each has updated.
  func gatherValues(_ arena: ParameterArena) throws {
    try gather(arena.values.slice(own), from: own.lowerBound, to: nil) { arena.values.slice($0) }
  }

  // MARK: - Checkpoints

  /// All moments, on the first rank; nil on the others.
  ///
  /// - Parameter folder: for the file that they are mapped from, where they are gathered.
  func gatherMoments(_ store: MomentStore, pagedIn folder: String) throws -> MomentStore? {
    guard !ranks.isAlone else { return store }
    let all = ranges[0].lowerBound..<ranges[ranks.size - 1].upperBound
    let whole = ranks.isFirst ? try MomentStore(for: all, pagedIn: folder) : nil
    let both: [((m: Tensor, v: Tensor)) -> Tensor] = [{ $0.m }, { $0.v }]
    for moment in both {
      try gather(moment(store.moments(own)), from: own.lowerBound, to: 0) { range in
        (whole?.moments(range)).map(moment)
      }
    }
    return whole
  }

  /// Sends this rank's range of a block, which begins at the arena's element `first`, to a rank, or to all.
  ///
  /// - Parameter place: where a range of elements is to be put.
  private func gather(
    _ block: Tensor, from first: Int, to receiver: Int?, _ place: (Range<Int>) -> Tensor?
  ) throws {
    guard !ranks.isAlone else { return }
    for index in 0..<pieceCount {
      let mine = piece(index, of: ranks.rank)
      let values = block.slice(mine.lowerBound - first..<mine.upperBound - first).floats
      let takes = receiver.map { $0 == ranks.rank } ?? true
      let parts = try ranks.start(
        ranges.indices.map { $0 == ranks.rank || $0 == receiver ?? $0 ? values : [] },
        counts: ranges.indices.map { takes || $0 == ranks.rank ? piece(index, of: $0).count : 0 }
      ).wait()
      guard takes else { continue }
      for rank in ranges.indices where !parts[rank].isEmpty {
        guard let place = place(piece(index, of: rank)) else { continue }
        Ops.convert(place.matrix, Tensor(parts[rank], place.shape, on: place.device).matrix)
      }
    }
  }

  // MARK: - Pieces

  private var pieceCount: Int {
    let most = ranges.map(\.count).max() ?? 0
    return (most + ArenaShards.piece - 1) / ArenaShards.piece
  }

  private func piece(_ index: Int, of rank: Int) -> Range<Int> {
    let range = ranges[rank]
    let start = min(range.upperBound, range.lowerBound + index * ArenaShards.piece)
    return start..<min(range.upperBound, start + ArenaShards.piece)
  }
}
