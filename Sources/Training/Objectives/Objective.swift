import FireflyModels
import FireflyText

/// What a run minimises: from the micro-batches of an optimizer step to gradients, and a loss to log.
public protocol Objective {
  /// Adds the gradients of the step's loss to the model's, micro-batch by micro-batch.
  ///
  /// - Parameters:
  ///   - pass: the step's; `microBatch` is set for each.
  ///   - finished: is told how many micro-batches are done.
  /// - Throws: `LossNotFinite`.
  func accumulateGradients(
    _ batches: [Batch], on model: Transformer, _ pass: Pass, finished: (Int) -> Void
  ) throws -> StepLoss
}

extension Objective {
  /// The same of one batch, in training with gradient checkpointing.
  ///
  /// - Parameter step: decides the dropout's bits.
  /// - Throws: `LossNotFinite`.
  public func accumulateGradients(_ batch: Batch, on model: Transformer, step: Int) throws -> StepLoss {
    try accumulateGradients([batch], on: model, Pass(step: UInt64(step))) { _ in }
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
