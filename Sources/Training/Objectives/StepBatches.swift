import FireflyText

/// The micro-batches of an optimizer step, or the part of them that one rank computes.
public struct StepBatches {
  /// Micro-batches of the whole step.
  public let count: Int
  /// Of the whole step.
  public let extent: BatchExtent
  /// What is computed here, in order; of several ranks one may have nothing.
  public let parts: [Part]

  /// Rows of a micro-batch that follow each other.
  public struct Part {
    public let batch: Batch
    /// The micro-batch's number in the step.
    public let index: Int
    /// All of the micro-batch, by which losses are divided.
    public let whole: BatchExtent
    /// What lies before these rows in it.
    public let before: BatchExtent
  }

  /// All of a step.
  public init(_ batches: [Batch]) {
    let extents = batches.map(BatchExtent.init)
    self.init(
      count: batches.count, extent: extents.reduce(BatchExtent(), +),
      parts: zip(batches, extents).enumerated().map { index, both in
        Part(batch: both.0, index: index, whole: both.1, before: BatchExtent())
      })
  }

  init(count: Int, extent: BatchExtent, parts: [Part]) {
    self.count = count
    self.extent = extent
    self.parts = parts
  }
}

/// How much there is in some rows of a batch.
public struct BatchExtent: Equatable, Sendable {
  public var rows = 0
  public var tokens = 0
  public var targets = 0
  /// Of preference training: targets of the chosen answers.
  public var chosenTargets = 0

  init() {}

  init(_ batch: Batch) {
    rows = batch.lines.count
    tokens = batch.tokens.count
    targets = batch.targetCount
    chosenTargets = batch.pairs.reduce(0) { sum, pair in
      let range = Int(batch.starts[pair.chosen])..<Int(batch.starts[pair.chosen + 1])
      return sum + batch.labels[range].count { $0 >= 0 }
    }
  }

  static func + (left: BatchExtent, right: BatchExtent) -> BatchExtent {
    var sum = left
    sum.rows += right.rows
    sum.tokens += right.tokens
    sum.targets += right.targets
    sum.chosenTargets += right.chosenTargets
    return sum
  }
}
