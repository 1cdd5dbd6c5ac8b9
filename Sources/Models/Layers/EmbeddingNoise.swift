import FireflyTensors

/// Noise on what the embedding says of a text, in training (NEFTune; Jain et al., 2023): each element is drawn evenly from
/// ±α/√(L·C), L being the tokens of its row.
///
/// A token's noise is a function of the pass and of its place in the micro-batch, so it is the same however a micro-batch is
/// divided among threads or ranks.
struct EmbeddingNoise {
  /// In the place of a group's, as `LinearGroup.stream`.
  private static let stream: UInt64 = 0xFFFF_FFFE
  /// Rows whose noise is held at a time.
  private static let rowsAtOnce = 256

  private let random: CounterRandom
  private let firstRow: Int
  /// [T], of each row of x.
  private let lengths: [Int]
  private let alpha: Float

  /// nil where there is none.
  init?(_ pass: Pass, _ sequences: [Positions]) {
    guard pass.embeddingNoise > 0 else { return nil }
    random = CounterRandom(
      seed: CounterRandom.mix(pass.seed &+ CounterRandom.mix(pass.step)),
      stream: Self.stream << 32 | pass.microBatch)
    firstRow = pass.firstRow
    lengths = sequences.flatMap { [Int](repeating: $0.first + $0.count, count: $0.count) }
    alpha = pass.embeddingNoise
  }

  func add(to x: Tensor) {  // [T, C] float32
    for start in stride(from: 0, to: lengths.count, by: Self.rowsAtOnce) {
      let rows = start..<min(start + Self.rowsAtOnce, lengths.count)
      let limits = lengths[rows].map { alpha / (Float($0) * Float(x.columns)).squareRoot() }
      let place = UInt64(firstRow + start) * UInt64(x.columns)
      let noise = Tensor(
        evenlyWithin: limits, columns: x.columns, on: x.device,
        CounterRandom(seed: random.seed, stream: random.stream, counter: place))
      Ops.add(x.matrix.rows(rows), noise.matrix)
    }
  }
}
