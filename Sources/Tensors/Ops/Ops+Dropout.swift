extension Ops {
  /// y = x·mask / (1 − p) with P(mask = 0) = p rounded to a multiple of 1/65,536. y, x [T, C] c; y may be x.
  package static func dropout(_ y: Matrix, _ x: Matrix, probability: Float, key: DropoutKey) {
    checkSame(y, x)
    checkCompute(x.dtype)
    precondition(y.dtype == x.dtype, "dropout: \(y.dtype) from \(x.dtype)")
    let bits = DropoutBits(probability: probability, key: key)
    let device = device(y.storage, x.storage)
    Ledger.measure(.elementwise) { device.dropout(y, x, bits) }
  }

  /// dx[T, C] float32 += g[T, C] c · mask / (1 − p), with the mask that `dropout` has for the same key.
  package static func addDropped(_ dx: Matrix, _ g: Matrix, probability: Float, key: DropoutKey) {
    checkSame(dx, g)
    checkFloat32(dx.dtype)
    checkCompute(g.dtype)
    let bits = DropoutBits(probability: probability, key: key)
    let device = device(dx.storage, g.storage)
    Ledger.measure(.elementwise) { device.addDropped(dx, g, bits) }
  }
}
