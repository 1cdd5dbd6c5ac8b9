import FireflyModels
import FireflyTensors
import FireflyText

/// The shape of a run's steps: what it takes to measure one.
package struct PlannedStep {
  package let architecture: Architecture
  /// nil: the weights are trained.
  package let adapter: LoRAOptions?
  /// The dtype of products.
  package let compute: DType
  package let device: any Device
  package let isNF4: Bool
  /// In what the run holds the matrices of a GGUF file.
  package let blocks: HeldBlocks
  package let checkpointing: Bool
  /// Tokens of the sequences of a usual micro-batch: of the middle rows by length.
  package let lengths: [Int]
  /// The part of the tokens that are targets.
  package let targetShare: Double

  package init(
    architecture: Architecture, adapter: LoRAOptions?, compute: DType, device: any Device = CPU.shared,
    isNF4: Bool, blocks: HeldBlocks = HeldBlocks(), checkpointing: Bool, lengths: [Int], targetShare: Double
  ) {
    self.architecture = architecture
    self.adapter = adapter
    self.compute = compute
    self.device = device
    self.isNF4 = isNF4
    self.blocks = blocks
    self.checkpointing = checkpointing
    self.lengths = lengths
    self.targetShare = targetShare
  }

  init(_ setup: RunSetup, _ facts: ModelFacts) {
    let count = min(setup.config.microBatchSize, facts.rows.count)
    let first = (facts.rows.count - count) / 2
    let report = setup.dataset.report
    self.init(
      architecture: setup.architecture, adapter: setup.trainable.adapter, compute: setup.compute,
      device: setup.device, isNF4: setup.isNF4, blocks: HeldBlocks(setup),
      checkpointing: setup.config.checkpointing,
      lengths: facts.rows[first..<first + count].flatMap(\.lengths),
      targetShare: Double(report.targets) / Double(max(1, report.tokens)))
  }
}
