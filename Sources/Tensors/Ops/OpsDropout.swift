import CKernels

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

extension Ops {
  /// y = x·mask / (1 − p) with P(mask = 0) = p rounded to a multiple of 1/65,536. y, x [T, C] c; y may be x.
  public static func dropout(_ y: Matrix, _ x: Matrix, probability: Float, key: DropoutKey) {
    checkSame(y, x)
    checkCompute(x.dtype)
    precondition(y.dtype == x.dtype, "dropout: \(y.dtype) from \(x.dtype)")
    let (threshold, factor) = dropoutNumbers(probability)
    let (k, bits) = (kernels, key.mixed)
    split(x.rows, cost: x.columns) { rows in
      let start = rows.lowerBound
      k.pointee.dropout(
        y.row(start), y.stride, x.row(start), x.stride, x.dtype.code, bits, key.firstRow &+ UInt64(start),
        threshold, factor, rows.count, x.columns)
    }
  }

  /// dx[T, C] float32 += g[T, C] c · mask / (1 − p), with the mask that `dropout` has for the same key.
  public static func addDropped(_ dx: Matrix, _ g: Matrix, probability: Float, key: DropoutKey) {
    checkSame(dx, g)
    checkCompute(g.dtype)
    let (threshold, factor) = dropoutNumbers(probability)
    let (k, bits) = (kernels, key.mixed)
    split(g.rows, cost: g.columns) { rows in
      let start = rows.lowerBound
      k.pointee.add_dropped(
        dx.floatRow(start), dx.stride, g.row(start), g.stride, g.dtype.code, bits,
        key.firstRow &+ UInt64(start),
        threshold, factor, rows.count, g.columns)
    }
  }

  private static func dropoutNumbers(_ probability: Float) -> (threshold: UInt32, factor: Float) {
    precondition(probability >= 0 && probability < 1, "dropout probability \(probability)")
    return (UInt32((probability * 65_536).rounded()), 1 / (1 - probability))
  }
}
