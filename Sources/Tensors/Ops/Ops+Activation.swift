extension Ops {
  /// y[T, F] = f(x[T, F]), both c.
  package static func activate(_ y: Matrix, _ x: Matrix, activation: Activation) {
    checkSame(y, x)
    activate(y, x, gating: nil, activation)
  }

  /// dx[T, F] c = dy·f'(x), the gradient of `activate` for dy[T, F], of the compute type or float32.
  package static func activateGradient(_ dx: Matrix, dy: Matrix, x: Matrix, activation: Activation) {
    checkSame(dy, x)
    checkSame(dx, x)
    activateGradient(dx, dUp: nil, dy: dy, x: x, gating: nil, activation)
  }

  /// The gated unit (Shazeer 2020): y[T, F] = f(gate)·up with gateUp[T, 2F] = [gate | up], both c; `clamped` takes more of
  /// up than its value.
  package static func activateGated(_ y: Matrix, gateUp: Matrix, activation: Activation) {
    let (gate, up) = halves(gateUp, like: y)
    activate(y, gate, gating: up, activation)
  }

  /// dGateUp[T, 2F] c = the gradient of `activateGated` for dy[T, F], of the compute type or float32.
  package static func activateGatedGradient(
    _ dGateUp: Matrix, dy: Matrix, gateUp: Matrix, activation: Activation
  ) {
    let (gate, up) = halves(gateUp, like: dy)
    let (dGate, dUp) = halves(dGateUp, like: dy)
    activateGradient(dGate, dUp: dUp, dy: dy, x: gate, gating: up, activation)
  }

  private static func halves(_ gateUp: Matrix, like y: Matrix) -> (Matrix, Matrix) {
    precondition(
      y.rows == gateUp.rows && 2 * y.columns == gateUp.columns,
      "[\(y.rows), \(y.columns)] is no gated half of [\(gateUp.rows), \(gateUp.columns)]")
    return (gateUp.columns(0..<y.columns), gateUp.columns(y.columns..<2 * y.columns))
  }

  private static func activate(_ y: Matrix, _ x: Matrix, gating up: Matrix?, _ activation: Activation) {
    checkCompute(y.dtype)
    precondition(y.dtype == x.dtype, "activation: \(y.dtype) from \(x.dtype)")
    let device = device(y.storage, x.storage, up?.storage)
    let bytes = y.byteCount + x.byteCount + (up?.byteCount ?? 0)
    Ledger.measure(.elementwise, bytes: bytes) {
      device.activate(y, x, gating: up, activation)
    }
  }

  private static func activateGradient(
    _ dx: Matrix, dUp: Matrix?, dy: Matrix, x: Matrix, gating up: Matrix?, _ activation: Activation
  ) {
    checkCompute(x.dtype)
    checkCompute(dy.dtype)
    precondition(dx.dtype == x.dtype, "activation gradient: \(dx.dtype) from \(x.dtype)")
    let device = device(dx.storage, dUp?.storage, dy.storage, x.storage, up?.storage)
    // z and its gradient, twice as wide where there is a gate.
    let bytes = dy.byteCount + 2 * (x.byteCount + (up?.byteCount ?? 0))
    Ledger.measure(.elementwise, bytes: bytes) {
      device.activateGradient(dx, dUp: dUp, dy: dy, x: x, gating: up, activation)
    }
  }
}
