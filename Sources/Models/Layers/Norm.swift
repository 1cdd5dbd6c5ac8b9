import FireflyTensors

/// The norm before a block's half or the head.
struct Norm {
  let weight: Tensor  // [C] float32
  /// Nil in RMSNorm (Zhang and Sennrich, 2019), which does not subtract the mean either; set in LayerNorm (Ba et al., 2016).
  let bias: Tensor?  // [C] float32
  let epsilon: Float
  /// What weight and bias follow from; nil: they are frozen.
  var trained: TrainedNorm?

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

  /// dx += the derivative; adds to the parameters' gradients.
  func backward(_ dx: Matrix, _ dy: Matrix, _ x: Matrix, _ saved: Saved) {  // [T, C] float32
    trained?.addGradients(dy, x, saved)
    if let mean = saved.mean {
      Ops.layerNormGradient(dx, dy: dy, x: x, mean: mean, reciprocal: saved.reciprocal, weight: weight)
    } else {
      Ops.rmsNormGradient(dx, dy: dy, x: x, reciprocal: saved.reciprocal, weight: weight)
    }
  }

  /// To be called after the parameters' values were changed.
  func parametersChanged() { trained?.renew(weight, bias) }

  /// The same norm with its result multiplied by `factor`.
  func scaled(by factor: Float) -> Norm {
    func scaled(_ x: Tensor) -> Tensor { Tensor(x.floats.map { $0 * factor }, x.shape, on: x.device) }
    var norm = Norm(weight: scaled(weight), bias: bias.map(scaled), epsilon: epsilon, trained: trained)
    norm.trained?.factor *= factor
    return norm
  }
}

/// The parameters that a norm's weight and bias follow from: weight = (parameter + offset)·factor, bias = parameter·factor.
struct TrainedNorm {
  let weight: Parameter  // [C]
  let bias: Parameter?  // [C]
  /// 1 in Gemma's norms.
  let offset: Float
  /// The logits' factor, which the last norm takes in.
  var factor: Float = 1

  func renew(_ weight: Tensor, _ bias: Tensor?) {  // [C]
    weight.follow(self.weight.value)
    if offset != 0 {
      let offsets = [Float](repeating: offset, count: weight.count)
      Ops.add(weight.matrix, Tensor(offsets, weight.shape, on: weight.device).matrix)
    }
    if let bias, let parameter = self.bias { bias.follow(parameter.value) }
    guard factor != 1 else { return }
    for tensor in [weight, bias] { if let tensor { Ops.scale(tensor.matrix, by: factor) } }
  }

  func addGradients(_ dy: Matrix, _ x: Matrix, _ saved: Norm.Saved) {  // [T, C] float32
    let dWeight = Tensor.zeros([x.columns], .float32, on: x.device)
    Ops.normWeightGradient(dWeight, dy: dy, x: x, mean: saved.mean, reciprocal: saved.reciprocal)
    add(dWeight, to: weight)
    guard let bias else { return }
    let dBias = Tensor.zeros([x.columns], .float32, on: x.device)
    Ops.addColumnSums(dBias, dy)
    add(dBias, to: bias)
  }

  private func add(_ gradient: Tensor, to parameter: Parameter) {  // [C]
    if factor != 1 { Ops.scale(gradient.matrix, by: factor) }
    parameter.add(gradient)
  }
}
