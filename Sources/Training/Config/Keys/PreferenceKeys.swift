import FireflyBase

/// Training on preference pairs.
enum PreferenceKeys {
  static let beta: ConfigKey<Double> = .number(
    "beta", above: true, default: 0.1,
    .init(
      .original, "How strongly the run is held to the reference: the larger, the closer it stays.",
      "对参考模型的约束强度：越大，与参考模型越接近。", example: .double(0.1), for: .preferences))

  static let maxPromptLength: ConfigKey<Int> = .count(
    "max_prompt_length", default: 512,
    .init(
      .original,
      "What a prompt keeps at least when a pair is too long: it is cut on the left first, then the answers on the "
        + "right.",
      "偏好对过长时提示至少保留的长度：先从左侧截断提示，再从右侧截断回答。", unit: .tokens, example: .int(256),
      for: .preferences))

  static let labelSmoothing: ConfigKey<Double> = .number(
    "label_smoothing", in: 0...0.5, default: 0,
    .init(
      .trl, "The part of the pairs whose preference is taken to be wrong; for loss_type sigmoid and robust.",
      "假定标注错误的偏好对所占比例；用于 loss_type 为 sigmoid 和 robust 时。", example: .double(0.1), for: .preferences))

  /// "nll" is TRL's name of the loss that conversations and texts have anyway.
  private static let names = PreferenceLossKind.allCases.map(\.rawValue) + ["nll"]

  /// TRL's list of several, with "sft" among them, is told apart by the reader.
  static let loss: ConfigKey<[String]> = ConfigKey(
    "loss_type",
    .either([
      .names(names),
      .list(.names(names + ["sft"]), of: Wording("one of them", "其中一个"), isEmptyAllowed: false),
    ]), .value(.string(PreferenceLossKind.sigmoid.rawValue)),
    .init(
      .trl, "How a pair's two answers make a loss. \"nll\" is the loss of the other tasks, and holds there.",
      "由一对回答计算损失的方式。\"nll\" 是其他任务的损失，只用于那些任务。", example: .string("ipo"), for: .preferences),
    fallback: [PreferenceLossKind.sigmoid.rawValue]
  ) { ($0.array ?? [$0]).compactMap(\.string) }

  static let rpoAlpha: ConfigKey<Double?> = .number(
    "rpo_alpha", in: 0...(.infinity), or: Wording("none", "无"),
    .init(
      .trl, "The weight of the chosen answers' own loss beside that of the pair.", "在偏好损失之外，被选回答自身损失的权重。",
      example: .double(1), for: .preferences))

  static let reference: ConfigKey<PreferenceReference> = .choice(
    "dpo_reference", default: .start,
    .init(
      .ours,
      "What rewards are measured against: the weights that the run starts from (start), or the base without the adapter that "
        + "it starts from (base).",
      "计算奖励时的参考模型：训练开始时的权重（start），或不带起始适配器的基座（base）。", example: .string("base"),
      for: .preferences))

  static let disablesDropout: ConfigKey<Bool> = .flag(
    "disable_dropout", default: true,
    .init(
      .trl, "No dropout in preference training, whatever lora_dropout says.",
      "偏好训练时不使用 dropout，不论 lora_dropout 为何值。",
      example: .bool(false), for: .preferences))

  static let all = [
    beta.declaration, maxPromptLength.declaration, labelSmoothing.declaration, loss.declaration,
    rpoAlpha.declaration, reference.declaration, disablesDropout.declaration,
  ]
}
