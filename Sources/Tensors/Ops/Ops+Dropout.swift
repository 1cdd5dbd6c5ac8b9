extension Ops {
  /// y = x·mask / (1 − p) with P(mask = 0) = p rounded to a multiple of 1/65,536. y, x [T, C] c; y may be x.
  package static func dropout(_ y: Matrix, _ x: Matrix, probability: Float, key: DropoutKey) {
    checkSame(y, x)
    checkCompute(x.dtype)
    precondition(y.dtype == x.dtype, "dropout: \(y.dtype) from \(x.dtype)")
    let bits = DropoutBits(probability: probability, key: key)
    let device = device(y.storage, x.storage)
    Ledger.measure(.elementwise, bytes: y.byteCount + x.byteCount) { device.dropout(y, x, bits) }
  }

  /// dx[T, C] float32 += g[T, C] c · mask / (1 − p), with the mask that `dropout` has for the same key.
  package static func addDropped(_ dx: Matrix, _ g: Matrix, probability: Float, key: DropoutKey) {
    checkSame(dx, g)
    checkFloat32(dx.dtype)
    checkCompute(g.dtype)
    let bits = DropoutBits(probability: probability, key: key)
    let device = device(dx.storage, g.storage)
    Ledger.measure(.elementwise, bytes: 2 * dx.byteCount + g.byteCount) {
      device.addDropped(dx, g, bits)
    }
  }

  /// low[T, r] c = scale·(m ⊙ x)·Aᵀ for x[T, C] and a[r, C], both c, with the mask m that `dropout` has.
  package static func matmulDropped(
    _ low: Matrix, _ x: Matrix, _ a: Matrix, _ bits: DropoutBits, scale: Float
  ) {
    checkLowRank(low, x, a)
    checkCompute(x.dtype)
    precondition(
      low.dtype == x.dtype && a.dtype == x.dtype, "\(low.dtype) of \(x.dtype) rows and \(a.dtype)")
    let device = device(low.storage, x.storage, a.storage)
    Ledger.measure(.matrices, flop: 2 * Double(x.rows * a.rows * a.columns)) {
      device.matmulDropped(low, x, a, bits, scale: scale)
    }
  }

  /// dA[r, C] float32 += dLowᵀ·(m ⊙ x) for dLow[T, r] and x[T, C], both c.
  package static func addMatmulDropped(_ dA: Matrix, _ dLow: Matrix, _ x: Matrix, _ bits: DropoutBits) {
    checkLowRank(dLow, x, dA)
    checkCompute(x.dtype)
    checkFloat32(dA.dtype)
    precondition(dLow.dtype == x.dtype, "\(dLow.dtype) and \(x.dtype) rows")
    let device = device(dA.storage, dLow.storage, x.storage)
    Ledger.measure(.matrices, flop: 2 * Double(x.rows * dA.rows * dA.columns)) {
      device.addMatmulDropped(dA, dLow, x, bits)
    }
  }

  /// dB += dyᵀ·low and dLow = scale·dy·B of the pairs on linear layers that read the same input.
  package static func lowRankGradients(_ steps: [LowRankStep]) {
    guard let first = steps.first, first.dy.rows > 0 else { return }
    for step in steps { step.check() }
    let device = device(first.dy.storage, first.low.storage, first.b.storage, first.dB.storage)
    for step in steps { precondition(step.dy.device === device, "low-rank pairs of several devices") }
    Ledger.measure(.matrices, flop: steps.reduce(0) { $0 + $1.flop }) { device.lowRankGradients(steps) }
  }

  private static func checkLowRank(_ low: Matrix, _ x: Matrix, _ a: Matrix) {
    precondition(
      low.rows == x.rows && low.columns == a.rows && a.columns == x.columns,
      "[\(low.rows), \(low.columns)] of [\(x.rows), \(x.columns)] and [\(a.rows), \(a.columns)]")
  }
}

extension LowRankStep {
  /// That its shapes and types fit together.
  func check() {
    let (rows, outputs) = (dy.rows, dy.columns)
    precondition(
      dB.rows == outputs && dB.columns == rank && b.rows == outputs && dLow.rows == rows
        && dLow.columns == rank && low.rows == rows && low.columns == rank,
      "dB [\(dB.rows), \(dB.columns)], dLow [\(dLow.rows), \(dLow.columns)] of dy [\(rows), \(outputs)], "
        + "low [\(low.rows), \(low.columns)] and B [\(b.rows), \(b.columns)]")
    Ops.checkFloat32(dB.dtype)
    Ops.checkCompute(dy.dtype)
    precondition(
      [dLow, low, b].allSatisfy { $0.dtype == dy.dtype },
      "a low-rank pair of several types beside \(dy.dtype)")
  }
}
