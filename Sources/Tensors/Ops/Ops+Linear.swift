extension Ops {
  /// Several linear layers over the same rows, their outputs side by side: y of part i = x·Wᵢᵀ + hᵢ·Bᵢᵀ.
  ///
  /// Both products of a part meet in a float32 tile that stays in the cache, so y is rounded once, and the thin one
  /// runs at the rate of the wide one. NF4 weights are decoded a slice of rows at a time, never as a whole.
  /// - Parameters:
  ///   - y: `[T, Σ outputs]`, float32 or the type of `x`.
  ///   - x: `[T, inputs]` float32 or bfloat16
  ///   - low: To each part its h `[T, r]`, scaled already, or nil for the frozen weight alone; of the type of `x`.
  ///   - rowByRow: A row's result shall not depend on the other rows: for generation. So it is for up to eight rows anyway.
  public static func linear(
    _ y: Matrix, _ x: Matrix, parts: [LinearPart], low: [Matrix?], rowByRow: Bool = false
  ) {
    precondition(parts.count == low.count, "\(parts.count) parts with \(low.count) adapters")
    precondition(
      y.rows == x.rows && (y.dtype == x.dtype || y.dtype == .float32),
      "linear from [\(x.rows)] \(x.dtype) to [\(y.rows)] \(y.dtype)")
    precondition(parts.reduce(0) { $0 + $1.outputs } == y.columns, "outputs do not fill \(y.columns) columns")
    for (part, h) in zip(parts, low) { part.check(x, h) }
    if x.rows == 0 { return }
    let device = device(y.storage, x.storage)
    Ledger.measure(.matrices, flop: linearFlop(x.rows, parts, low)) {
      device.linear(y, x, parts: parts, low: low, rowByRow: rowByRow)
    }
  }

  /// The gradient of `linear` with respect to x through the frozen weights: dx (+)= Σ dyᵢ·Wᵢ.
  ///
  /// - Parameters:
  ///   - dx: `[T, inputs]` float32
  ///   - dy: `[T, Σ outputs]`, float32 or bfloat16.
  public static func linearInputGradient(_ dx: Matrix, _ dy: Matrix, parts: [LinearPart], accumulate: Bool) {
    precondition(dx.rows == dy.rows && dx.dtype == .float32, "dx [\(dx.rows)] \(dx.dtype) of dy [\(dy.rows)]")
    precondition(
      parts.reduce(0) { $0 + $1.outputs } == dy.columns, "outputs do not fill \(dy.columns) columns")
    for part in parts { part.check(dx.columns, dy) }
    if dx.rows == 0 || dx.columns == 0 { return }
    let device = device(dx.storage, dy.storage)
    Ledger.measure(.matrices, flop: linearFlop(dx.rows, parts, parts.map { _ in nil })) {
      device.linearInputGradient(dx, dy, parts: parts, accumulate: accumulate)
    }
  }

  private static func linearFlop(_ rows: Int, _ parts: [LinearPart], _ low: [Matrix?]) -> Double {
    zip(parts, low).reduce(0) { sum, pair in
      sum + 2 * Double(rows) * Double(pair.0.outputs) * Double(pair.0.inputs + (pair.1?.columns ?? 0))
    }
  }
}

extension LinearPart {
  fileprivate func check(_ x: Matrix, _ h: Matrix?) {
    check(x.columns, x)
    guard let h else { return }
    guard let adapterB else { preconditionFailure("h for a part without an adapter") }
    precondition(
      h.rows == x.rows && adapterB.shape == [outputs, h.columns] && h.dtype == x.dtype
        && adapterB.dtype == x.dtype,
      "h [\(h.rows), \(h.columns)] \(h.dtype) with B \(adapterB.shape) \(adapterB.dtype)")
  }

  fileprivate func check(_ columns: Int, _ x: Matrix) {
    precondition(columns == inputs, "\(columns) columns for \(inputs) inputs")
    _ = Ops.device(x.storage, weight.storage, adapterB?.storage)
    switch weight {
    case .dense(let tensor):
      precondition(
        tensor.shape == [outputs, inputs] && tensor.dtype == x.dtype,
        "weight \(tensor.shape) \(tensor.dtype) for [\(outputs), \(inputs)] \(x.dtype)")
    case .nf4(let tensor):
      precondition(tensor.shape == [outputs, inputs], "weight \(tensor.shape) for [\(outputs), \(inputs)]")
    }
  }
}
