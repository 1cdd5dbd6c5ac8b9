import FireflyBase
import FireflyModels
import FireflyRanks
import FireflyTensors

/// How ranks share an arena: each has the moments of its part of the elements and updates these, so that the optimizer's
/// memory and work are divided among them (ZeRO's first stage, Rajbhandari et al., 2020).
///
/// A step sends each element twice, as adding gradients up everywhere would: its gradient to the rank that updates it, and
/// the new value to all.
struct ArenaShards {
  let ranks: Ranks
  private let trainable: Trainable
  /// What is sent at once, from the arena's end to its beginning, as a backward completes it: a range for each rank. Every
  /// rank has its part of every piece, so that all links are in use all the time. No range divides a block of moments in 8
  /// bits, which has one scale.
  let pieces: [[Range<Int>]]

  init(_ ranks: Ranks, of trainable: Trainable) {
    self.ranks = ranks
    self.trainable = trainable
    let count = trainable.arenaCount
    let size = ArenaShards.pieceSize(of: count, among: ranks.size)
    pieces = stride(from: 0, to: count, by: size).map { start in
      let length = min(size, count - start)
      let bounds = (0...ranks.size).map { rank in
        let place = start + length * rank / ranks.size
        return place < count ? trainable.blockStart(of: place) : count
      }
      return zip(bounds, bounds.dropFirst()).map { $0..<$1 }
    }.reversed()
  }

  /// Elements of a piece: 8 MB in float32, more where many ranks would get little each, and at most a sixteenth of the arena,
  /// so that a small one goes out while its backward goes on, too.
  static func pieceSize(of count: Int, among ranks: Int) -> Int {
    min(max(1 << 21, ranks << 16), max(count / 16, 1 << 12))
  }

  /// What this rank updates, ascending.
  var own: [Range<Int>] {
    if ranks.isAlone { return [0..<trainable.arenaCount] }
    return pieces.reversed().map { $0[ranks.rank] }.filter { !$0.isEmpty }
  }

  // MARK: - A step

  /// The 2-norm over all gradients, of which each rank has added up its part.
  func gradientNorm(_ arena: ParameterArena) throws -> Double {
    guard !ranks.isAlone else { return FireflyTraining.gradientNorm(arena) }
    return try ranks.sum([own.reduce(0) { $0 + sumOfSquares(arena, of: $1) }])[0].squareRoot()
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

  /// Sends what this rank has of its part to a rank, or to all.
  ///
  /// - Parameters:
  ///   - own: what there is of a range of elements.
  ///   - place: where that of a range is to be put: tensors of the same types and sizes.
  private func gather(
    to receiver: Int?, _ own: (Range<Int>) -> [Tensor], into place: (Range<Int>) -> [Tensor]
  ) throws {
    guard !ranks.isAlone else { return }
    let takes = receiver.map { $0 == ranks.rank } ?? true
    var underWay: [(exchange: Exchange<UInt8>, places: [[Tensor]])] = []
    func put() throws {
      let (exchange, places) = underWay.removeFirst()
      for (tensors, part) in zip(places, try exchange.wait()) {
        var rest = part[...]
        for tensor in tensors {
          tensor.copy(bytes: rest.prefix(tensor.byteCount))
          rest = rest.dropFirst(tensor.byteCount)
        }
      }
    }
    for piece in pieces {
      let bytes = own(piece[ranks.rank]).flatMap { $0.withHostBytes { [UInt8]($0) } }
      let places = piece.map { takes ? place($0) : [] }
      var counts = places.map { $0.reduce(0) { $0 + $1.byteCount } }
      counts[ranks.rank] = bytes.count
      let exchange = try ranks.start(
        piece.indices.map { $0 == ranks.rank || $0 == receiver ?? $0 ? bytes : [] }, counts: counts)
      underWay.append((exchange, places))
      if underWay.count == ArenaShards.piecesUnderWay { try put() }
    }
    while !underWay.isEmpty { try put() }
  }

  /// Pieces that are sent before the first of them has come.
  static let piecesUnderWay = 4
}
