import CKernels

// The parts of a layer between its products: forward and gradient side by side.
extension Ops {
  /// Root-mean-square normalisation (Zhang & Sennrich 2019): y = x / rms(x) · weight, in float32.
  ///
  /// - Parameters:
  ///   - y: [T, C] c.
  ///   - reciprocal: [T] float32, set to 1 / √(mean x² + ε) for the gradient.
  ///   - x: [T, C] float32.
  ///   - weight: [C] float32.
  public static func rmsNorm(_ y: Matrix, reciprocal: Tensor, x: Matrix, weight: Tensor, epsilon: Float) {
    checkSame(y, x)
    checkCompute(y.dtype)
    checkCount(reciprocal, x.rows, "reciprocal")
    checkCount(weight, x.columns, "weight")
    let k = kernels
    split(x.rows, cost: x.columns, part: .norms) { rows in
      let start = rows.lowerBound
      k.pointee.rms_norm(
        y.row(start), y.dtype.code, y.stride, reciprocal.floatPointer + start, x.floatRow(start), x.stride,
        weight.floatPointer, epsilon, rows.count, x.columns)
    }
  }

  /// dx[T, C] += the gradient of `rmsNorm` for dy[T, C]; all float32, the weight being frozen.
  public static func rmsNormGradient(_ dx: Matrix, dy: Matrix, x: Matrix, reciprocal: Tensor, weight: Tensor)
  {
    checkSame(dx, dy)
    checkSame(dx, x)
    checkCount(reciprocal, x.rows, "reciprocal")
    checkCount(weight, x.columns, "weight")
    let k = kernels
    split(x.rows, cost: x.columns, part: .norms) { rows in
      let start = rows.lowerBound
      k.pointee.rms_norm_gradient(
        dx.floatRow(start), dx.stride, dy.floatRow(start), dy.stride, x.floatRow(start), x.stride,
        reciprocal.floatPointer + start, weight.floatPointer, rows.count, x.columns)
    }
  }

  /// Rotary positions (Su et al. 2021) in place, in the half-split order of transformers' `rotate_half`.
  ///
  /// - Parameters:
  ///   - x: [T, heads·headDim] c. In every head, element i < rotaryDim/2 pairs with i + rotaryDim/2.
  ///   - cos: [T, rotaryDim/2] float32, the cosine of each row's angles; `sin` likewise.
  ///   - inverse: Turns back, which is the gradient.
  public static func rotate(
    _ x: Matrix, headDim: Int, rotaryDim: Int, cos: Tensor, sin: Tensor, inverse: Bool
  ) {
    checkCompute(x.dtype)
    precondition(headDim > 0 && x.columns % headDim == 0, "\(x.columns) columns in heads of \(headDim)")
    precondition(
      rotaryDim >= 0 && rotaryDim <= headDim && rotaryDim % 2 == 0,
      "\(rotaryDim) rotary dimensions of \(headDim)")
    checkCount(cos, x.rows * rotaryDim / 2, "cos")
    checkCount(sin, x.rows * rotaryDim / 2, "sin")
    let k = kernels
    split(x.rows, cost: x.columns) { rows in
      let start = rows.lowerBound
      k.pointee.rotate(
        x.row(start), x.dtype.code, x.stride, cos.floatPointer + start * rotaryDim / 2,
        sin.floatPointer + start * rotaryDim / 2, inverse ? -1 : 1, rows.count, x.columns / headDim, headDim,
        rotaryDim)
    }
  }

  /// The gated unit (Shazeer 2020): y[T, F] = silu(gate)·up with gateUp[T, 2F] = [gate | up], both c.
  public static func swiGLU(_ y: Matrix, gateUp: Matrix) {
    checkGate(y, gateUp)
    checkCompute(y.dtype)
    precondition(y.dtype == gateUp.dtype, "swiGLU: \(y.dtype) from \(gateUp.dtype)")
    let k = kernels
    split(y.rows, cost: 4 * y.columns) { rows in
      k.pointee.swiglu(
        y.row(rows.lowerBound), y.stride, gateUp.row(rows.lowerBound), gateUp.stride, y.dtype.code,
        rows.count,
        y.columns)
    }
  }

  /// dGateUp[T, 2F] c = the gradient of `swiGLU` for dy[T, F], of the compute type or float32.
  public static func swiGLUGradient(_ dGateUp: Matrix, dy: Matrix, gateUp: Matrix) {
    checkGate(dy, gateUp)
    checkSame(dGateUp, gateUp)
    checkCompute(gateUp.dtype)
    checkCompute(dy.dtype)
    precondition(dGateUp.dtype == gateUp.dtype, "swiGLUGradient: \(dGateUp.dtype) from \(gateUp.dtype)")
    let k = kernels
    split(dy.rows, cost: 8 * dy.columns) { rows in
      let start = rows.lowerBound
      k.pointee.swiglu_gradient(
        dGateUp.row(start), dGateUp.stride, dy.row(start), dy.dtype.code, dy.stride, gateUp.row(start),
        gateUp.stride, gateUp.dtype.code, rows.count, dy.columns)
    }
  }

  private static func checkGate(_ y: Matrix, _ gateUp: Matrix) {
    precondition(
      y.rows == gateUp.rows && 2 * y.columns == gateUp.columns,
      "[\(y.rows), \(y.columns)] is no gated half of [\(gateUp.rows), \(gateUp.columns)]")
  }
}
