import FireflyModels
import FireflyRanks
import FireflyText

/// What a run minimises: from the micro-batches of an optimizer step to gradients, and a loss to log.
public protocol Objective {
  /// Adds the gradients of the step's loss to the model's, micro-batch by micro-batch; of a part of the step, what it brings
  /// to those of the whole.
  ///
  /// - Parameters:
  ///   - pass: the step's; `microBatch` is set for each.
  ///   - finished: is told how many of the parts are done.
  /// - Returns: what the parts bring to the step's loss.
  /// - Throws: `LossNotFinite`.
  func accumulateGradients(
    _ step: StepBatches, on model: Transformer, _ pass: Pass, finished: (Int) -> Void
  ) throws -> StepLoss
}

extension Objective {
  /// The same of all of a step's micro-batches.
  public func accumulateGradients(
    _ batches: [Batch], on model: Transformer, _ pass: Pass, finished: (Int) -> Void
  ) throws -> StepLoss {
    try accumulateGradients(StepBatches(batches), on: model, pass, finished: finished)
  }

  /// The same of one batch, in training with gradient checkpointing.
  ///
  /// - Parameter step: decides the dropout's bits.
  /// - Throws: `LossNotFinite`.
  public func accumulateGradients(_ batch: Batch, on model: Transformer, step: Int) throws -> StepLoss {
    try accumulateGradients([batch], on: model, Pass(step: UInt64(step))) { _ in }
  }
}

extension Pass {
  /// The same over a part of a micro-batch.
  func over(_ part: StepBatches.Part) -> Pass {
    var pass = self
    pass.microBatch = UInt64(part.index)
    pass.firstRow = part.before.tokens
    pass.firstTarget = part.before.targets
    return pass
  }
}

/// A step's loss, for the log.
public struct StepLoss: Equatable, Sendable {
  /// What is minimised, but for the routers' auxiliary loss.
  public var loss: Double
  /// The routers' auxiliary loss with the same weights; nil in a model without one.
  public var balance: Double?
  /// Of preference training; nil in any other.
  public var preference: PreferenceMetrics?

  public init(loss: Double, balance: Double? = nil, preference: PreferenceMetrics? = nil) {
    self.loss = loss
    self.balance = balance
    self.preference = preference
  }
}

extension StepLoss {
  /// What the ranks' parts come to together.
  func sum(over ranks: Ranks) throws -> StepLoss {
    if ranks.isAlone { return self }
    let sums = try ranks.sum([loss, balance ?? 0] + (preference?.values ?? []))
    return StepLoss(
      loss: sums[0], balance: balance.map { _ in sums[1] },
      preference: preference.map { _ in PreferenceMetrics(values: Array(sums[2...])) })
  }
}

/// The loss of a micro-batch is infinite or not a number; the gradients are of no use then.
public struct LossNotFinite: Error, CustomStringConvertible {
  public let value: Double
  public let batch: Batch

  public init(value: Double, batch: Batch) {
    self.value = value
    self.batch = batch
  }

  public var description: String {
    "the loss of the rows in lines \(batch.lines.map(String.init).joined(separator: ", ")) is \(value)"
  }
}
