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

  /// - Throws: `Stopped`, and `FireflyError` when a row's loss is not a finite number.
  func evaluate(
    _ model: Transformer, step: Int, epoch: Double, stop: StopRequest, progress: (TrainingEvent) -> Void
  ) throws -> EvaluationEntry {
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
}
