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
  /// NEFTune's α, with dropout or without: each element of a row of L tokens and C channels gets noise from ±α/√(L·C)
  /// behind the embedding.
  public var embeddingNoise: Float
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
    embeddingNoise: Float = 0,
    checkpointing: Bool = true, checkpointType: DType = .float32, lossScale: Float = 1,
    rowByRow: Bool = false, adapters: Bool = true
  ) {
    self.seed = seed
    self.step = step
    self.microBatch = microBatch
    self.training = training
    self.embeddingNoise = embeddingNoise
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
