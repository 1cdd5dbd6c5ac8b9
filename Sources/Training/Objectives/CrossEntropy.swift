import FireflyModels
import FireflyText

/// The mean of −log p over the targets: what pretraining and supervised fine-tuning minimise.
public struct CrossEntropy: Objective {
  public let reduction: LossReduction

  public init(reduction: LossReduction = .token) { self.reduction = reduction }

  public func accumulateGradients(
    _ batches: [Batch], on model: Transformer, _ pass: Pass, finished: (Int) -> Void
  ) throws -> StepLoss {
    let targets = batches.reduce(0) { $0 + $1.targetCount }
    var (loss, balance) = (0.0, 0.0)
    for (index, batch) in batches.enumerated() {
      let divisor =
        switch reduction {
        case .token: targets
        case .microBatchMean: batch.targetCount * batches.count
        }
      var pass = pass
      pass.microBatch = UInt64(index)
      let sum = model.accumulateGradients(
        tokens: batch.tokens, labels: batch.labels, starts: batch.starts,
        weights: [Float](repeating: 1 / Float(divisor), count: batch.tokens.count), pass: pass
      ).total
      guard sum.sum.isFinite else { throw LossNotFinite(value: sum.sum, batch: batch) }
      loss += sum.sum / Double(divisor)
      balance += sum.balance / Double(divisor)
      finished(index + 1)
    }
    let isBalanced = (model.architecture.experts?.balance.coefficient ?? 0) > 0
    return StepLoss(loss: loss, balance: isBalanced ? balance : nil)
  }
}
