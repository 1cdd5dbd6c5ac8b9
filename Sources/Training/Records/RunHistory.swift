import FireflyBase

/// What a run's log has at one step.
public struct LogEntry: Sendable, Equatable {
  public var step: Int
  public var epoch: Double
  /// Mean over the steps since the entry before, nats per target token or, in preference training, per pair; NaN stays NaN.
  public var loss: Double
  /// The routers' auxiliary loss, its mean over the same steps, not part of `loss`; nil in a model without one.
  public var balanceLoss: Double?
  /// Of preference training, their means over the same steps; nil in any other.
  public var preference: PreferenceMetrics?
  /// The gradients' norm in this step, before clipping.
  public var gradientNorm: Double
  /// The learning rate that this step used.
  public var learningRate: Double
  /// In float16, what the next step's loss is multiplied by, and how many steps of the run have moved nothing so far; nil in
  /// other types.
  public var lossScale: Double?
  public var skippedSteps: Int?
}

/// An entry of log_history.
enum LogRecord: Sendable, Equatable {
  case training(LogEntry)
  case evaluation(EvaluationEntry)
}

/// The best evaluation so far.
public struct BestModel: Sendable, Equatable {
  public var metric: EvaluationMetric
  public var value: Double
  /// Optimizer steps before it.
  public var step: Int
}

/// The numbers of a run so far: what trainer_state.json, the loss curve and the results are made of.
struct RunHistory: Sendable {
  /// The loss of each step.
  var losses: [Float] = []
  var lossSum = 0.0
  /// The sum of the losses since the last log entry.
  var windowSum = 0.0
  /// The sum of the routers' auxiliary losses since then; nil in a model without one.
  var windowBalanceSum: Double?
  /// The sums of what preference training tells since then; nil in any other.
  var windowPreferenceSum: PreferenceMetrics?
  var windowSteps = 0
  var log: [LogRecord] = []
  /// The folder of the best evaluation's step, or, where that has none, of the best step that has one.
  var bestCheckpoint: String?
  /// Tokens trained on, and those of them that were targets.
  var tokens = 0
  var targets = 0

  mutating func add(_ step: StepLoss, tokens: Int, targets: Int) {
    losses.append(Float(step.loss))
    lossSum += step.loss
    windowSum += step.loss
    windowSteps += 1
    if let balance = step.balance { windowBalanceSum = (windowBalanceSum ?? 0) + balance }
    if let preference = step.preference {
      windowPreferenceSum = windowPreferenceSum ?? PreferenceMetrics()
      windowPreferenceSum?.add(preference)
    }
    self.tokens += tokens
    self.targets += targets
  }

  /// Closes the window with an entry.
  mutating func log(
    step: Int, epoch: Double, gradientNorm: Double, learningRate: Double, lossScale: LossScale?
  ) -> LogEntry {
    let steps = Double(max(1, windowSteps))
    let entry = LogEntry(
      step: step, epoch: epoch, loss: windowSum / steps, balanceLoss: windowBalanceSum.map { $0 / steps },
      preference: windowPreferenceSum?.divided(by: steps), gradientNorm: gradientNorm,
      learningRate: learningRate, lossScale: lossScale?.value, skippedSteps: lossScale?.skippedSteps)
    log.append(.training(entry))
    windowSum = 0
    windowBalanceSum = nil
    windowPreferenceSum = nil
    windowSteps = 0
    return entry
  }

  /// The best evaluation so far, of equals the first; nil when there is none or nothing tells what is better.
  func best(_ settings: EvaluationSettings.Best?) -> BestModel? {
    guard let settings else { return nil }
    var best: BestModel?
    for case .evaluation(let entry) in log {
      let value = entry.value(of: settings.metric)
      if let best, settings.greaterIsBetter ? value <= best.value : value >= best.value { continue }
      best = BestModel(metric: settings.metric, value: value, step: entry.step)
    }
    return best
  }

  /// Whether the evaluations so far end the run.
  func isOutOfPatience(_ settings: EvaluationSettings?) -> Bool {
    guard let best = settings?.best, let patience = settings?.patience else { return false }
    let values = log.compactMap { record in
      if case .evaluation(let entry) = record { entry.value(of: best.metric) } else { nil }
    }
    return patience.isOut(after: values, greaterIsBetter: best.greaterIsBetter)
  }

