import FireflyModels
import FireflyTensors
import FireflyText

/// What forward and backward over some rows compute, counted from shapes alone: what `Ledger` would record.
///
/// FLOP of the frozen matrices are 2·N·T each for forward, input gradient and, with checkpointing, recomputation
/// (QLoRA, Dettmers et al., 2023), which leaves out each block's last matrix; an adapter adds its own forward and a backward of twice that. Trained matrices have a
/// backward of twice their forward. Of blocks below the lowest trained one there is the forward alone.
package struct StepWork: Equatable, Sendable {
  /// FLOP of products with weights.
  package let matrices: Double
  /// FLOP of attention: pairs below the diagonal only, within the window.
  package let attention: Double
  /// Weights in NF4 or a GGUF file's blocks that are decoded.
  package let decodedWeights: Double
  /// Elements of the residual stream that pass a block; norms, sums and activations go with them.
  package let residualElements: Double
  /// Logits that the loss looks at, as often as it does.
  package let logits: Double

  package var flop: Double { matrices + attention }

  /// Weights are decoded anew for each block of this many rows.
  private static let decodedRows = 1024.0

  /// - Parameters:
  ///   - lengths: tokens of each sequence.
  ///   - sharedTokens: of those, tokens that are read for several sequences at once; attention alone sees them in each.
  ///   - targets: tokens that count in the loss.
  ///   - headForwards: how often the logits are computed.
  ///   - microBatches: passes that the sequences are spread over.
  ///   - times: how often all of that is done.
  package init(
    _ model: WorkModel, lengths: [Int], sharedTokens: Int = 0, targets: Int, headForwards: Int = 1,
    microBatches: Int = 1, times: Double = 1
  ) {
    let a = model.architecture
    let rows = Double(lengths.reduce(0, +) - sharedTokens)
    let pairs = lengths.reduce(0.0) { $0 + a.pairs($1) }
    let forwards = model.checkpointing ? 2.0 : 1.0
    let blocks = (rows / Double(microBatches) / StepWork.decodedRows).rounded(.up) * Double(microBatches)

    let head = Double(targets) * Double(a.vocabularySize * a.hiddenSize)
    matrices =
      times
      * (2 * rows
        * (model.below + model.frozen * (forwards + 1) + model.trained * (forwards + 2)
          - (model.unrepeated + model.unrepeatedPairs) * (forwards - 1))
        + 2 * head * Double(headForwards + (model.trainsHead ? 2 : 1)))
    // Along keys and along values: one product each forwards, three and two backwards.
    let products = Double(a.querySize) * (forwards + 3) + Double(a.attendedSize) * (forwards + 2)
    let below = Double(a.querySize + a.attendedSize)
    attention =
      times * 2 * pairs
      * (Double(a.layers - model.lowestLayer) * products + Double(model.lowestLayer) * below)
    // The loss decodes the head for each part of the rows, for the logits and for their gradient.
    let parts = model.headParts(Double(targets) / Double(microBatches)) * Double(microBatches)
    decodedWeights =
      times
      * ((model.isNF4 ? (model.held * (forwards + 1) - model.unrepeated * (forwards - 1)) * blocks : 0)
        + model.decodedHead * parts * Double(headForwards + 1))
    residualElements = times * rows * Double(a.layers * a.hiddenSize)
    logits = times * Double(targets * a.vocabularySize * headForwards)
  }

  /// A forward pass alone over each of several groups of sequences.
  ///
  /// - Parameter usesAdapter: the adapter counts; trained weights always do.
  init(reading groups: [PassSize], _ model: WorkModel, usesAdapter: Bool) {
    let a = model.architecture
    let rows = groups.reduce(0.0) { $0 + Double($1.tokens) }
    let targets = groups.reduce(0.0) { $0 + Double($1.targets) }
    let pairs = groups.flatMap(\.lengths).reduce(0.0) { $0 + a.pairs($1) }
    let blocks = groups.reduce(0.0) { $0 + (Double($1.tokens) / StepWork.decodedRows).rounded(.up) }
    matrices =
      2 * rows * (model.below + model.frozen + (usesAdapter || !model.trainsAdapter ? model.trained : 0))
      + 2 * targets * Double(a.vocabularySize * a.hiddenSize)
    attention = 2 * pairs * Double(a.layers * (a.querySize + a.attendedSize))
    decodedWeights =
      (model.isNF4 ? model.held * blocks : 0)
      + groups.reduce(0) { $0 + model.decodedHead * model.headParts(Double($1.targets)) }
    // A forward alone moves about a quarter of what a step with recomputation and gradients does.
    residualElements = rows * Double(a.layers * a.hiddenSize) / 4
    logits = targets * Double(a.vocabularySize)
  }
}

/// Tokens that go through the model together.
struct PassSize {
  /// Of each sequence.
  let lengths: [Int]
  /// Of all sequences, those that several share counted once.
  let tokens: Int
  let targets: Int
}

