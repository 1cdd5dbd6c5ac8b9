import FireflyTensors

/// What one pass over one micro-batch needs beside its tokens.
public struct Pass: Sendable {
  /// With `step` and `microBatch`, decides the dropout's bits, so that a recomputation repeats them.
  public var seed: UInt64
  public var step: UInt64
  public var microBatch: UInt64
  /// Where the rows of a part of a micro-batch begin in the whole, so that dropout is that of the whole.
  package var firstRow = 0
  /// The targets before them.
  package var firstTarget = 0
  /// Dropout is on.
  public var training: Bool
  /// Blocks keep only their input and are computed again in the backward.
  public var checkpointing: Bool
  /// What those inputs are kept in, float32 or rounded to bfloat16; the computation again begins with what was kept.
  public var checkpointType: DType
  /// What the losses are multiplied by before the backward pass, and so all gradients are: in float16 small ones would be 0
  /// (Micikevicius et al., 2018). A power of two.
  public var lossScale: Float
  /// A row's result does not depend on the other rows of its products: for generation.
  public var rowByRow: Bool
  /// The adapter counts; without it the base answers alone, as the reference of preference training does.
  public var adapters: Bool

  public init(
    seed: UInt64 = 42, step: UInt64 = 0, microBatch: UInt64 = 0, training: Bool = true,
    checkpointing: Bool = true, checkpointType: DType = .float32, lossScale: Float = 1,
    rowByRow: Bool = false, adapters: Bool = true
  ) {
    self.seed = seed
    self.step = step
    self.microBatch = microBatch
    self.training = training
    self.checkpointing = checkpointing
    self.checkpointType = checkpointType
    self.lossScale = lossScale
    self.rowByRow = rowByRow
    self.adapters = adapters
  }

  /// Measures the model as it is: no dropout, and nothing kept for a backward.
  public static let evaluation = Pass(training: false, checkpointing: false)
  /// Answers: as `evaluation`, each row by itself.
  static let generation = Pass(training: false, checkpointing: false, rowByRow: true)
}

/// A micro-batch as the layers see it: ragged rows laid end to end.
struct BatchContext {
  let starts: [Int32]  // [S+1]
  /// Where some sequences continue another one; nil where each stands for itself.
  let branches: Branches?
  /// The rows' angles.
  let angles: Angles
  let pass: Pass
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
