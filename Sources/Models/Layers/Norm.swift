import FireflyTensors

/// The norm before a block's half or the head, with frozen weights.
struct Norm {
  let weight: Tensor  // [C] float32
  /// Nil in RMSNorm (Zhang and Sennrich, 2019), which does not subtract the mean either; set in LayerNorm (Ba et al., 2016).
  let bias: Tensor?  // [C] float32
  let epsilon: Float

  /// What the backward needs of the forward, beside the input.
  struct Saved {
    let reciprocal: Tensor  // [T], 1 / rms or 1 / deviation of every row
    let mean: Tensor?  // [T], in LayerNorm
  }

  /// y = x / rms(x) ⊙ w, or (x − mean) / deviation ⊙ w + bias.
  func forward(into y: Matrix, _ x: Matrix) -> Saved {  // [T, C]
    let reciprocal = Tensor([x.rows], .float32, on: x.device)
    guard let bias else {
      Ops.rmsNorm(y, reciprocal: reciprocal, x: x, weight: weight, epsilon: epsilon)
      return Saved(reciprocal: reciprocal, mean: nil)
    }
    let mean = Tensor([x.rows], .float32, on: x.device)
    Ops.layerNorm(
      y, mean: mean, reciprocal: reciprocal, x: x, weight: weight, bias: bias, epsilon: epsilon)
    return Saved(reciprocal: reciprocal, mean: mean)
  }

  /// dx += the derivative.
  func backward(_ dx: Matrix, _ dy: Matrix, _ x: Matrix, _ saved: Saved) {  // [T, C] float32
    if let mean = saved.mean {
      Ops.layerNormGradient(dx, dy: dy, x: x, mean: mean, reciprocal: saved.reciprocal, weight: weight)
    } else {
      Ops.rmsNormGradient(dx, dy: dy, x: x, reciprocal: saved.reciprocal, weight: weight)
    }
  }

  /// The same norm with its result multiplied by `factor`.
  func scaled(by factor: Float) -> Norm {
    func scaled(_ x: Tensor) -> Tensor { Tensor(x.floats.map { $0 * factor }, x.shape, on: x.device) }
    return Norm(weight: scaled(weight), bias: bias.map(scaled), epsilon: epsilon)
  }
}
