import FireflyBase
import FireflyEvaluation
import FireflyModels
import FireflyRanks
import FireflyText

/// Measures the held-out rows of a run, each rank its share. It reads the model and nothing else, so training goes on as if it had not been.
struct Evaluator {
  /// The evaluation was broken off because the run is to stop.
  struct Stopped: Error {}

  let settings: EvaluationSettings
  let data: Dataset
  /// Of preference training, with the pairs that `data` holds; nil in any other.
  let preference: DirectPreference?
  let pairs: PreferencePairs?
  let ranks: Ranks

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
    let batches = perplexity.batches(data.samples)
    let own = share(of: batches)
    var sums = TargetSums()
    try withoutStopping(stop) { isLast in
      sums = try perplexity.measure(data.samples[own], place: data.report.path) { rows, _ in
        progress(.evaluating(share: Double(rows.upperBound - own.lowerBound) / Double(own.count)))
        try isLast(rows.upperBound == own.upperBound)
      }
    }
    sums = try sums.sum(over: ranks)
    return EvaluationEntry(
      step: step, epoch: epoch, loss: sums.meanLoss, tokenAccuracy: sums.accuracy, rows: sums.rows,
      batches: batches.count, seconds: (clock.now - start).seconds)
  }

  /// The means over all pairs.
  private func evaluate(
    _ preference: DirectPreference, _ pairs: PreferencePairs, _ model: Transformer, step: Int, epoch: Double,
    stop: StopRequest, progress: (TrainingEvent) -> Void
  ) throws -> EvaluationEntry {
    let clock = ContinuousClock()
    let start = clock.now
    let batches = stride(from: 0, to: pairs.count, by: settings.batchSize).map {
      $0..<min($0 + settings.batchSize, pairs.count)
    }
    let own = share(of: batches)
    var sum = StepLoss(loss: 0, preference: PreferenceMetrics())
    try withoutStopping(stop) { isLast in
      for rows in batches where own.contains(rows.lowerBound) {
        let judged = try judge(rows, of: pairs, preference, model)
        sum.loss += judged.loss * Double(rows.count)
        sum.preference?.add(judged.metrics, times: Double(rows.count))
        progress(.evaluating(share: Double(rows.upperBound - own.lowerBound) / Double(own.count)))
        try isLast(rows.upperBound == own.upperBound)
      }
    }
    sum = try sum.sum(over: ranks)
    let count = Double(pairs.count)
    return EvaluationEntry(
      step: step, epoch: epoch, loss: sum.loss / count, preference: sum.preference?.divided(by: count),
      rows: pairs.count, batches: batches.count, seconds: (clock.now - start).seconds)
  }

  private func judge(
    _ rows: Range<Int>, of pairs: PreferencePairs, _ preference: DirectPreference, _ model: Transformer
  ) throws -> DirectPreference.Judgement {
    let batch = pairs.batch(Array(rows))
    let losses = model.loss(
      tokens: batch.tokens, labels: batch.labels, starts: batch.starts, trunks: batch.trunks)
    let judged = preference.judge(losses, of: batch, in: BatchExtent(batch))
    guard judged.loss.isFinite else {
      throw FireflyError(
        "the pairs' loss is not a finite number",
        at: data.report.places(batch.lines),
        found: "\(judged.loss)", fix: "Look at these rows, and at the weights with 'firefly inspect'.")
    }
    return judged
  }

  // MARK: - Ranks

  /// The rows of this rank's batches.
  private func share(of batches: [Range<Int>]) -> Range<Int> {
    let own = batches[EvenShares.ranges(of: batches.map(\.count), among: ranks.size)[ranks.rank]]
    guard let first = own.first, let last = own.last else { return 0..<0 }
    return first.lowerBound..<last.upperBound
  }

  /// Runs `body`, which says after each batch whether it was this rank's last one.
  ///
  /// - Throws: `Stopped` on all ranks, where one was asked to stop before its last batch.
  private func withoutStopping(
    _ stop: StopRequest, _ body: (_ isLast: (Bool) throws -> Void) throws -> Void
  ) throws {
    var isStopped = false
    do {
      try body { if stop.isAsked && !$0 { throw Stopped() } }
    } catch is Stopped {
      isStopped = true
    }
    if try ranks.any(isStopped) { throw Stopped() }
  }
}
