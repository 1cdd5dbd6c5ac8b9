/// After which steps a run logs its loss, evaluates and saves a checkpoint: as transformers' Trainer does.
struct Occasions {
  private let config: RunConfig
  private let order: DataOrder
  private let totalSteps: Int

  init(_ config: RunConfig, _ order: DataOrder, totalSteps: Int) {
    self.config = config
    self.order = order
    self.totalSteps = totalSteps
  }

  func logs(after step: Int) -> Bool {
    isDue(config.loggingInterval, config.loggingEvery, after: step) || config.logsFirstStep && step == 1
  }

  /// The last step is evaluated too, unless `eval_delay` is longer than the run.
  func evaluates(after step: Int) -> Bool {
    guard let evaluation = config.evaluation else { return false }
    if step == 0 { return evaluation.startsWithOne }
    let passed = evaluation.interval == .epoch ? order.epoch(after: step) : Double(step)
    return passed >= evaluation.delay
      && (step == totalSteps || isDue(evaluation.interval, evaluation.every, after: step))
  }

  /// The last step always has a checkpoint, unless there are none or those of the best evaluations alone.
  ///
  /// - Parameter isBest: the step's evaluation is better than all before it.
  func saves(after step: Int, isLast: Bool, isBest: Bool) -> Bool {
    switch config.saveInterval {
    case .no: false
    case .best: isBest
    case .steps: isLast || isDue(.steps, config.saveEvery, after: step)
    case .epoch: isLast || isDue(.epoch, config.saveEvery, after: step)
    }
  }

  /// A run that ends within an epoch ends that epoch.
  private func isDue(_ interval: Interval, _ every: StepCount, after step: Int) -> Bool {
    switch interval {
    case .no: false
    case .steps: step % every.resolved(total: totalSteps) == 0
    case .epoch: step % order.stepsPerEpoch == 0 || step == totalSteps
    }
  }
}
