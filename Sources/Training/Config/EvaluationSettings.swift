import FireflyBase
import FireflyText

/// Evaluation during training, by transformers' keys.
public struct EvaluationSettings: Sendable, Equatable {
  /// Which evaluation counts as the best.
  public struct Best: Sendable, Equatable {
    public var metric: EvaluationMetric  // metric_for_best_model
    public var greaterIsBetter: Bool
    /// The finished run's adapter is the best checkpoint's and not the last step's.
    public var isLoadedAtEnd: Bool  // load_best_model_at_end
  }

  /// When a run ends before its last step: transformers' EarlyStoppingCallback.
  public struct Patience: Sendable, Equatable {
    /// So many evaluations one after another that are no better than the best before them end the run.
    public var evaluations: Int  // early_stopping_patience
    /// By how much an evaluation must be better to count as better.
    public var threshold: Double  // early_stopping_threshold

    package init(evaluations: Int, threshold: Double) {
      self.evaluations = evaluations
      self.threshold = threshold
    }

    /// Whether a run ends after evaluations with these values of its metric.
    package func isOut(after values: [Double], greaterIsBetter: Bool) -> Bool {
      func isBetter(_ value: Double, than other: Double) -> Bool {
        greaterIsBetter ? value > other : value < other
      }
      var best: Double?
      var inVain = 0
      for value in values {
        let limit = best ?? (greaterIsBetter ? -.infinity : .infinity)
        let counts = best == nil || (isBetter(value, than: limit) && abs(value - limit) > threshold)
        inVain = counts ? 0 : inVain + 1
        if inVain >= evaluations { return true }
        best = isBetter(value, than: limit) ? value : limit
      }
      return false
    }
  }

  /// The file of the rows, which are as in `train_file`; nil: the rows of `train_file` that are held out.
  public var file: String?  // eval_file
  public var interval: Interval  // eval_strategy, evaluation_strategy
  public var every: StepCount  // eval_steps; logging_steps when not given
  /// Steps or epochs, as `interval` says, before which there is no evaluation.
  public var delay: Double  // eval_delay
  /// Whether there is an evaluation before the first step.
  public var startsWithOne: Bool  // eval_on_start
  /// Rows of a batch.
  public var batchSize: Int  // per_device_eval_batch_size
  public var best: Best?
  /// nil: the run goes to its last step.
  public var patience: Patience?
}

extension ConfigReader {
  /// eval_file and what belongs to it; nil when there is no evaluation.
  mutating func evaluation(
    _ task: TaskType, heldOut: HeldOut?, loggingEvery: StepCount, saveInterval: SaveInterval,
    saveEvery: StepCount, _ notices: inout [String]
  ) -> EvaluationSettings? {
    let interval = evaluationInterval()
    let file = value(EvaluationKeys.file)
    var settings = EvaluationSettings(
      file: file.isEmpty ? nil : file, interval: interval,
      every: value(EvaluationKeys.every) ?? loggingEvery, delay: value(EvaluationKeys.delay),
      startsWithOne: value(EvaluationKeys.onStart), batchSize: value(EvaluationKeys.batch),
      best: bestModel(task))
    let asksForOne = value(EvaluationKeys.asked) || settings.startsWithOne || !file.isEmpty
    settings.patience = patience()
    checkPatience(settings)
    checkSavesBest(settings, saveInterval)
    guard interval != .no else {
      if asksForOne {
        notices.append("there is no evaluation during training: \"eval_strategy\" is \"no\"")
      }
      if settings.best?.isLoadedAtEnd == true {
        problem(
          "\"load_best_model_at_end\" needs evaluations", key: "load_best_model_at_end",
          fix: "Set \"eval_strategy\" and \"save_strategy\" alike, to \"steps\" or \"epoch\".")
      }
      if heldOut != nil {
        problem(
          "\"val_size\" holds rows out for evaluations, and there are none", key: "val_size",
          fix: "Set \"eval_strategy\" to \"steps\" or \"epoch\", or remove the key.")
      }
      return nil
    }
    switch (settings.file, heldOut) {
    case (nil, nil):
      problem(
        "\"eval_file\" is missing", key: "eval_strategy",
        expected: "a file of rows like train_file, or val_size",
        fix: "Name it, or set \"val_size\": 0.1, or \"eval_strategy\": \"no\".")
    case (_?, _?):
      problem(
        "\"eval_file\" and \"val_size\" are both given", key: "val_size", expected: "one of them",
        fix: "Remove one of them.")
    default: break
    }
    checkBest(settings, saveInterval, saveEvery)
    return settings
  }

