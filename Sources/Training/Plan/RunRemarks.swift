import FireflyBase

/// What is allowed and rarely meant: settings that do nothing in a run of this length, or switch something off.
///
/// Each is one line, told before the run starts.
struct RunRemarks {
  private let config: RunConfig
  private let totalSteps: Int
  private let occasions: Occasions

  init(_ config: RunConfig, _ order: DataOrder, totalSteps: Int) {
    self.config = config
    self.totalSteps = totalSteps
    occasions = Occasions(config, order, totalSteps: totalSteps)
  }

  var lines: [String] {
    [length, warmup, rate, clipping, logging, evaluation, samples, saving].compactMap(\.self)
  }

  private var length: String? {
    guard config.maxSteps != nil, has(StepKeys.epochs) else { return nil }
    return "\"num_train_epochs\" is ignored: \"max_steps\" is given"
  }

  private var warmup: String? {
    let steps = config.warmup.resolved(total: totalSteps)
    guard config.schedule != .constant, steps >= totalSteps else { return nil }
    return "the warm-up takes \(Readable.grouped(steps)) steps and \(run): learning_rate is never reached"
  }

  private var rate: String? { config.learningRate == 0 ? "\"learning_rate\" is 0: nothing is learnt" : nil }

  private var clipping: String? {
    config.maxGradientNorm == nil ? "\"max_grad_norm\" is 0: gradients are not clipped" : nil
  }

  private var logging: String? {
    guard config.loggingInterval == .steps else { return nil }
    return beyond(RecordKeys.loggingEvery, config.loggingEvery).map {
      "\($0): \(config.logsFirstStep ? "the first step's loss alone is logged" : "no loss is logged")"
    }
  }

  private var evaluation: String? {
    guard let evaluation = config.evaluation, !occasions.evaluates(after: totalSteps) else { return nil }
    let when = evaluation.startsWithOne ? "but for the one before the first step" : "at all"
    return "\(run), which end before the first evaluation: there is none \(when)"
  }

  private var samples: String? {
    guard let samples = config.samples, has(EvaluationKeys.sampleEvery) else { return nil }
    return beyond(EvaluationKeys.sampleEvery, samples.every).map {
      "\($0): prompts are answered before the first step and after the last"
    }
  }

  private var saving: String? {
    guard config.saveInterval == .steps, has(RecordKeys.saveEvery) else { return nil }
    return beyond(RecordKeys.saveEvery, config.saveEvery).map {
      "\($0): the one checkpoint is that of the end"
    }
  }

  // MARK: - Words

  private func beyond<Value>(_ key: ConfigKey<Value>, _ every: StepCount) -> String? {
    let steps = every.resolved(total: totalSteps)
    return steps > totalSteps ? "\"\(key.name)\" is \(Readable.grouped(steps)) and \(run)" : nil
  }

  private var run: String { "the run has \(Readable.grouped(totalSteps)) steps" }

  private func has<Value>(_ key: ConfigKey<Value>) -> Bool { config.source[key.name] != nil }
}
