import FireflyTensors

/// The norm before a block's half or the head, with a frozen weight.
struct Norm {
  let weight: Tensor  // [C] float32
  let epsilon: Float

  /// The same norm with its result multiplied by `factor`.
  func scaled(by factor: Float) -> Norm {
    let scaled = Tensor(weight.floats.map { $0 * factor }, weight.shape)
    return Norm(weight: scaled, epsilon: epsilon)
  }

  /// What the backward needs of the forward, beside the input.
  struct Saved {
    let reciprocal: Tensor  // [T], 1 / rms of every row
  }

  /// y = x / rms(x) ⊙ w.
  func forward(into y: Matrix, _ x: Matrix) -> Saved {  // [T, C]
    let reciprocal = Tensor([x.rows], .float32)
    Ops.rmsNorm(y, reciprocal: reciprocal, x: x, weight: weight, epsilon: epsilon)
    return Saved(reciprocal: reciprocal)
  }

  /// dx += the derivative.
  func backward(_ dx: Matrix, _ dy: Matrix, _ x: Matrix, _ saved: Saved) {  // [T, C] float32
    Ops.rmsNormGradient(dx, dy: dy, x: x, reciprocal: saved.reciprocal, weight: weight)
  }
}
