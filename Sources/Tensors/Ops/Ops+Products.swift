extension Ops {
  /// out (+)= scale · op(a)·op(b), accumulated in float32.
  ///
  /// - Parameters:
  ///   - out: `[m, n]`, float32 or the operands' type; overlaps neither operand.
  ///   - a: `[m, k]`, or `[k, m]` with `transposeA`; c.
  ///   - b: `[k, n]`, or `[n, k]` with `transposeB`; the type of `a`.
  ///   - accumulate: Add to `out` instead of replacing it.
  package static func matmul(
    _ out: Matrix, _ a: Matrix, _ b: Matrix, transposeA: Bool = false, transposeB: Bool = false,
    accumulate: Bool = false, scale: Float = 1
  ) {
    let (m, k) = transposeA ? (a.columns, a.rows) : (a.rows, a.columns)
    let n = transposeB ? b.rows : b.columns
    precondition(
      (transposeB ? b.columns : b.rows) == k && out.rows == m && out.columns == n,
      "product [\(out.rows), \(out.columns)] = [\(a.rows), \(a.columns)]\(transposeA ? "ᵀ" : "")"
        + " · [\(b.rows), \(b.columns)]\(transposeB ? "ᵀ" : "")")
    checkCompute(a.dtype)
    precondition(
      a.dtype == b.dtype && (out.dtype == .float32 || out.dtype == a.dtype),
      "product of \(a.dtype) and \(b.dtype) into \(out.dtype)")
    guard m > 0, n > 0 else { return }
    let device = device(out.storage, a.storage, b.storage)
    precondition(a.dtype != .float16 || device.multipliesFloat16, "a product of float16 on \(device.name)")
    Ledger.measure(.matrices, flop: 2 * Double(m) * Double(n) * Double(k)) {
      device.matmul(
        out, a, b, transposeA: transposeA, transposeB: transposeB, accumulate: accumulate, scale: scale)
    }
  }
}

extension Ops {
  /// y = x·Wᵀ; a row's result does not depend on the other rows.
  ///
  /// - Parameters:
  ///   - y: `[T, out]` float32
  ///   - x: `[T, in]` of the weight's type.
  package static func multiplyRows(_ y: Matrix, _ x: Matrix, _ weight: RowWeight) {
    checkFloat32(y.dtype)
    checkCompute(x.dtype)
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    precondition(
      y.rows == x.rows && y.columns == outputs && x.columns == inputs,
      "[\(y.rows), \(y.columns)] from [\(x.rows), \(x.columns)] and [\(outputs), \(inputs)]")
    let device = device(y.storage, x.storage, weight.storage)
    Ledger.measure(.matrices, flop: 2 * Double(x.rows) * Double(outputs) * Double(inputs)) {
      device.multiplyRows(y, x, weight.form)
    }
  }
}

extension Ops {
  /// y_h (+)= x_h·W_h, or x_h·W_hᵀ, for each head's columns of every row; a row's result does not depend on the others.
  ///
  /// - Parameters:
  ///   - y: `[T, heads·O]` of the weights' type.
  ///   - x: `[T, heads·I]` of the weights' type.
  ///   - weights: W_h `[I, O]`, or `[O, I]` with `transposed`; c.
  ///   - accumulate: Add to `y` instead of replacing it.
  package static func multiplyHeads(
    _ y: Matrix, _ x: Matrix, _ weights: HeadWeights, transposed: Bool, accumulate: Bool = false
  ) {
    checkCompute(y.dtype)
    let (rows, columns) = (weights.rows.count, weights.matrix.columns)
    let (inputs, outputs) = transposed ? (columns, rows) : (rows, columns)
    precondition(
      y.rows == x.rows && y.columns == weights.heads * outputs && x.columns == weights.heads * inputs
        && y.dtype == x.dtype && y.dtype == weights.matrix.dtype,
      "[\(y.rows), \(y.columns)] from [\(x.rows), \(x.columns)] and \(weights.heads) of [\(inputs), \(outputs)]"
    )
    let device = device(y.storage, x.storage, weights.matrix.storage)
    Ledger.measure(.matrices, flop: 2 * Double(x.rows) * Double(x.columns) * Double(outputs)) {
      device.multiplyHeads(y, x, weights, transposed: transposed, accumulate: accumulate)
    }
  }
}
