import FireflyModels
import FireflyTensors
import FireflyTraining

/// QLoRA steps of a shape: how fast, and where the time goes.
package struct TrainingBench: Sendable {
  /// The rows of a step.
  package struct Workload: Sendable {
    /// Lengths of the sequences of a micro-batch.
    package var lengths: [Int]
    package var checkpointing: Bool
    package var rank: Int
    /// The type of products; nil: the device's `usualCompute`.
    package var compute: DType?
    /// The inputs of blocks are kept in bfloat16, and the optimizer's moments by the processor.
    package var sparesMemory: Bool

    package init(
      lengths: [Int] = [1024], checkpointing: Bool = true, rank: Int = 64, compute: DType? = nil,
      sparesMemory: Bool = false
    ) {
      self.compute = compute
      self.sparesMemory = sparesMemory
      self.lengths = lengths
      self.checkpointing = checkpointing
      self.rank = rank
    }
  }

  package let shape: String
  package let tokens: Int
  /// What a step takes; its FLOP include recomputation.
  package let step: Measurement
  /// The library's matrix rate in FLOP/s measured just before and after.
  package let matrixRate: Double

  package var tokensPerSecond: Double { Double(tokens) / step.seconds }
  /// The share of that rate that the steps reach.
  package var efficiency: Double { step.flop / step.seconds / matrixRate }

  /// - Parameters:
  ///   - device: that is measured.
  ///   - steps: how many are measured, after two that are not.
  /// - Throws: `FireflyError` when there is no room for the model's temporary file.
  package init(
    _ shape: BenchShape, _ workload: Workload = Workload(), on device: any Device = CPU.shared, steps: Int = 5
  ) throws {
    let compute = workload.compute ?? device.usualCompute
    let training = try TrainingStep(shape, workload, on: device)
    let before = MachineLimits.matrixRate(compute, device)
    let unit = device.isHost ? SiliconUnit.fastest(for: compute) : nil
    step = Measurement(runs: steps, after: 2, on: device, comparedWith: unit) { training.run() }
    matrixRate = (before + MachineLimits.matrixRate(compute, device)) / 2
    self.shape = shape.title
    tokens = workload.lengths.reduce(0, +)
  }
}

/// One optimizer step on random tokens.
final class TrainingStep {
  private let model: Transformer
  private let optimizer: AdamW
  private let tokens: [Int32]
  private let labels: [Int32]
  private let starts: [Int32]
  let targets: Int
  private let checkpointing: Bool
  private let sparesMemory: Bool

  /// - Parameters:
  ///   - adapter: what is trained; nil where it is the model's own weights.
  ///   - sparesMemory: as of a `Workload`.
  ///   - targetShare: the part of the tokens that are targets.
  init(
    _ model: Transformer, _ adapter: LoRAOptions?, lengths: [Int], checkpointing: Bool,
    sparesMemory: Bool = false, targetShare: Double = 0.5
  ) throws {
    self.model = model
    if let adapter { try model.attachAdapter(adapter, seed: 1) }
    let store = MomentStore(
      for: [0..<model.arena.trainable.arenaCount], on: sparesMemory ? CPU.shared : model.device)
    optimizer = AdamW(
      AdamW.Options(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0), store: store)
    var random = CounterRandom(seed: 3)
    let count = lengths.reduce(0, +)
    let vocabulary = model.architecture.vocabularySize
    let drawn = (0..<count).map { _ in Int32(random.integer(below: vocabulary)) }
    tokens = drawn
    // A target where the number of targets so far steps over the next whole one.
    labels = drawn.indices.map { place in
      Int(Double(place + 1) * targetShare) > Int(Double(place) * targetShare) ? drawn[place] : -1
    }
    targets = labels.count { $0 >= 0 }
    starts = lengths.reduce(into: [0]) { $0.append(($0.last ?? 0) + Int32($1)) }
    self.checkpointing = checkpointing
    self.sparesMemory = sparesMemory
  }

  /// A step of a workload, on a shape's random weights.
  convenience init(_ shape: BenchShape, _ workload: TrainingBench.Workload, on device: any Device) throws {
    try self.init(
      shape.load(compute: workload.compute ?? device.usualCompute, on: device),
      LoRAOptions(rank: workload.rank, alpha: 16, dropout: 0.05), lengths: workload.lengths,
      checkpointing: workload.checkpointing, sparesMemory: workload.sparesMemory)
  }

  func run() {
    accumulate()
    update()
  }

  func accumulate() {
    model.zeroGradients()
    let pass = Pass(
      seed: 1, step: UInt64(optimizer.step), microBatch: 0, training: true, checkpointing: checkpointing,
      checkpointType: sparesMemory ? .bfloat16 : .float32)
    _ = model.accumulateGradients(
      tokens: tokens, labels: labels, starts: starts,
      weights: [Float](repeating: 1 / Float(max(1, targets)), count: tokens.count), pass: pass)
  }

  func update() {
    let scale = clipScale(norm: gradientNorm(model.arena), limit: 0.3)
    optimizer.update(model.arena, learningRate: 1e-4, gradientScale: scale)
    model.parametersChanged()
  }
}