  /// To be called before the checkpoint of `step` is written, whose trainer_state.json names the best one.
  mutating func willSave(at step: Int, in config: RunConfig) {
    guard best(config.evaluation?.best)?.step == step else { return }
    bestCheckpoint = "\(config.outputFolder)/checkpoint-\(step)"
  }

  /// Whether there has been an evaluation after `step` steps.
  func isEvaluated(at step: Int) -> Bool {
    log.contains { if case .evaluation(let entry) = $0 { entry.step == step } else { false } }
  }

  /// The rewards of preference training at each log entry; empty in any other.
  var rewards: [(step: Int, metrics: PreferenceMetrics)] {
    log.compactMap { record in
      guard case .training(let entry) = record, let metrics = entry.preference else { return nil }
      return (entry.step, metrics)
    }
  }

  /// The mean loss over all steps.
  var meanLoss: Double { losses.isEmpty ? .nan : lossSum / Double(losses.count) }
}

// MARK: - trainer_state.json

extension LogRecord {
  var json: JSONValue {
    switch self {
    case .training(let entry): entry.json
    case .evaluation(let entry): entry.json
    }
  }

  /// nil for entries of another kind, such as a run's results.
  init?(_ json: JSONValue) {
    if let entry = LogEntry(json) {
      self = .training(entry)
    } else if let entry = EvaluationEntry(json) {
      self = .evaluation(entry)
    } else {
      return nil
    }
  }
}

extension LogEntry {
  var json: JSONValue {
    var entry: [String: JSONValue] = [
      "step": .int(step), "epoch": .double(epoch), "loss": .double(loss), "grad_norm": .double(gradientNorm),
      "learning_rate": .double(learningRate),
    ]
    if let balanceLoss { entry["aux_loss"] = .double(balanceLoss) }
    if let lossScale { entry["loss_scale"] = .double(lossScale) }
    if let skippedSteps { entry["skipped_steps"] = .int(skippedSteps) }
    if let preference { entry.merge(preference.json()) { $1 } }
    return .object(entry)
  }

  /// nil for entries of another kind.
  init?(_ json: JSONValue) {
    guard let step = json["step"]?.int, let loss = json["loss"]?.double else { return nil }
    self.init(
      step: step, epoch: json["epoch"]?.double ?? 0, loss: loss, balanceLoss: json["aux_loss"]?.double,
      preference: PreferenceMetrics(json),
      gradientNorm: json["grad_norm"]?.double ?? .nan, learningRate: json["learning_rate"]?.double ?? 0,
      lossScale: json["loss_scale"]?.double, skippedSteps: json["skipped_steps"]?.int)
  }
}

extension RunHistory {
  /// The history with the keys of transformers' TrainerState.
  ///
  /// - Parameter results: the last entry of a finished run's log_history.
  func trainerState(
    _ config: RunConfig, totalSteps: Int, epoch: Double, flop: Double, results: JSONValue? = nil
  ) -> JSONValue {
    let step = losses.count
    let best = best(config.evaluation?.best)
    return .object([
      "best_global_step": best.map { .int($0.step) } ?? .null,
      "best_metric": best.map { .double($0.value) } ?? .null,
      "best_model_checkpoint": bestCheckpoint.map(JSONValue.string) ?? .null, "epoch": .double(epoch),
      "eval_steps": .int((config.evaluation?.every ?? config.loggingEvery).resolved(total: totalSteps)),
      "global_step": .int(step),
      "is_hyper_param_search": .bool(false), "is_local_process_zero": .bool(true),
      "is_world_process_zero": .bool(true),
      "log_history": .array(log.map(\.json) + (results.map { [$0] } ?? [])),
      "logging_steps": .int(config.loggingEvery.resolved(total: totalSteps)), "max_steps": .int(totalSteps),
      "num_input_tokens_seen": .int(tokens),
      "num_train_epochs": .int(Int(saturating: config.epochs.rounded(.up))),
      "save_steps": .int(config.saveEvery.resolved(total: totalSteps)), "stateful_callbacks": .object([:]),
      "total_flos": .double(flop), "train_batch_size": .int(config.microBatchSize), "trial_name": .null,
      "trial_params": .null,
    ])
  }
}
