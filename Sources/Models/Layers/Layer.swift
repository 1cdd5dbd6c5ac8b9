import FireflyTensors

/// A micro-batch as the layers see it: ragged rows laid end to end.
struct BatchContext {
  let starts: [Int32]  // [S+1]
  /// Where some sequences continue another one; nil where each stands for itself.
  let branches: Branches?
  /// The rows' angles.
  let angles: Angles
  let pass: Pass
  /// Where the pass asks for it.
  let noise: EmbeddingNoise?
  /// The embedding is trained, so that the first block passes a gradient on.
  let reachesEmbedding: Bool
  /// Gathers the routers' auxiliary loss in training; nil in a model without one.
  let balance: BalanceLoss?
}

/// A function of the residual stream and its derivative.
///
/// `backward` adds to the gradients of the layer's parameters and returns dx, or nil where nobody needs it. dy is used up:
/// dx may be its memory.
protocol Layer {
  associatedtype Saved
  func forward(_ x: Tensor, _ batch: BatchContext) -> (y: Tensor, saved: Saved)  // [T, C] → [T, C]
  /// What `forward` keeps, without computing what only its result needs.
  func saved(_ x: Tensor, _ batch: BatchContext) -> Saved  // [T, C]
  func backward(_ dy: Tensor, _ saved: Saved, _ batch: BatchContext) -> Tensor?  // [T, C] → [T, C]
}

/// The same layer, keeping only its input: the backward runs the forward again (Chen et al., 2016).
struct Checkpointed<Inner: Layer>: Layer {
  let inner: Inner

  func forward(_ x: Tensor, _ batch: BatchContext) -> (y: Tensor, saved: Tensor) {
    (inner.forward(x, batch).y, saved(x, batch))
  }

  func saved(_ x: Tensor, _ batch: BatchContext) -> Tensor { x.inType(batch.pass.checkpointType) }

  func backward(_ dy: Tensor, _ saved: Tensor, _ batch: BatchContext) -> Tensor? {
    inner.backward(dy, inner.saved(saved.inType(.float32), batch), batch)
  }
}
