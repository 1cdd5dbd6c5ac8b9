import FireflyTensors

/// RMSNorm (Zhang and Sennrich, 2019) with a frozen weight.
struct Norm {
  let weight: Tensor  // [C] float32
  let epsilon: Float

  /// y = x / rms(x) ⊙ w; returns 1 / rms of every row.
  func forward(into y: Matrix, _ x: Matrix) -> Tensor {  // [T, C] → [T]
    let reciprocal = Tensor([x.rows], .float32)
    Ops.rmsNorm(y, reciprocal: reciprocal, x: x, weight: weight, epsilon: epsilon)
    return reciprocal
  }

  /// dx += the derivative.
  func backward(_ dx: Matrix, _ dy: Matrix, _ x: Matrix, _ reciprocal: Tensor) {
    Ops.rmsNormGradient(dx, dy: dy, x: x, reciprocal: reciprocal, weight: weight)
  }
}

/// One decoder block: x + attention(norm(x)), then + MLP(norm(·)).
struct Block: Layer {
  let attentionNorm: Norm
  let attention: Attention
  let feedForwardNorm: Norm
  let feedForward: FeedForward
  /// The first block's input gradient is never used.
  let wantsInputGradient: Bool

  struct Saved {
    let x: Tensor  // [T, C] float32
    let attentionReciprocal: Tensor  // [T]
    let attention: Attention.Saved
    let middle: Tensor  // [T, C] float32, between the two halves
    let feedForwardReciprocal: Tensor  // [T]
    let feedForward: FeedForward.Saved
  }

  func forward(_ x: Tensor, _ batch: BatchContext) -> (y: Tensor, saved: Saved) {  // [T, C] → [T, C]
    let normed = attention.input.makeInput(rows: x.rows)
    let attentionReciprocal = attentionNorm.forward(into: normed, x.matrix)
    let (attended, attentionSaved) = attention.forward(normed, batch)
    let middle = sum(x, attended)

    let normedMiddle = feedForward.input.makeInput(rows: x.rows)
    let feedForwardReciprocal = feedForwardNorm.forward(into: normedMiddle, middle.matrix)
    let (fed, feedForwardSaved) = feedForward.forward(normedMiddle, batch.pass)
    let saved = Saved(
      x: x, attentionReciprocal: attentionReciprocal, attention: attentionSaved, middle: middle,
      feedForwardReciprocal: feedForwardReciprocal, feedForward: feedForwardSaved)
    return (sum(middle, fed), saved)
  }

  func backward(_ dy: Tensor, _ saved: Saved, _ batch: BatchContext) -> Tensor? {  // [T, C] → [T, C]
    // y = middle + feedForward(norm(middle))
    let dMiddle = copy(dy)
    let dNormedMiddle = feedForward.backward(dy, saved.feedForward, batch.pass)
    feedForwardNorm.backward(
      dMiddle.matrix, dNormedMiddle.matrix, saved.middle.matrix, saved.feedForwardReciprocal)

    // middle = x + attention(norm(x))
    guard
      let dNormed = attention.backward(
        dMiddle, saved.attention, batch, wantsInputGradient: wantsInputGradient)
    else { return nil }
    attentionNorm.backward(dMiddle.matrix, dNormed.matrix, saved.x.matrix, saved.attentionReciprocal)
    return dMiddle
  }

  private func sum(_ x: Tensor, _ y: Tensor) -> Tensor {  // [T, C] float32 + c
    let result = copy(x)
    Ops.add(result.matrix, y.matrix)
    return result
  }

  private func copy(_ x: Tensor) -> Tensor {
    let result = Tensor(x.shape, .float32)
    Ops.convert(result.matrix, x.matrix)
    return result
  }
}
