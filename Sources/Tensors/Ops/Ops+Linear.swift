extension Ops {
  /// Several linear layers over the same rows, their outputs side by side: y of part i = x·Wᵢᵀ + hᵢ·Bᵢᵀ + biasᵢ.
  ///
  /// Both products of a part meet in a float32 tile that stays in the cache, so y is rounded once, and again with its bias;
  /// the thin one runs at the rate of the wide one. NF4 weights are decoded a slice of rows at a time, never as a whole.
  /// - Parameters:
  ///   - y: `[T, Σ outputs]`, float32 or the type of `x`; float32 where `finish` adds the result to another matrix.
  ///   - x: `[T, inputs]` c
  ///   - low: To each part its h `[T, r]`, scaled already, or nil for the frozen weight alone; of the type of `x`.
  ///   - rowByRow: A row's result shall not depend on the other rows: for generation. So it is for up to eight rows anyway.
  ///   - finish: What is done with the result while it is in the cache.
  package static func linear(
    _ y: Matrix, _ x: Matrix, parts: [LinearPart], low: [Matrix?], rowByRow: Bool = false,
    finish: LinearFinish = .none
  ) {
    precondition(parts.count == low.count, "\(parts.count) parts with \(low.count) adapters")
    precondition(
      y.rows == x.rows && (y.dtype == x.dtype || y.dtype == .float32),
      "linear from [\(x.rows)] \(x.dtype) to [\(y.rows)] \(y.dtype)")
    let device = device(y.storage, x.storage)
    checkParts(parts, outputs: y, inputs: x.columns, of: x.dtype, on: device)
    for index in parts.indices {
      if let h = low[index] { parts[index].check(h, rows: x.rows, of: x.dtype) }
    }
    if x.rows == 0 { return }
    guard let finish = finish.checked(y, x.dtype, on: device) else {
      return Ledger.measure(.matrices, flop: linearFlop(x.rows, parts, low)) {
        device.linear(y, x, parts: parts, low: low, rowByRow: rowByRow)
      }
    }
    Ledger.measure(.matrices, flop: linearFlop(x.rows, parts, low), bytes: finish.bytes) {
      device.linear(y, x, parts: parts, low: low, rowByRow: rowByRow, finish: finish)
    }
  }

  /// The gradient of `linear` with respect to x through the frozen weights: dx (+)= Σ dyᵢ·Wᵢ.
  ///
  /// - Parameters:
  ///   - dx: `[T, inputs]` float32
  ///   - dy: `[T, Σ outputs]` c.
  package static func linearInputGradient(_ dx: Matrix, _ dy: Matrix, parts: [LinearPart], accumulate: Bool) {
    precondition(dx.rows == dy.rows && dx.dtype == .float32, "dx [\(dx.rows)] \(dx.dtype) of dy [\(dy.rows)]")
    let device = device(dx.storage, dy.storage)
    checkParts(parts, outputs: dy, inputs: dx.columns, of: dy.dtype, on: device)
    if dx.rows == 0 || dx.columns == 0 { return }
    Ledger.measure(.matrices, flop: linearFlop(dx.rows, parts, parts.map { _ in nil })) {
      device.linearInputGradient(dx, dy, parts: parts, accumulate: accumulate)
    }
  }

  /// The same with what comes through low-rank pairs: dx = Σ dyᵢ·Wᵢ + m ⊙ (dLow·A), or what `finish` makes of it.
  ///
  /// - Parameters:
  ///   - dx: `[T, inputs]` float32 or the type of dy, or what `finish` says.
  ///   - dy: `[T, Σ outputs]` c.
  ///   - pairs: nil: there are none.
  package static func linearInputGradient(
    _ dx: Matrix, _ dy: Matrix, parts: [LinearPart], through pairs: LowRankGradient?,
    finish: InputGradientFinish = .none
  ) {
    let inputs = parts[0].inputs
    let device = device(dx.storage, dy.storage, pairs?.low.storage, pairs?.a.storage, finish.operand?.storage)
    precondition(dx.rows == dy.rows, "dx [\(dx.rows)] of dy [\(dy.rows)]")
    checkParts(parts, outputs: dy, inputs: inputs, of: dy.dtype, on: device)
    pairs?.check(rows: dy.rows, inputs: inputs, of: dy.dtype)
    finish.check(dx, inputs: inputs, of: dy.dtype)
    if dx.rows == 0 { return }
    let flop = linearFlop(dx.rows, parts, parts.map { _ in nil }) + (pairs?.flop ?? 0)
    Ledger.measure(.matrices, flop: flop, bytes: finish.bytes) {
      device.linearInputGradient(dx, dy, parts: parts, through: pairs, finish: finish)
    }
  }

  /// dx[T, in] float32 += m ⊙ (dLow·A).
  package static func add(_ pairs: LowRankGradient, to dx: Matrix) {
    checkFloat32(dx.dtype)
    pairs.check(rows: dx.rows, inputs: dx.columns, of: pairs.low.dtype)
    let device = device(dx.storage, pairs.low.storage, pairs.a.storage)
    let bytes = pairs.dropout == nil ? 0 : 2 * dx.byteCount
    Ledger.measure(.matrices, flop: pairs.flop, bytes: bytes) { device.add(pairs, to: dx) }
  }

  /// By index: handing parts on would count references, and there are two hundred such products to a token.
  private static func checkParts(
    _ parts: [LinearPart], outputs y: Matrix, inputs: Int, of dtype: DType, on device: any Device
  ) {
    var outputs = 0
    for index in parts.indices {
      parts[index].check(columns: inputs, of: dtype, on: device)
      outputs += parts[index].outputs
    }
    precondition(outputs == y.columns, "\(outputs) outputs do not fill \(y.columns) columns")
  }

  private static func linearFlop(_ rows: Int, _ parts: [LinearPart], _ low: [Matrix?]) -> Double {
    zip(parts, low).reduce(0) { sum, pair in
      sum + 2 * Double(rows) * Double(pair.0.outputs) * Double(pair.0.inputs + (pair.1?.columns ?? 0))
    }
  }
}
