import FireflyBase
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyText
import FireflyWeights

/// Bytes that a run holds at its peak, by part, from shapes alone.
///
/// Counted is what the process has resident: mapped files as far as a step reads them. The system can take pages of
/// mapped files back when memory is short; all else it would have to swap.
struct MemoryPlan {
  let parts: [(part: String, bytes: Int)]
  var total: Int { parts.reduce(0) { $0 + $1.bytes } }

  /// Blocks of the pool are rounded up, and some are kept for sizes nearby.
  private static let poolShare = 1.1
  /// Code that computing itself brings: compiled products, threads, tables.
  private static let computing = 20 << 20
  /// The loss looks at about this many logits at a time.
  private static let logitsAtOnce = 8 << 20

  /// - Parameter config: may differ from the facts' own in what changes memory but not data.
  init(_ facts: ModelFacts, _ config: RunConfig) {
    let a = facts.architecture
    let c = facts.compute.byteCount
    let trainable = facts.trainable(config)
    let trained = trainable.count
    let batch = facts.longestBatch(config)
    let low = Int((trainable.lowRankWidth / Double(a.layers)).rounded(.up))  // of a block
    let kept = batch.tokens * MemoryPlan.kept(a, c: c, low: low, checkpointing: config.checkpointing)
    // At the head all blocks' activations are there with the logits; after it, with the work of the last block.
    let logits = min(batch.targets * a.vocabularySize, MemoryPlan.logitsAtOnce) * (4 + c)
    let working = batch.tokens * MemoryPlan.working(a, c: c, low: low, checkpointing: config.checkpointing)
    let training = [
      ("program and rows", facts.residentBytes + MemoryPlan.computing),
      ("weights", facts.linearBytes(config)),
      ("embedding and head", facts.tableBytes),
      ("adapter with gradients", trained * (8 + c)),
      ("optimizer", trained * 8),
      ("activations", Int(Double(kept) * MemoryPlan.poolShare)),
      ("work on a block or the logits", Int(Double(max(logits, working)) * MemoryPlan.poolShare)),
    ]
    let beyond = MemoryPlan.loading(facts, config) - training.reduce(0) { $0 + $1.1 }
    parts = training + (beyond > 0 ? [("reading the weights, beyond that", beyond)] : [])
  }

  /// Bytes held at the peak of reading the weights: one layer after another, then embedding and head. What is converted
  /// stands beside its result for as long as that takes.
  private static func loading(_ facts: ModelFacts, _ config: RunConfig) -> Int {
    facts.residentBytes + facts.linearBytes(config)
      + max(facts.largestLinearReading(config), facts.tableBytes + facts.tableReading)
  }

  /// Bytes a token of what all blocks keep for the backward: their inputs in float32, or everything.
  private static func kept(_ a: Architecture, c: Int, low: Int, checkpointing: Bool) -> Int {
    let residual = 4 * a.hiddenSize
    return a.layers * (residual + (checkpointing ? 0 : block(a, c: c, low: low)))
  }

  /// Bytes a token of what one block keeps beside its input.
  private static func block(_ a: Architecture, c: Int, low: Int) -> Int {
    let feedForward = (a.isGated ? 3 : 2) * a.widestFeedForward  // gate, up and their product
    let gathered = 2 * (a.experts?.perRow ?? 0) * a.hiddenSize  // experts' inputs and results
    return c
      * (2 * a.hiddenSize + 2 * a.querySize + 2 * a.keyValueSize + feedForward + gathered + low)
      + 4 * a.hiddenSize
  }

  /// Bytes a token of the backward of one block, its recomputation included.
  private static func working(_ a: Architecture, c: Int, low: Int, checkpointing: Bool) -> Int {
    12 * a.hiddenSize + (4 + (a.isGated ? 2 : 1) * c) * a.widestFeedForward
      + (checkpointing ? block(a, c: c, low: low) : 0)
  }
}
