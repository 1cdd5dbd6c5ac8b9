import FireflyTensors

/// One decoder block: the attention and then the MLP, each within its frame added to the residual stream.
final class Block: Layer {
  let attentionFrame: HalfFrame
  let attention: AttentionHalf
  let feedForwardFrame: HalfFrame
  let feedForward: FeedForwardHalf
  /// False in the first block: nothing below uses it, unless the embedding is trained.
  let wantsInputGradient: Bool

  init(
    attentionFrame: HalfFrame, attention: AttentionHalf, feedForwardFrame: HalfFrame,
    feedForward: FeedForwardHalf, wantsInputGradient: Bool
  ) {
    self.attentionFrame = attentionFrame
    self.attention = attention
    self.feedForwardFrame = feedForwardFrame
    self.feedForward = feedForward
    self.wantsInputGradient = wantsInputGradient
  }

  struct Saved {
    let first: FirstHalf
    let feedForward: FeedForwardHalf.Saved
    let feedForwardLeft: HalfFrame.Left?
  }

  /// What is kept on the way to the second half's input.
  struct FirstHalf {
    let x: Tensor  // [T, C] float32
    let attentionEntered: HalfFrame.Entered?
    let attention: AttentionHalf.Saved
    let attentionLeft: HalfFrame.Left?
    let middle: Tensor  // [T, C] float32, between the two halves
    let feedForwardEntered: HalfFrame.Entered?
  }

  func forward(_ x: Tensor, _ batch: BatchContext) -> (y: Tensor, saved: Saved) {  // [T, C] → [T, C]
    let (first, secondInput) = firstHalf(x, batch)
    let (fed, feedForwardSaved) = feedForward.forward(
      secondInput, batch.pass, batch.balance, finish: feedForwardFrame.finish(first.middle))
    let (y, feedForwardLeft) = feedForwardFrame.leave(fed, first.middle)
    return (y, Saved(first: first, feedForward: feedForwardSaved, feedForwardLeft: feedForwardLeft))
  }

  func saved(_ x: Tensor, _ batch: BatchContext) -> Saved {  // [T, C]
    // A norm behind the second half keeps what the half gives.
    if feedForwardFrame.after != nil { return forward(x, batch).saved }
    let (first, secondInput) = firstHalf(x, batch)
    let feedForwardSaved = feedForward.saved(secondInput, batch.pass, batch.balance)
    return Saved(first: first, feedForward: feedForwardSaved, feedForwardLeft: nil)
  }

  private func firstHalf(  // [T, C] → [T, C] c
    _ x: Tensor, _ batch: BatchContext
  ) -> (FirstHalf, secondInput: Matrix) {
    let input = attention.makeInput(rows: x.rows)
    let attentionEntered = attentionFrame.enter(input, x)
    let (attended, attentionSaved) = attention.forward(input, batch, finish: attentionFrame.finish(x))
    let (middle, attentionLeft) = attentionFrame.leave(attended, x)

    let secondInput = attention.makeInput(rows: x.rows)
    let feedForwardEntered = feedForwardFrame.enter(secondInput, middle)
    let first = FirstHalf(
      x: x, attentionEntered: attentionEntered, attention: attentionSaved, attentionLeft: attentionLeft,
      middle: middle, feedForwardEntered: feedForwardEntered)
    return (first, secondInput)
  }

  func backward(_ dy: Tensor, _ saved: Saved, _ batch: BatchContext) -> Tensor? {  // [T, C] → [T, C]
    let first = saved.first
    let dMiddle = dy  // what comes through the residual connection, and then all of it
    let dSecondInput = feedForward.backward(
      feedForwardFrame.leaveGradient(dy, saved.feedForwardLeft), saved.feedForward, batch.pass, batch.balance)
    feedForwardFrame.enterGradient(dMiddle, dSecondInput, first.middle, first.feedForwardEntered)

    let wantsInputGradient =
      wantsInputGradient || batch.reachesEmbedding || attentionFrame.wantsInputGradient
    guard
      let dInput = attention.backward(
        attentionFrame.leaveGradient(dMiddle, first.attentionLeft), first.attention, batch,
        wantsInputGradient: wantsInputGradient)
    else { return nil }
    attentionFrame.enterGradient(dMiddle, dInput, first.x, first.attentionEntered)
    return dMiddle
  }

  /// To be called after the parameters' values were changed.
  func parametersChanged() {
    attentionFrame.parametersChanged()
    attention.parametersChanged()
    feedForwardFrame.parametersChanged()
    for group in feedForward.groups { group.parametersChanged() }
  }

  /// One block of a cached step; x becomes its result.
  func step(_ x: Tensor, _ rows: [CachedRows], layer: Int, _ angles: Angles) {  // [T, C]
    let pass = rows.allSatisfy { $0.range.count == 1 } ? Pass.generation : .evaluation
    let input = attention.makeInput(rows: x.rows)
    _ = attentionFrame.enter(input, x)
    attentionFrame.add(attention.step(input, rows, layer: layer, angles, pass), to: x)
    let secondInput = attention.makeInput(rows: x.rows)
    _ = feedForwardFrame.enter(secondInput, x)
    feedForwardFrame.add(feedForward.forward(secondInput, pass, nil).y, to: x)
  }
}