/// What the work of a step depends on beside its rows.
package struct WorkModel {
  package let architecture: Architecture
  /// Elements of all linear layers.
  package let held: Double
  /// Elements of linear layers that a row passes, of experts only its share: in blocks below the lowest trained one, in those
  /// above it frozen, and trained, low-rank pairs among them.
  package let below: Double
  package let frozen: Double
  package let trained: Double
  /// Elements of those above that are left out where blocks are computed again, and of their pairs' B.
  package let unrepeated: Double
  package let unrepeatedPairs: Double
  /// What is trained is an adapter, not the weights.
  package let trainsAdapter: Bool
  package let trainsHead: Bool
  package let lowestLayer: Int
  package let checkpointing: Bool
  package let isNF4: Bool
  /// Elements of a head in a GGUF file's blocks; 0: it is held whole.
  package let decodedHead: Double
  /// Rows that the loss takes at a time on the processor.
  private let logitRows: Int

  /// - Parameters:
  ///   - isNF4: the linear layers are decoded as they are used.
  ///   - decodesHead: the head too.
  package init(
    _ architecture: Architecture, _ trainable: Trainable, checkpointing: Bool, isNF4: Bool,
    decodesHead: Bool = false
  ) {
    func passed(_ layers: Range<Int>) -> Double {
      layers.flatMap { architecture.linears($0) }.reduce(0) { $0 + Double($1.count) * $1.rowShare }
    }
    self.architecture = architecture
    held = Double(architecture.allLinears.reduce(0) { $0 + $1.count })
    lowestLayer = trainable.full?.frozenLayers ?? 0
    below = passed(0..<lowestLayer)
    let above = passed(lowestLayer..<architecture.layers)
    frozen = trainable.full == nil ? above : 0
    trainsAdapter = trainable.full == nil
    trained = trainable.full == nil ? trainable.lowRankPassed : above
    let spared = (lowestLayer..<architecture.layers).compactMap { layer in
      architecture.unrepeatedLinear(layer).map { (architecture.names.prefix(layer) + $0.name, $0.count) }
    }
    let modules = Set(spared.map(\.0))
    unrepeated = spared.reduce(0) { $0 + Double($1.1) }
    unrepeatedPairs = trainable.slots.reduce(0) {
      $1.role == .lowRankB && modules.contains($1.module) ? $0 + Double($1.count) : $0
    }
    let head = architecture.tiedHead ? ParameterSlot.Role.embedding : .head
    trainsHead = trainable.slots.contains { $0.role == head }
    self.checkpointing = checkpointing
    self.isNF4 = isNF4
    let leavesHead = trainable.leavesHead(isTied: architecture.tiedHead)
    logitRows = architecture.logitBlock(byPanels: leavesHead).rows
    decodedHead = decodesHead ? Double(architecture.vocabularySize * architecture.hiddenSize) : 0
  }

  /// How many parts the loss takes so many rows in.
  func headParts(_ targets: Double) -> Double { (targets / Double(logitRows)).rounded(.up) }
}

extension WorkModel {
  init(_ setup: RunSetup) {
    self.init(
      setup.architecture, setup.trainable, checkpointing: setup.config.checkpointing, isNF4: setup.isNF4,
      decodesHead: HeldBlocks(setup).holdsHead(of: setup.architecture))
  }

  /// 6·N: what is commonly counted for a token (Kaplan et al., 2020), the linear layers and their adapter being N.
  var flopPerToken: Double { 6 * (below + frozen + trained) }
}

extension StepWork {
  /// All of a run. An epoch's rows are counted as they are; which of them meet in a micro-batch is not known.
  init(_ setup: RunSetup) {
    let order = setup.order
    let sizes = setup.rowSizes
    let lengths = sizes.flatMap(\.lengths)
    self.init(
      WorkModel(setup), lengths: lengths,
      sharedTokens: lengths.reduce(0, +) - sizes.reduce(0) { $0 + $1.tokens },
      targets: sizes.reduce(0) { $0 + $1.targets }, headForwards: setup.config.task == .dpo ? 2 : 1,
      microBatches: order.batchesPerEpoch,
      times: order.epoch(after: setup.totalSteps))
  }
}

extension RunSetup {
  /// The rows of an epoch; a preference pair is one of them, its prompt there once where both answers share it.
  var rowSizes: [PassSize] {
    let sizes = dataset.samples.sizes
    guard config.task == .dpo else {
      return sizes.map { PassSize(lengths: [$0.tokens], tokens: $0.tokens, targets: $0.targets) }
    }
    return stride(from: 0, to: sizes.count, by: 2).map { index in
      let pair = [sizes[index], sizes[index + 1]]
      // All of the prompt but its last token: see `Batch`.
      let shared = architecture.sharesTrunks ? max(0, pair[0].tokens - pair[0].targets - 1) : 0
      return PassSize(
        lengths: pair.map(\.tokens), tokens: pair[0].tokens + pair[1].tokens - shared,
        targets: pair[0].targets + pair[1].targets)
    }
  }

  /// What asking the reference takes before the first step, where nothing is kept of it; nil where there is none.
  var referenceWork: StepWork? {
    guard config.task == .dpo else { return nil }
    let sizes = rowSizes
    return StepWork(
      reading: pairsSeen.map { sizes[$0] }, WorkModel(self), usesAdapter: usesAdapterAsReference)
  }
}
