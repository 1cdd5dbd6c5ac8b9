import FireflyModels
import FireflyText

/// What a run minimises: from the micro-batches of an optimizer step to gradients, and a loss to log.
package protocol Objective {
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

/// A step's loss, for the log.
package struct StepLoss: Equatable {
  /// What is minimised, but for the routers' auxiliary loss.
  package var loss: Double
  /// The routers' auxiliary loss with the same weights; nil in a model without one.
  package var balance: Double?
  /// Of preference training; nil in any other.
  package var preference: PreferenceMetrics?
}

/// The loss of a micro-batch is infinite or not a number; the gradients are of no use then.
package struct LossNotFinite: Error {
  package let value: Double
  package let batch: Batch
}
