/// Which dropout bits: they depend on this, the row and the column, never on threads or slices.
public struct DropoutKey: Hashable, Sendable {
  public var seed: UInt64
  public var step: UInt64
  /// Layer, group and micro-batch, mixed by the caller.
  public var stream: UInt64
  /// The number of the matrix's first row among all rows of the micro-batch.
  public var firstRow: UInt64

  public init(seed: UInt64, step: UInt64, stream: UInt64, firstRow: UInt64 = 0) {
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
package struct DropoutBits {
  /// All of a `DropoutKey` but the row.
  package let key: UInt64
  package let firstRow: UInt64
  /// An element whose 16 bits are at least this is kept.
  package let threshold: UInt32
  /// 1 / (1 − p)
  package let factor: Float

  init(probability: Float, key: DropoutKey) {
    precondition(probability >= 0 && probability < 1, "dropout probability \(probability)")
    self.key = key.mixed
    firstRow = key.firstRow
    threshold = UInt32((probability * 65_536).rounded())
    factor = 1 / (1 - probability)
  }
}

extension Ops {
  /// y = x·mask / (1 − p) with P(mask = 0) = p rounded to a multiple of 1/65,536. y, x [T, C] c; y may be x.
  public static func dropout(_ y: Matrix, _ x: Matrix, probability: Float, key: DropoutKey) {
    checkSame(y, x)
    checkCompute(x.dtype)
    precondition(y.dtype == x.dtype, "dropout: \(y.dtype) from \(x.dtype)")
    let bits = DropoutBits(probability: probability, key: key)
    let device = device(y.storage, x.storage)
    Ledger.measure(.elementwise) { device.dropout(y, x, bits) }
  }

  /// dx[T, C] float32 += g[T, C] c · mask / (1 − p), with the mask that `dropout` has for the same key.
  public static func addDropped(_ dx: Matrix, _ g: Matrix, probability: Float, key: DropoutKey) {
    checkSame(dx, g)
    checkFloat32(dx.dtype)
    checkCompute(g.dtype)
    let bits = DropoutBits(probability: probability, key: key)
    let device = device(dx.storage, g.storage)
    Ledger.measure(.elementwise) { device.addDropped(dx, g, bits) }
  }
}
