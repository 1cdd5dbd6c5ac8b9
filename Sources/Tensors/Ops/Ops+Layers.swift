// The parts of a layer between its products: forward and gradient side by side.
extension Ops {
  /// Root-mean-square normalisation (Zhang & Sennrich 2019): y = x / rms(x) · weight, in float32.
  ///
  /// - Parameters:
  ///   - y: [T, C] c.
  ///   - reciprocal: [T] float32, set to 1 / √(mean x² + ε) for the gradient.
  ///   - x: [T, C] float32.
  ///   - weight: [C] float32.
  package static func rmsNorm(_ y: Matrix, reciprocal: Tensor, x: Matrix, weight: Tensor, epsilon: Float) {
    checkSame(y, x)
    checkCompute(y.dtype)
    checkCount(reciprocal, x.rows, "reciprocal")
    checkCount(weight, x.columns, "weight")
    let device = device(y.storage, reciprocal.storage, x.storage, weight.storage)
    Ledger.measure(.norms, bytes: y.byteCount + x.byteCount) {
      device.rmsNorm(y, reciprocal: reciprocal, x: x, weight: weight, epsilon: epsilon)
    }
  }

  /// dx[T, C] += the gradient of `rmsNorm` for dy[T, C]; all float32.
  package static func rmsNormGradient(_ dx: Matrix, dy: Matrix, x: Matrix, reciprocal: Tensor, weight: Tensor)
  {
    checkSame(dx, dy)
    checkSame(dx, x)
    for matrix in [dx, dy, x] { checkFloat32(matrix.dtype) }
    checkCount(reciprocal, x.rows, "reciprocal")
    checkCount(weight, x.columns, "weight")
    let device = device(dx.storage, dy.storage, x.storage, reciprocal.storage, weight.storage)
    Ledger.measure(.norms, bytes: 4 * x.byteCount) {
      device.rmsNormGradient(dx, dy: dy, x: x, reciprocal: reciprocal, weight: weight)
    }
  }

  /// dWeight[C] += the gradient of the weight of `rmsNorm`, or with `mean` of `layerNorm`, for dy[T, C]; all float32.
  ///
  /// Rows are added up in their order. The gradient of a bias is `addColumnSums` of dy.
  package static func normWeightGradient(
    _ dWeight: Tensor, dy: Matrix, x: Matrix, mean: Tensor? = nil, reciprocal: Tensor
  ) {
    checkSame(dy, x)
    for matrix in [dy, x] { checkFloat32(matrix.dtype) }
    checkCount(dWeight, x.columns, "weight's gradient")
    if let mean { checkCount(mean, x.rows, "mean") }
    checkCount(reciprocal, x.rows, "reciprocal")
    let device = device(dWeight.storage, dy.storage, x.storage, mean?.storage, reciprocal.storage)
    Ledger.measure(.norms, bytes: 2 * x.byteCount) {
      device.normWeightGradient(dWeight, dy: dy, x: x, mean: mean, reciprocal: reciprocal)
    }
  }

  /// Layer normalisation (Ba, Kiros & Hinton 2016): y = (x − mean) / √(variance + ε) · weight + bias, in float32.
  ///
  /// - Parameters:
  ///   - y: [T, C] c.
  ///   - mean: [T] float32, set to each row's mean for the gradient.
  ///   - reciprocal: [T] float32, set to 1 / √(variance + ε).
  ///   - x: [T, C] float32.
  ///   - weight: [C] float32.
  ///   - bias: [C] float32; nil adds nothing.
  package static func layerNorm(
    _ y: Matrix, mean: Tensor, reciprocal: Tensor, x: Matrix, weight: Tensor, bias: Tensor?, epsilon: Float
  ) {
    checkSame(y, x)
    checkCompute(y.dtype)
    checkCount(mean, x.rows, "mean")
    checkCount(reciprocal, x.rows, "reciprocal")
    checkCount(weight, x.columns, "weight")
    if let bias { checkCount(bias, x.columns, "bias") }
    let device = device(
      y.storage, mean.storage, reciprocal.storage, x.storage, weight.storage, bias?.storage)
    Ledger.measure(.norms, bytes: y.byteCount + x.byteCount) {
      device.layerNorm(
        y, mean: mean, reciprocal: reciprocal, x: x, weight: weight, bias: bias, epsilon: epsilon)
    }
  }

  /// dx[T, C] += the gradient of `layerNorm` for dy[T, C]; all float32.
  package static func layerNormGradient(
    _ dx: Matrix, dy: Matrix, x: Matrix, mean: Tensor, reciprocal: Tensor, weight: Tensor
  ) {
    checkSame(dx, dy)
    checkSame(dx, x)
    checkCount(mean, x.rows, "mean")
    checkCount(reciprocal, x.rows, "reciprocal")
    checkCount(weight, x.columns, "weight")
    let device = device(
      dx.storage, dy.storage, x.storage, mean.storage, reciprocal.storage, weight.storage)
    Ledger.measure(.norms, bytes: 4 * x.byteCount) {
      device.layerNormGradient(dx, dy: dy, x: x, mean: mean, reciprocal: reciprocal, weight: weight)
    }
  }

  /// Rotary positions (Su et al. 2021) in place.
  ///
  /// - Parameters:
  ///   - x: [T, heads·headDim] c. Of every head, elements from `rotaryDim` on stay as they are.
  ///   - cos: [T, rotaryDim/2] float32, the cosine of each row's angles; `sin` likewise.
  ///   - interleaved: Angle i turns elements 2i and 2i + 1, as in ChatGLM; otherwise i and i + rotaryDim/2, as in
  ///     transformers' `rotate_half`.
  ///   - inverse: Turns back, which is the gradient.
  package static func rotate(
    _ x: Matrix, headDim: Int, rotaryDim: Int, cos: Tensor, sin: Tensor, interleaved: Bool = false,
    inverse: Bool
  ) {
    checkCompute(x.dtype)
    let rotation = Rotation(
      headDim: headDim, rotaryDim: rotaryDim, cos: cos, sin: sin,
      turn: RotaryTurn(interleaved: interleaved, inverse: inverse))
    rotation.check(rows: x.rows, columns: x.columns, on: x.device)
    Ledger.measure(.elementwise, bytes: 2 * x.byteCount) { x.device.rotate(x, rotation) }
  }
}