  /// eval_strategy, which older versions call evaluation_strategy.
  private mutating func evaluationInterval() -> Interval {
    let new = value(EvaluationKeys.strategy)
    let old = value(EvaluationKeys.formerStrategy)
    if let new, let old, new != old {
      problem(
        "\"eval_strategy\" and \"evaluation_strategy\" differ", key: "evaluation_strategy",
        expected: "\"\(new.rawValue)\"", found: "\"\(old.rawValue)\"",
        fix: "They are two names of one setting.")
    }
    return new ?? old ?? .no
  }

  /// load_best_model_at_end, metric_for_best_model and greater_is_better; nil when none asks for a best one.
  private mutating func bestModel(_ task: TaskType) -> EvaluationSettings.Best? {
    let isLoaded = value(EvaluationKeys.loadsBest)
    let greater = value(EvaluationKeys.greaterIsBetter)
    var metric: EvaluationMetric?
    if let name = value(EvaluationKeys.metric) {
      let known = EvaluationMetric.allCases.filter { $0.exists(in: task) }
      metric = EvaluationMetric(name: name).flatMap { known.contains($0) ? $0 : nil }
      if metric == nil {
        let names = known.map(\.rawValue).joined(separator: ", ")
        wrong(EvaluationKeys.metric, expected: "one of \(names)", found: "\"\(name)\"")
      }
    }
    guard isLoaded || metric != nil else { return nil }
    return EvaluationSettings.Best(
      metric: metric ?? .loss, greaterIsBetter: greater ?? (metric ?? .loss).greaterIsBetter,
      isLoadedAtEnd: isLoaded)
  }

  /// The best checkpoint can be loaded only if every checkpoint has been evaluated.
  private mutating func checkBest(
    _ settings: EvaluationSettings, _ saveInterval: SaveInterval, _ saveEvery: StepCount
  ) {
    guard settings.best?.isLoadedAtEnd == true, saveInterval != .best else { return }
    guard saveInterval.rawValue == settings.interval.rawValue else {
      problem(
        "\"load_best_model_at_end\" needs checkpoints where there are evaluations", key: "save_strategy",
        expected: "\"\(settings.interval.rawValue)\", the eval_strategy",
        found: "\"\(saveInterval.rawValue)\"")
      return
    }
    if saveInterval == .steps && !saveEvery.isMultiple(of: settings.every) {
      problem(
        "\"load_best_model_at_end\" needs checkpoints where there are evaluations", key: "save_steps",
        expected: "a multiple of eval_steps, \(settings.every)", found: "\(saveEvery)")
    }
  }

  /// As transformers: without evaluations, or without a metric to go by, none would be the best.
  private mutating func checkSavesBest(_ settings: EvaluationSettings, _ saveInterval: SaveInterval) {
    guard saveInterval == .best, settings.interval == .no || settings.best == nil else { return }
    problem(
      "\"save_strategy\": \"best\" needs evaluations and a metric to go by", key: "save_strategy",
      fix: "Set \"eval_strategy\" to \"steps\" or \"epoch\", and \"metric_for_best_model\": \"eval_loss\".")
  }

  /// early_stopping_patience and early_stopping_threshold; nil for none.
  private mutating func patience() -> EvaluationSettings.Patience? {
    let evaluations = value(EvaluationKeys.patience)
    let threshold = value(EvaluationKeys.threshold)
    if evaluations == nil && threshold > 0 {
      problem(
        "\"early_stopping_threshold\" is for early stopping, which is off", key: "early_stopping_threshold",
        fix: "Set \"early_stopping_patience\" too.")
    }
    return evaluations.map { EvaluationSettings.Patience(evaluations: $0, threshold: threshold) }
  }

  /// As transformers: without evaluations, or without a metric to go by, nothing could be stopped.
  private mutating func checkPatience(_ settings: EvaluationSettings) {
    guard settings.patience != nil else { return }
    if settings.interval == .no {
      problem(
        "\"early_stopping_patience\" needs evaluations", key: "early_stopping_patience",
        fix: "Set \"eval_strategy\" to \"steps\" or \"epoch\".")
    }
    if settings.best == nil {
      problem(
        "\"early_stopping_patience\" needs a metric to go by", key: "early_stopping_patience",
        fix: "Set \"metric_for_best_model\": \"eval_loss\", or \"load_best_model_at_end\": true.")
    }
  }
}
