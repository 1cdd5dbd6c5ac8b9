import FireflyModels
import FireflyTensors
import FireflyTraining

/// QLoRA steps of a shape: how fast, and where the time goes.
public struct TrainingBench: Sendable {
  /// The rows of a step.
  public struct Workload: Sendable {
    /// Lengths of the sequences of a micro-batch.
    public var lengths: [Int]
    public var checkpointing: Bool
    public var rank: Int
    /// The type of products; nil: bfloat16 where the processor multiplies it fast, otherwise float32.
    public var compute: DType?

    public init(
      lengths: [Int] = [1024], checkpointing: Bool = true, rank: Int = 64, compute: DType? = nil
    ) {
      self.compute = compute
      self.lengths = lengths
      self.checkpointing = checkpointing
      self.rank = rank
    }
  }

  public let shape: String
  public let tokens: Int
  /// What a step takes; its FLOP include recomputation.
  public let step: Measurement
  /// The matrix rate in FLOP/s measured just before and after.
  public let matrixRate: Double

  public var tokensPerSecond: Double { Double(tokens) / step.seconds }
  /// The share of the machine's matrix rate that the steps reach.
  public var efficiency: Double { step.flop / step.seconds / matrixRate }

  /// - Parameter steps: how many are measured, after two that are not.
  /// - Throws: `FireflyError` when there is no room for the model's temporary file.
  public init(_ shape: BenchShape, _ workload: Workload = Workload(), steps: Int = 5) throws {
    let compute = workload.compute ?? Ops.usualCompute
    let training = try TrainingStep(shape, workload, compute)
    let before = MachineLimits.matrixRate(compute)
    step = Measurement(runs: steps, after: 2) { training.run() }
    matrixRate = (before + MachineLimits.matrixRate(compute)) / 2
    self.shape = shape.title
    tokens = workload.lengths.reduce(0, +)
  }
}

/// One optimizer step on random tokens, half of them targets.
final class TrainingStep {
  private let model: Transformer
  private let optimizer: AdamW
  private let tokens: [Int32]
  private let labels: [Int32]
  private let starts: [Int32]
  private let checkpointing: Bool

  init(_ shape: BenchShape, _ workload: TrainingBench.Workload, _ compute: DType) throws {
    model = try shape.load(compute: compute)
    try model.attachAdapter(LoRAOptions(rank: workload.rank, alpha: 16, dropout: 0.05), seed: 1)
    let store = MomentStore(for: 0..<model.arena.trainable.arenaCount)
    optimizer = AdamW(
      AdamW.Options(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0), store: store)
    var random = CounterRandom(seed: 3)
    let count = workload.lengths.reduce(0, +)
    let drawn = (0..<count).map { _ in Int32(random.integer(below: shape.vocabulary)) }
    tokens = drawn
    labels = drawn.indices.map { $0.isMultiple(of: 2) ? drawn[$0] : -1 }
    starts = workload.lengths.reduce(into: [0]) { $0.append(($0.last ?? 0) + Int32($1)) }
    checkpointing = workload.checkpointing
  }

  func run() {
    model.zeroGradients()
    let pass = Pass(
      seed: 1, step: UInt64(optimizer.step), microBatch: 0, training: true, checkpointing: checkpointing)
    _ = model.accumulateGradients(
      tokens: tokens, labels: labels, starts: starts,
      weights: [Float](repeating: 2 / Float(tokens.count), count: tokens.count), pass: pass)
    let scale = clipScale(norm: gradientNorm(model.arena), limit: 0.3)
    optimizer.update(model.arena, learningRate: 1e-4, gradientScale: scale)
    model.parametersChanged()
  }
}
