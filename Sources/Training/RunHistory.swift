import FireflyBase

/// What a run's log has at one step.
public struct LogEntry: Sendable, Equatable {
  public var step: Int
  public var epoch: Double
  /// Mean over the steps since the entry before, nats per target token; NaN stays NaN.
  public var loss: Double
  /// Of this step, before clipping.
  public var gradientNorm: Double
  /// That this step used.
  public var learningRate: Double
}

/// The numbers of a run so far: what trainer_state.json, the loss curve and the results are made of.
struct RunHistory: Sendable {
  /// One for each step.
  var losses: [Float] = []
  var lossSum = 0.0
  /// Since the last log entry.
  var windowSum = 0.0
  var windowSteps = 0
  var log: [LogEntry] = []
  /// Tokens trained on, and those of them that were targets.
  var tokens = 0
  var targets = 0

  mutating func add(loss: Double, tokens: Int, targets: Int) {
    losses.append(Float(loss))
    lossSum += loss
    windowSum += loss
    windowSteps += 1
    self.tokens += tokens
    self.targets += targets
  }

  /// Closes the window with an entry.
  mutating func log(step: Int, epoch: Double, gradientNorm: Double, learningRate: Double) -> LogEntry {
    let entry = LogEntry(
      step: step, epoch: epoch, loss: windowSum / Double(max(1, windowSteps)), gradientNorm: gradientNorm,
      learningRate: learningRate)
    log.append(entry)
    windowSum = 0
    windowSteps = 0
    return entry
  }

  /// Over all steps.
  var meanLoss: Double { losses.isEmpty ? .nan : lossSum / Double(losses.count) }
}

// MARK: - trainer_state.json

extension LogEntry {
  var json: JSONValue {
    .object([
      "step": .int(step), "epoch": .double(epoch), "loss": .double(loss), "grad_norm": .double(gradientNorm),
      "learning_rate": .double(learningRate),
    ])
  }

  /// nil for entries of another kind, such as a run's results.
  init?(_ json: JSONValue) {
    guard let step = json["step"]?.int, let loss = json["loss"]?.double else { return nil }
    self.init(
      step: step, epoch: json["epoch"]?.double ?? 0, loss: loss,
      gradientNorm: json["grad_norm"]?.double ?? .nan, learningRate: json["learning_rate"]?.double ?? 0)
  }
}

extension RunHistory {
  /// With the keys of transformers' TrainerState.
  ///
  /// - Parameter results: the last entry of a finished run's log_history.
  func trainerState(_ config: RunConfig, totalSteps: Int, epoch: Double, results: JSONValue? = nil)
    -> JSONValue
  {
    let step = losses.count
    return .object([
      "best_global_step": .null, "best_metric": .null, "best_model_checkpoint": .null,
      "epoch": .double(epoch),
      "eval_steps": .int(config.loggingEvery.resolved(total: totalSteps)), "global_step": .int(step),
      "is_hyper_param_search": .bool(false), "is_local_process_zero": .bool(true),
      "is_world_process_zero": .bool(true),
      "log_history": .array(log.map(\.json) + (results.map { [$0] } ?? [])),
      "logging_steps": .int(config.loggingEvery.resolved(total: totalSteps)), "max_steps": .int(totalSteps),
      "num_input_tokens_seen": .int(tokens),
      "num_train_epochs": .int(Int(config.epochs.rounded(.up))),
      "save_steps": .int(config.saveEvery.resolved(total: totalSteps)), "stateful_callbacks": .object([:]),
      "total_flos": .double(0), "train_batch_size": .int(config.microBatchSize), "trial_name": .null,
      "trial_params": .null,
    ])
  }
}
