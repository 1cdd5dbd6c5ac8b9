extension Ops {
  /// out[T, C] = x[T, C] in out's type: float32, bfloat16 and float16 in any pairing, rounded to nearest even;
  /// what float16 cannot hold becomes infinite.
  package static func convert(_ out: Matrix, _ x: Matrix) {
    checkSame(out, x)
    let device = device(out.storage, x.storage)
    Ledger.measure(.elementwise, bytes: out.byteCount + x.byteCount) { device.convert(out, x) }
  }

  /// x[T, C] c *= factor.
  package static func scale(_ x: Matrix, by factor: Float) {
    checkCompute(x.dtype)
    Ledger.measure(.elementwise, bytes: 2 * x.byteCount) { x.device.scale(x, by: factor) }
  }

  /// x[T, C] float32 = cap·tanh(x / cap), which stays within ±cap.
  package static func softCap(_ x: Matrix, _ cap: Float) {
    checkFloat32(x.dtype)
    precondition(cap > 0, "values within \(cap)")
    Ledger.measure(.elementwise, bytes: 2 * x.byteCount) { x.device.softCap(x, cap) }
  }

  /// dx[T, C] c *= 1 − (y / cap)²: the gradient of `softCap`, whose result was y[T, C] float32.
  package static func softCapGradient(_ dx: Matrix, y: Matrix, _ cap: Float) {
    checkSame(dx, y)
    checkCompute(dx.dtype)
    checkFloat32(y.dtype)
    precondition(cap > 0, "values within \(cap)")
    let device = device(dx.storage, y.storage)
    Ledger.measure(.elementwise, bytes: 2 * dx.byteCount + y.byteCount) {
      device.softCapGradient(dx, y: y, cap)
    }
  }

  /// x[T, C] c: row i *= factors[i]; factors `[T]` float32.
  package static func scaleRows(_ x: Matrix, by factors: Tensor) {
    checkCompute(x.dtype)
    checkCount(factors, x.rows, "factors")
    let device = device(x.storage, factors.storage)
    Ledger.measure(.elementwise, bytes: 2 * x.byteCount) { device.scaleRows(x, by: factors) }
  }

  /// dots[T] float32 = Σ a·b of each row of a[T, C] and b[T, C], both c of one type.
  package static func rowDots(_ dots: Tensor, _ a: Matrix, _ b: Matrix) {
    checkCount(dots, a.rows, "dots")
    checkSame(a, b)
    checkCompute(a.dtype)
    precondition(a.dtype == b.dtype, "products of \(a.dtype) and \(b.dtype)")
    let device = device(dots.storage, a.storage, b.storage)
    Ledger.measure(.elementwise, bytes: a.byteCount + b.byteCount) { device.rowDots(dots, a, b, heads: 1) }
  }

  /// x[T, C] float32 += y[T, C] c.
  package static func add(_ x: Matrix, _ y: Matrix) {
    checkSame(x, y)
    checkFloat32(x.dtype)
    checkCompute(y.dtype)
    let device = device(x.storage, y.storage)
    Ledger.measure(.elementwise, bytes: 2 * x.byteCount + y.byteCount) { device.add(x, y) }
  }

  /// y[T, C] c += bias[C] float32.
  package static func addBias(_ y: Matrix, _ bias: Tensor) {
    checkCompute(y.dtype)
    checkCount(bias, y.columns, "bias")
    let device = device(y.storage, bias.storage)
    Ledger.measure(.elementwise, bytes: 2 * y.byteCount) { device.addBias(y, bias) }
  }

  /// sums[C] float32 += Σ over the rows of y[T, C] c, in their order: a bias's gradient.
  package static func addColumnSums(_ sums: Tensor, _ y: Matrix) {
    checkCompute(y.dtype)
    checkCount(sums, y.columns, "sums")
    let device = device(sums.storage, y.storage)
    Ledger.measure(.elementwise, bytes: y.byteCount) { device.addColumnSums(sums, y) }
  }

  /// out[T, C] float32 = the rows of table[V, C] (c or float16) that `tokens` name.
  package static func embed(_ out: Matrix, table: Tensor, tokens: [Int32]) {
    checkFloat32(out.dtype)
    gatherRows(out, table.matrix, rows: tokens)
  }

  /// out[i] = x[rows[i]], in out's type.
  package static func gatherRows(_ out: Matrix, _ x: Matrix, rows: [Int32]) {
    checkRows(out, rows, of: x)
    let device = device(out.storage, x.storage)
    let read = out.rows * x.columns * x.dtype.byteCount
    Ledger.measure(.elementwise, bytes: out.byteCount + read) {
      device.gatherRows(out, x, rows: rows)
    }
  }

  /// x[rows[i]] += y[i], all float32, in the order of i where a row comes twice.
  package static func scatterAddRows(_ x: Matrix, _ rows: [Int32], _ y: Matrix) {
    checkRows(y, rows, of: x)
    checkFloat32(x.dtype)
    checkFloat32(y.dtype)
    let device = device(x.storage, y.storage)
    Ledger.measure(.elementwise, bytes: 3 * y.byteCount) { device.scatterAddRows(x, rows, y) }
  }

  private static func checkRows(_ selected: Matrix, _ rows: [Int32], of x: Matrix) {
    precondition(
      selected.rows == rows.count && selected.columns == x.columns,
      "\(rows.count) rows of [\(x.rows), \(x.columns)] and a matrix [\(selected.rows), \(selected.columns)]")
    for row in rows { precondition(row >= 0 && row < x.rows, "row \(row) of \(x.rows)") }
  }
}

extension Tensor {
  /// A copy in another type or the same, on the same device, as `Ops.convert` rounds.
  package func converted(to dtype: DType) -> Tensor {
    let out = Tensor(shape, dtype, on: device)
    Ops.convert(out.matrix, matrix)
    return out
  }

  /// This tensor if it is of the type, otherwise a copy in it: to be read only.
  package func inType(_ dtype: DType) -> Tensor { self.dtype == dtype ? self : converted(to: dtype) }
}
