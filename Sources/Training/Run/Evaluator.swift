import FireflyBase
import FireflyEvaluation
import FireflyModels
import FireflyText

/// Measures the held-out rows of a run. It reads the model and nothing else, so training goes on as if it had not been.
struct Evaluator {
  /// The evaluation was broken off because the run is to stop.
  struct Stopped: Error {}

  let settings: EvaluationSettings
  let data: Dataset
  /// Of preference training, with the pairs that `data` holds; nil in any other.
  let preference: DirectPreference?
  let pairs: PreferencePairs?

  /// - Throws: `Stopped`, and `FireflyError` when a row's loss is not a finite number.
  func evaluate(
    _ model: Transformer, step: Int, epoch: Double, stop: StopRequest, progress: (TrainingEvent) -> Void
  ) throws -> EvaluationEntry {
    if let preference, let pairs {
      return try evaluate(
        preference, pairs, model, step: step, epoch: epoch, stop: stop, progress: progress)
    }
    let clock = ContinuousClock()
    let start = clock.now
    let perplexity = Perplexity(model: model, maxRows: settings.batchSize, maxTokens: .max)
    var batches = 0
    let samples = data.samples
    let sums = try perplexity.measure(samples, place: data.report.path) { rows, _ in
      batches += 1
      progress(.evaluating(share: Double(rows.upperBound) / Double(samples.count)))
      if stop.isAsked && rows.upperBound < samples.count { throw Stopped() }
    }
    return EvaluationEntry(
      step: step, epoch: epoch, loss: sums.meanLoss, tokenAccuracy: sums.accuracy, rows: sums.rows,
      batches: batches, seconds: (clock.now - start).seconds)
  }

  /// The means over all pairs.
  private func evaluate(
    _ preference: DirectPreference, _ pairs: PreferencePairs, _ model: Transformer, step: Int, epoch: Double,
    stop: StopRequest, progress: (TrainingEvent) -> Void
  ) throws -> EvaluationEntry {
    let clock = ContinuousClock()
    let start = clock.now
    var (loss, metrics, batches) = (0.0, PreferenceMetrics(), 0)
    for first in stride(from: 0, to: pairs.count, by: settings.batchSize) {
      let rows = first..<min(first + settings.batchSize, pairs.count)
      let batch = pairs.batch(Array(rows))
      let losses = model.loss(
        tokens: batch.tokens, labels: batch.labels, starts: batch.starts, trunks: batch.trunks)
      let judged = preference.judge(losses, of: batch)
      guard judged.loss.isFinite else {
        throw FireflyError(
          "the pairs' loss is not a finite number",
          at: data.report.places(batch.lines),
          found: "\(judged.loss)", fix: "Look at these rows, and at the weights with 'firefly inspect'.")
      }
      loss += judged.loss * Double(rows.count)
      metrics.add(judged.metrics, times: Double(rows.count))
      batches += 1
      progress(.evaluating(share: Double(rows.upperBound) / Double(pairs.count)))
      if stop.isAsked && rows.upperBound < pairs.count { throw Stopped() }
    }
    let count = Double(pairs.count)
    return EvaluationEntry(
      step: step, epoch: epoch, loss: loss / count, preference: metrics.divided(by: count),
      rows: pairs.count, batches: batches, seconds: (clock.now - start).seconds)
  }
}
