import FireflyModels
import FireflyRanks
import FireflyTensors

/// Adds up the ranks' gradients, each rank those that it updates, while the backward that completes them goes on.
///
/// All ranks send the pieces in one order, and sums are taken in the ranks' order: when a piece goes out changes no bit.
final class GradientSum {
  private let shards: ArenaShards
  private let arena: ParameterArena
  /// Pieces that have been sent.
  private var sent = 0
  /// Those that have not been added up, with what this rank has of them.
  private var underWay: [(own: Range<Int>, exchange: Exchange<Float>)] = []
  /// What went wrong during the backward, which cannot throw.
  private var failure: (any Error)?

  /// How often messages are asked after between two blocks: asking also moves them on.
  private static let questions = 32

  init(_ shards: ArenaShards, _ arena: ParameterArena) {
    self.shards = shards
    self.arena = arena
  }

  /// Sends what is complete: nothing more is added to gradients from `element` of the arena on.
  func completed(from element: Int) {
    guard !shards.ranks.isAlone, failure == nil else { return }
    do {
      try addArrived()
      while sent < shards.pieces.count, shards.pieces[sent][0].lowerBound >= element,
        underWay.count < ArenaShards.piecesUnderWay
      {
        try send()
        try addArrived()
      }
    } catch {
      failure = error
    }
  }

  /// Sends the rest, and waits until all is added up.
  ///
  /// - Throws: `RankSilent`, and what the transport reports.
  func finish() throws {
    guard !shards.ranks.isAlone else { return }
    if let failure { throw failure }
    while sent < shards.pieces.count {
      if underWay.count == ArenaShards.piecesUnderWay { try addNext() }
      try send()
    }
    while !underWay.isEmpty { try addNext() }
  }

  private func send() throws {
    let (piece, ranks) = (shards.pieces[sent], shards.ranks)
    let own = piece[ranks.rank]
    let exchange = try ranks.start(
      piece.map { arena.gradients.slice($0).inType(.float32).floats },
      counts: [Int](repeating: own.count, count: ranks.size))
    underWay.append((own, exchange))
    sent += 1
  }

  private func addArrived() throws {
    for _ in 0..<GradientSum.questions {
      guard let first = underWay.first else { return }
      if try first.exchange.isDone() { try addNext() }
    }
  }

  private func addNext() throws {
    let (own, exchange) = underWay.removeFirst()
    let parts = try exchange.wait()
    guard !own.isEmpty else { return }
    let device = arena.gradients.device
    let sum = Tensor(parts[0], [own.count], on: device)
    for part in parts.dropFirst() { Ops.add(sum.matrix, Tensor(part, sum.shape, on: device).matrix) }
    Ops.convert(arena.gradients.slice(own).matrix, sum.matrix)
  }
}
