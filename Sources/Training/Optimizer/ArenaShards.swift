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
  private let trainable: Trainable
  /// By rank; together all elements. None divides a block of moments in 8 bits, which has one scale.
  let ranges: [Range<Int>]
  /// Each range in pieces of which one is under way at a time; none divides a block.
  private let pieces: [[Range<Int>]]

  /// About how many elements a piece has.
  private static let piece = 1 << 20

  init(_ ranks: Ranks, of trainable: Trainable) {
    self.ranks = ranks
    self.trainable = trainable
    let bounds = (0...ranks.size).map { trainable.blockStart(of: trainable.arenaCount * $0 / ranks.size) }
    ranges = zip(bounds, bounds.dropFirst()).map { $0..<$1 }
    pieces = ranges.map { range in
      let starts = stride(from: range.lowerBound, to: range.upperBound, by: ArenaShards.piece)
        .map(trainable.blockStart)
      return zip(starts, starts.dropFirst() + [range.upperBound]).map { $0..<$1 }
    }
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
    try gather(to: nil) {
      [arena.values.slice($0)]
    } into: {
      [arena.values.slice($0)]
    }
  }

  // MARK: - Checkpoints

  /// All moments, on the first rank; nil on the others.
  ///
  /// - Parameter folder: for the file that they are mapped from, where they are gathered.
  func gatherMoments(_ store: MomentStore, pagedIn folder: String) throws -> MomentStore? {
    guard !ranks.isAlone else { return store }
    let whole = ranks.isFirst ? try store.emptied(for: trainable, pagedIn: folder) : nil
    try gather(to: 0) {
      store.tensors(in: $0)
    } into: {
      whole?.tensors(in: $0) ?? []
    }
    return whole
  }

  /// Sends what this rank has of its range to a rank, or to all.
  ///
  /// - Parameters:
  ///   - own: what there is of a range of elements.
  ///   - place: where that of a range is to be put: tensors of the same types and sizes.
  private func gather(
    to receiver: Int?, _ own: (Range<Int>) -> [Tensor], into place: (Range<Int>) -> [Tensor]
  ) throws {
    guard !ranks.isAlone else { return }
    let takes = receiver.map { $0 == ranks.rank } ?? true
    for index in 0..<pieceCount {
      let bytes = own(piece(index, of: ranks.rank)).flatMap { $0.withHostBytes { [UInt8]($0) } }
      let places = ranges.indices.map { takes ? place(piece(index, of: $0)) : [] }
      var counts = places.map { $0.reduce(0) { $0 + $1.byteCount } }
      counts[ranks.rank] = bytes.count
      let parts = try ranks.start(
        ranges.indices.map { $0 == ranks.rank || $0 == receiver ?? $0 ? bytes : [] }, counts: counts
      ).wait()
      for (tensors, part) in zip(places, parts) {
        var rest = part[...]
        for tensor in tensors {
          tensor.copy(bytes: rest.prefix(tensor.byteCount))
          rest = rest.dropFirst(tensor.byteCount)
        }
      }
    }
  }

  // MARK: - Pieces

  private var pieceCount: Int { pieces.map(\.count).max() ?? 0 }

  /// Empty for a rank that has fewer.
  private func piece(_ index: Int, of rank: Int) -> Range<Int> {
    let end = ranges[rank].upperBound
    return index < pieces[rank].count ? pieces[rank][index] : end..<end
  }
}
