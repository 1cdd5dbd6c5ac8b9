import FireflyModels
import FireflyText

/// DPO (Rafailov et al., 2023) and its relatives: the chosen answer of each pair shall become likelier than the rejected
/// one, measured against a reference whose log-probabilities are known before (`Batch.reference`).
///
/// The loss of a step is the mean over its micro-batches of each one's mean over pairs, as with TRL. Both answers of a pair
/// go through the model in one pass; the weights of their tokens' losses depend on both answers' sums.
package struct DirectPreference: Objective {
  package let settings: PreferenceSettings

  package init(_ settings: PreferenceSettings) { self.settings = settings }

  package func accumulateGradients(
    _ step: StepBatches, on model: Transformer, _ pass: Pass, finished: (Int) -> Void
  ) throws -> StepLoss {
    let share = 1 / Double(step.count)
    var (loss, balance, metrics) = (0.0, 0.0, PreferenceMetrics())
    for (done, part) in step.parts.enumerated() {
      let batch = part.batch
      var pass = pass.over(part)
      pass.training = pass.training && !settings.disablesDropout
      var judged = Judgement(weights: [], loss: 0, metrics: PreferenceMetrics())
      let losses = model.accumulateGradients(
        tokens: batch.tokens, labels: batch.labels, starts: batch.starts, trunks: batch.trunks,
        balanceWeight: Float(share), pass: pass
      ) {
        judged = judge($0, of: batch, in: part.whole)
        return judged.weights.map { Float($0 * share) }
      }
      guard judged.loss.isFinite else { throw LossNotFinite(value: judged.loss, batch: batch) }
      loss += share * judged.loss
      balance += share * losses.total.balance / Double(max(1, losses.total.count))
      metrics.add(judged.metrics, times: share)
      finished(done + 1)
    }
    let isBalanced = (model.architecture.experts?.balance.coefficient ?? 0) > 0
    return StepLoss(loss: loss, balance: isBalanced ? balance : nil, preference: metrics)
  }

  /// What a micro-batch comes to.
  struct Judgement {
    /// For each sequence, the derivative of the loss by each of its targets' −log p.
    var weights: [Double]  // [S]
    /// Mean over the micro-batch's pairs, of those that are judged, with the chosen answers' own loss where rpo_alpha is set.
    var loss: Double
    var metrics: PreferenceMetrics
  }

  /// - Parameters:
  ///   - losses: those of the batch's sequences.
  ///   - whole: the micro-batch that its pairs are of.
  func judge(_ losses: BatchLoss, of batch: Batch, in whole: BatchExtent) -> Judgement {
    func score(_ sequence: Int) -> AnswerScore {
      let sum = losses.sequences[sequence]
      return AnswerScore(policy: -sum.sum, reference: Double(batch.reference[sequence]), tokens: sum.count)
    }
    let share = 1 / Double(whole.rows)
    var result = Judgement(
      weights: [Double](repeating: 0, count: losses.sequences.count), loss: 0, metrics: PreferenceMetrics())
    for pair in batch.pairs {
      let (chosen, rejected) = (score(pair.chosen), score(pair.rejected))
      let loss = PreferenceLoss(chosen, rejected, settings)
      result.loss += share * loss.value
      result.weights[pair.chosen] -= share * loss.byChosen
      result.weights[pair.rejected] -= share * loss.byRejected
      result.metrics.add(PreferenceMetrics(chosen, rejected, beta: settings.beta), times: share)
    }
    addOwnLoss(losses, of: batch, in: whole, to: &result)
    return result
  }

  /// The chosen answers' mean loss per token (RPO, Pang et al., 2024), what TRL calls the loss type "sft".
  private func addOwnLoss(
    _ losses: BatchLoss, of batch: Batch, in whole: BatchExtent, to result: inout Judgement
  ) {
    guard let alpha = settings.rpoAlpha else { return }
    let chosen = batch.pairs.map { losses.sequences[$0.chosen] }
    let share = alpha / Double(whole.chosenTargets)
    result.loss += share * chosen.reduce(0) { $0 + $1.sum }
    for pair in batch.pairs { result.weights[pair.chosen] += share }
  }
}
