import FireflyBase

/// Evaluation during training, and what ends a run early.
enum EvaluationKeys {
  static let file: ConfigKey<String> = .text(
    "eval_file", default: "",
    .init(
      .original, "The rows that are evaluated, in the form of train_file's. It needs eval_strategy.",
      "用于评估的数据，格式与 train_file 相同。需要设置 eval_strategy。", example: .string("held-out.jsonl")))

  static let strategy: ConfigKey<Interval?> = .choice(
    "eval_strategy", or: Wording("\"no\"", "\"no\""),
    .init(
      .transformers,
      "When there are evaluations: never (no), every eval_steps (steps), or after each epoch (epoch).",
      "何时评估：从不（no）、每 eval_steps 步（steps），或每轮结束后（epoch）。", example: .string("steps")))

  static let formerStrategy: ConfigKey<Interval?> = .choice(
    "evaluation_strategy", or: Wording("as eval_strategy", "同 eval_strategy"),
    .init(.transformers, "The older name of eval_strategy.", "eval_strategy 的旧名。", example: .string("steps")))

  static let every: ConfigKey<StepCount?> = .steps(
    "eval_steps", from: 0, or: Wording("as logging_steps", "同 logging_steps"),
    .init(
      .transformers,
      "The steps between evaluations; below 1 a part of all steps, and 0 as if it were not given.",
      "评估间隔；小于 1 时为占总步数的比例，0 等同于不填。", unit: .steps, example: .int(100)))

  static let delay: ConfigKey<Double> = .number(
    "eval_delay", default: 0,
    .init(
      .transformers, "The steps or epochs, as eval_strategy says, before which there is no evaluation.",
      "在此步数或轮数（由 eval_strategy 决定）之前不评估。", unit: Wording("steps or epochs", "步或轮"), example: .int(500)))

  static let onStart: ConfigKey<Bool> = .flag(
    "eval_on_start", default: false,
    .init(.transformers, "Evaluates before the first step too.", "在第一步之前也评估一次。", example: .bool(true)))

  static let asked: ConfigKey<Bool> = .flag(
    "do_eval", default: false,
    .init(
      .transformers,
      "Says that evaluations are wanted; eval_strategy says when, and without one this is told.",
      "表示需要评估；何时评估由 eval_strategy 决定，未设置时会给出提示。", example: .bool(true)))

  static let batch: ConfigKey<Int> = .count(
    "per_device_eval_batch_size", default: 8,
    .init(
      .transformers, "The rows that are evaluated together.", "评估时一起计算的行数。", unit: .rows, example: .int(4)))

  static let loadsBest: ConfigKey<Bool> = .flag(
    "load_best_model_at_end", default: false,
    .init(
      .transformers,
      "The finished run's result is the best checkpoint's. It needs a checkpoint where there is an evaluation.",
      "训练结束时取最好的检查点作为结果。每次评估处都须有检查点。", example: .bool(true)))

  static let metric: ConfigKey<String?> = ConfigKey(
    "metric_for_best_model",
    .names(
      EvaluationMetric.allCases.flatMap { [$0.rawValue, String($0.rawValue.dropFirst("eval_".count))] }),
    .told(Wording("\"eval_loss\" where a best one is asked for", "需要选出最好的检查点时为 \"eval_loss\"")),
    .init(
      .transformers,
      "What makes one evaluation better than another; eval_rewards/… is of preference pairs, eval_perplexity and "
        + "eval_token_accuracy of the other tasks.",
      "评判评估好坏的指标；eval_rewards/… 用于偏好对，eval_perplexity 与 eval_token_accuracy 用于其他任务。",
      example: .string("eval_loss")),
    fallback: nil
  ) { .some($0.string) }

  static let greaterIsBetter: ConfigKey<Bool?> = .flag(
    "greater_is_better", or: Wording("as the metric is", "由指标决定"),
    .init(
      .transformers, "Whether the larger value of the metric is the better one.", "指标是否越大越好。",
      example: .bool(false)))

  static let patience: ConfigKey<Int?> = .count(
    "early_stopping_patience", or: Wording("the run goes to its last step", "运行到最后一步"),
    .init(
      .transformers,
      "So many evaluations one after another that are no better than the best before them end the run.",
      "连续若干次评估都不优于此前最好的一次时，提前结束训练。", unit: Wording("evaluations", "次评估"), example: .int(3)))

  static let threshold: ConfigKey<Double> = .number(
    "early_stopping_threshold", default: 0,
    .init(
      .transformers, "By how much an evaluation must be better to count as better.", "至少好出多少才算更好。",
      example: .double(0.001)))

  static let prompts: ConfigKey<[String]> = ConfigKey(
    "sample_prompts",
    .list(.text(isEmptyAllowed: true), of: Wording("texts", "文本"), isEmptyAllowed: true),
    .told(Wording("none", "无")),
    .init(
      .ours, "A user's turns that the run answers now and then, so that one can read what it learns.",
      "训练过程中定期回答的用户问题，便于观察学习效果。", example: .array([.string("What is 12 times 7?")])),
    fallback: []
  ) { $0.array?.compactMap(\.string) }

  static let sampleEvery: ConfigKey<StepCount?> = .steps(
    "sample_steps", or: Wording("as save_steps", "同 save_steps"),
    .init(
      .ours, "The steps between such answers; below 1 a part of all steps.", "回答的间隔；小于 1 时为占总步数的比例。",
      unit: .steps, example: .int(50)))

  static let sampleLength: ConfigKey<Int> = .count(
    "sample_max_new_tokens", default: 128,
    .init(.ours, "The longest such answer.", "每个回答的最大长度。", unit: .tokens, example: .int(256)))

  static let all = [
    file.declaration, strategy.declaration, formerStrategy.declaration, every.declaration,
    delay.declaration, onStart.declaration, asked.declaration, batch.declaration, loadsBest.declaration,
    metric.declaration, greaterIsBetter.declaration, patience.declaration, threshold.declaration,
    prompts.declaration, sampleEvery.declaration, sampleLength.declaration,
  ]
}
