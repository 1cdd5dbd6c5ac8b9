import FireflyTensors

/// One decoder block: x + s·attention(norm(x)), then + s·MLP(norm(·)).
final class Block: Layer {
  let attentionNorm: Norm
  let attention: AttentionHalf
  let feedForwardNorm: Norm
  let feedForward: FeedForwardHalf
  /// s
  let residualScale: Float
  /// False in the first block: nothing below uses it, unless the embedding is trained.
  let wantsInputGradient: Bool

  init(
    attentionNorm: Norm, attention: AttentionHalf, feedForwardNorm: Norm, feedForward: FeedForwardHalf,
    residualScale: Float, wantsInputGradient: Bool
  ) {
    self.attentionNorm = attentionNorm
    self.attention = attention
    self.feedForwardNorm = feedForwardNorm
    self.feedForward = feedForward
    self.residualScale = residualScale
    self.wantsInputGradient = wantsInputGradient
  }

  struct Saved {
    let x: Tensor  // [T, C] float32
    let attentionNorm: Norm.Saved
    let attention: AttentionHalf.Saved
    let middle: Tensor  // [T, C] float32, between the two halves
    let feedForwardNorm: Norm.Saved
    let feedForward: FeedForwardHalf.Saved
  }

  func forward(_ x: Tensor, _ batch: BatchContext) -> (y: Tensor, saved: Saved) {  // [T, C] → [T, C]
    let normed = attention.makeInput(rows: x.rows)
    let attentionNormSaved = attentionNorm.forward(into: normed, x.matrix)
    let (attended, attentionSaved) = attention.forward(normed, batch)
    let middle = x.converted(to: .float32)
    add(attended, to: middle)

    let normedMiddle = attention.makeInput(rows: x.rows)
    let feedForwardNormSaved = feedForwardNorm.forward(into: normedMiddle, middle.matrix)
    let (fed, feedForwardSaved) = feedForward.forward(normedMiddle, batch.pass, batch.balance)
    let y = middle.converted(to: .float32)
    add(fed, to: y)
    let saved = Saved(
      x: x, attentionNorm: attentionNormSaved, attention: attentionSaved, middle: middle,
      feedForwardNorm: feedForwardNormSaved, feedForward: feedForwardSaved)
    return (y, saved)
  }

  func backward(_ dy: Tensor, _ saved: Saved, _ batch: BatchContext) -> Tensor? {  // [T, C] → [T, C]
    // y = middle + s·feedForward(norm(middle))
    let dMiddle = dy.converted(to: .float32)
    let dNormedMiddle = feedForward.backward(
      branchGradient(dy), saved.feedForward, batch.pass, batch.balance)
    feedForwardNorm.backward(
      dMiddle.matrix, dNormedMiddle.matrix, saved.middle.matrix, saved.feedForwardNorm)

    // middle = x + s·attention(norm(x))
    let wantsInputGradient =
      wantsInputGradient || batch.reachesEmbedding || attentionNorm.trained != nil
    guard
      let dNormed = attention.backward(
        branchGradient(dMiddle), saved.attention, batch, wantsInputGradient: wantsInputGradient)
    else { return nil }
    attentionNorm.backward(dMiddle.matrix, dNormed.matrix, saved.x.matrix, saved.attentionNorm)
    return dMiddle
  }

  /// To be called after the parameters' values were changed.
  func parametersChanged() {
    for norm in [attentionNorm, feedForwardNorm] + attention.norms { norm.parametersChanged() }
    for group in attention.groups + feedForward.groups { group.parametersChanged() }
  }

  /// One block of a cached step; x becomes its result.
  func step(_ x: Tensor, _ rows: [CachedRows], layer: Int, _ rotary: RotaryTables?) {  // [T, C]
    let pass = rows.allSatisfy { $0.range.count == 1 } ? Pass.generation : .evaluation
    let normed = attention.makeInput(rows: x.rows)
    _ = attentionNorm.forward(into: normed, x.matrix)
    add(attention.step(normed, rows, layer: layer, rotary, pass), to: x)
    let normedMiddle = attention.makeInput(rows: x.rows)
    _ = feedForwardNorm.forward(into: normedMiddle, x.matrix)
    add(feedForward.forward(normedMiddle, pass, nil).y, to: x)
  }

  /// x += s·branch; the branch is used up.
  private func add(_ branch: Tensor, to x: Tensor) {  // [T, C] c, float32
    if residualScale != 1 { Ops.scale(branch.matrix, by: residualScale) }
    Ops.add(x.matrix, branch.matrix)
  }

  /// s·dy
  private func branchGradient(_ dy: Tensor) -> Tensor {  // [T, C] float32
    guard residualScale != 1 else { return dy }
    let scaled = dy.converted(to: .float32)
    Ops.scale(scaled.matrix, by: residualScale)
    return scaled
  }
}
