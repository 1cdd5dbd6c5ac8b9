/// A non-linearity between the products of an MLP. The raw value is the kernels' number.
package enum Activation: Int32, Sendable, CaseIterable {
  /// x·σ(x); config.json's "silu" and "swish".
  case silu
  /// x·Φ(x) with the normal distribution's Φ (Hendrycks & Gimpel 2016); "gelu".
  case gelu
  /// Its approximation ½x(1 + tanh(√(2/π)(x + 0.044715x³))); "gelu_new", "gelu_pytorch_tanh", "gelu_fast".
  case geluTanh
  /// x·σ(1.702·x) of an x of at most 7; gating, times an up within ±7, plus 1. gpt-oss's (OpenAI, 2025).
  case clamped
}

/// Which elements of a head turn together, and in which direction.
package struct RotaryTurn {
  /// Neighbours 2i and 2i + 1; otherwise i and i + rotaryDim/2.
  package let interleaved: Bool
  package let inverse: Bool

  package init(interleaved: Bool, inverse: Bool) {
    self.interleaved = interleaved
    self.inverse = inverse
  }
}

/// Which dropout bits: they depend on this, the row and the column, never on threads or slices.
package struct DropoutKey: Hashable, Sendable {
  package var seed: UInt64
  package var step: UInt64
  /// Layer, group and micro-batch, mixed by the caller.
  package var stream: UInt64
  /// The number of the matrix's first row among all rows of the micro-batch.
  package var firstRow: UInt64

  package init(seed: UInt64, step: UInt64, stream: UInt64, firstRow: UInt64 = 0) {
    self.seed = seed
    self.step = step
    self.stream = stream
    self.firstRow = firstRow
  }

  /// All but the row in 64 bits.
  var mixed: UInt64 {
    CounterRandom.mix(CounterRandom.mix(CounterRandom.mix(seed) ^ step) ^ stream)
  }
}

/// One matrix's dropout: which elements are kept, and the factor on those.
package struct DropoutBits: Sendable {
  /// All of a `DropoutKey` but the row.
  package let key: UInt64
  package let firstRow: UInt64
  /// Of the matrix in what is dropped from: a multiple of 32, and 0 but where the processor takes a block.
  let firstColumn: Int
  /// An element whose 16 bits are at least this is kept.
  package let threshold: UInt32
  /// 1 / (1 − p)
  package let factor: Float

  package init(probability: Float, key: DropoutKey) {
    precondition(probability >= 0 && probability < 1, "dropout probability \(probability)")
    self.key = key.mixed
    firstRow = key.firstRow
    firstColumn = 0
    threshold = UInt32((probability * 65_536).rounded())
    factor = 1 / (1 - probability)
  }

  private init(_ whole: DropoutBits, row: Int, column: Int) {
    key = whole.key
    firstRow = whole.firstRow &+ UInt64(row)
    firstColumn = whole.firstColumn + column
    threshold = whole.threshold
    factor = whole.factor
  }

  /// Those of the block that begins there.
  func at(row: Int, column: Int = 0) -> DropoutBits {
    precondition(column % 32 == 0, "bits from column \(column) on")
    return DropoutBits(self, row: row, column: column)
  }
}
