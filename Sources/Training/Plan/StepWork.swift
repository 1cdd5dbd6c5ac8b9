import FireflyModels
import FireflyTensors
import FireflyText

/// What forward and backward over some rows compute, counted from shapes alone: what `Ledger` would record.
///
/// FLOP of the frozen matrices are 2·N·T each for forward, input gradient and, with checkpointing, recomputation
/// (QLoRA, Dettmers et al., 2023); an adapter adds its own forward and a backward of twice that.
public struct StepWork: Equatable, Sendable {
  /// FLOP of products with weights.
  public let matrices: Double
  /// FLOP of attention: pairs below the diagonal only, within the window.
  public let attention: Double
  /// NF4 weights decoded.
  public let decodedWeights: Double
  /// Elements of the residual stream that pass a block; norms, sums and activations go with them.
  public let residualElements: Double
  /// Logits that the loss looks at.
  public let logits: Double

  public var flop: Double { matrices + attention }

  /// Weights are decoded anew for each block of this many rows.
  private static let decodedRows = 1024.0

  /// - Parameters:
  ///   - lengths: tokens of each sequence.
  ///   - targets: tokens that count in the loss.
  ///   - microBatches: passes that the sequences are spread over.
  ///   - times: how often all of that is done.
  package init(
    _ model: WorkModel, lengths: [Int], targets: Int, microBatches: Int = 1, times: Double = 1
  ) {
    let a = model.architecture
    let rows = Double(lengths.reduce(0, +))
    let pairs = lengths.reduce(0.0) { $0 + AttentionShape.pairs($1, window: a.window) }
    let forwards = model.checkpointing ? 2.0 : 1.0
    let blocks = (rows / Double(microBatches) / StepWork.decodedRows).rounded(.up) * Double(microBatches)

    matrices =
      times
      * (2 * rows * (model.passed * (forwards + 1) + model.adapter * (forwards + 2))
        + 4 * Double(targets) * Double(a.vocabularySize * a.hiddenSize))
    attention = times * 2 * pairs * Double(a.layers * a.querySize) * (2 * forwards + 5)
    decodedWeights = model.isNF4 ? times * model.frozen * (forwards + 1) * blocks : 0
    residualElements = times * rows * Double(a.layers * a.hiddenSize)
    logits = times * Double(targets * a.vocabularySize)
  }
}

/// What the work of a step depends on beside its rows.
package struct WorkModel {
  package let architecture: Architecture
  /// Elements of all frozen linear layers.
  package let frozen: Double
  /// Elements that a row passes: of experts only its share; of frozen layers, and of the adapter.
  package let passed: Double
  package let adapter: Double
  package let checkpointing: Bool
  package let isNF4: Bool

  package init(_ architecture: Architecture, _ trainable: Trainable, checkpointing: Bool, isNF4: Bool) {
    self.architecture = architecture
    let linears = architecture.allLinears
    frozen = Double(linears.reduce(0) { $0 + $1.count })
    passed = linears.reduce(0) { $0 + Double($1.count) * $1.rowShare }
    adapter = trainable.passedCount
    self.checkpointing = checkpointing
    self.isNF4 = isNF4
  }
}

extension WorkModel {
  init(_ setup: RunSetup) {
    self.init(
      setup.architecture, setup.trainable, checkpointing: setup.config.checkpointing, isNF4: setup.isNF4)
  }

  /// 6·N: what is commonly counted for a token (Kaplan et al., 2020), the linear layers and their adapter being N.
  var flopPerToken: Double { 6 * (passed + adapter) }
}

extension StepWork {
  /// All of a run. An epoch's rows are counted as they are; which of them meet in a micro-batch is not known.
  init(_ setup: RunSetup) {
    let order = setup.order
    let sizes = setup.dataset.samples.sizes
    self.init(
      WorkModel(setup), lengths: sizes.map(\.tokens), targets: sizes.reduce(0) { $0 + $1.targets },
      microBatches: order.batchesPerEpoch,
      times: order.epoch(after: setup.totalSteps))
  }
}
