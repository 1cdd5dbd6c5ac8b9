import FireflyModels
import FireflyText

/// The mean of −log p over the targets: what pretraining and supervised fine-tuning minimise.
public struct CrossEntropy: Objective {
  public let reduction: LossReduction

  public init(reduction: LossReduction = .token) { self.reduction = reduction }

  public func accumulateGradients(
    _ step: StepBatches, on model: Transformer, _ pass: Pass, finished: (Int) -> Void
  ) throws -> StepLoss {
    var (loss, balance) = (0.0, 0.0)
    for (done, part) in step.parts.enumerated() {
      let batch = part.batch
      let divisor =
        switch reduction {
        case .token: step.extent.targets
        case .microBatchMean: part.whole.targets * step.count
        }
      let sum = model.accumulateGradients(
        tokens: batch.tokens, labels: batch.labels, starts: batch.starts,
        weights: [Float](repeating: 1 / Float(divisor), count: batch.tokens.count), pass: pass.over(part)
      ).total
      guard sum.sum.isFinite else { throw LossNotFinite(value: sum.sum, batch: batch) }
      loss += sum.sum / Double(divisor)
      balance += sum.balance / Double(divisor)
      finished(done + 1)
    }
    let isBalanced = (model.architecture.experts?.balance.coefficient ?? 0) > 0
    return StepLoss(loss: loss, balance: isBalanced ? balance : nil)
  }
}
