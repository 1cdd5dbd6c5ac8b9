import FireflyBase

/// Where a run writes, what it logs and which checkpoints it keeps.
enum RecordKeys {
  static let output: ConfigKey<String> = .required(
    "output_dir",
    .init(
      .transformers,
      "The folder that the run writes: the result, checkpoints, logs. It is made where it does not exist.",
      "输出文件夹：结果、检查点和日志；不存在时自动创建。", example: .string("output/my-run")))

  static let overwrites: ConfigKey<Bool> = .flag(
    "overwrite_output_dir", default: false,
    .init(
      .transformers, "Takes the place of an earlier run in output_dir, whose checkpoints are removed.",
      "覆盖 output_dir 中先前的训练，其检查点会被删除。", example: .bool(true)))

  static let loggingStrategy: ConfigKey<Interval> = .choice(
    "logging_strategy", default: .steps,
    .init(
      .transformers,
      "When the loss is logged: never (no), every logging_steps (steps), or after each epoch (epoch).",
      "何时记录损失：从不（no）、每 logging_steps 步（steps），或每轮结束后（epoch）。", example: .string("epoch")))

  static let loggingEvery: ConfigKey<StepCount> = .steps(
    "logging_steps", default: 500,
    .init(
      .transformers, "The steps between logged losses; below 1 a part of all steps.",
      "记录损失的间隔；小于 1 时为占总步数的比例。", unit: .steps, example: .int(10)))

  static let logsFirst: ConfigKey<Bool> = .flag(
    "logging_first_step", default: false,
    .init(.transformers, "Logs the first step too.", "也记录第一步。", example: .bool(true)))

  static let reports: ConfigKey<[String]> = ConfigKey(
    "report_to",
    .either([
      .text(isEmptyAllowed: true, suggesting: ["tensorboard", "none", "all"]),
      .list(.text(isEmptyAllowed: true), of: Wording("them", "上述值"), isEmptyAllowed: true),
    ]), .value(.string("tensorboard")),
    .init(
      .transformers,
      "Where logs go besides the run's own files: TensorBoard's events, or nowhere. Other services are told.",
      "日志除自身文件外还写到哪里：TensorBoard 事件文件，或不写。其他服务会给出提示，但不支持。",
      example: .string("none")),
    fallback: ["tensorboard"]
  ) { ($0.array ?? [$0]).compactMap(\.string) }

  static let tensorBoardFolder: ConfigKey<String?> = .text(
    "logging_dir", or: Wording("runs in output_dir", "output_dir 下的 runs"),
    .init(
      .transformers, "The folder of TensorBoard's events.", "TensorBoard 事件文件所在的文件夹。",
      example: .string("output/events")))

  static let disablesBar: ConfigKey<Bool> = .flag(
    "disable_tqdm", default: false,
    .init(.transformers, "No progress bar on the terminal.", "终端上不显示进度条。", example: .bool(true)))

  static let saveStrategy: ConfigKey<SaveInterval> = .choice(
    "save_strategy", default: .steps,
    .init(
      .transformers,
      "When checkpoints are saved: never (no), every save_steps (steps), after each epoch (epoch), or after an evaluation that is "
        + "better than all before it (best). Ctrl-C saves one always.",
      "何时保存检查点：从不（no）、每 save_steps 步（steps）、每轮结束后（epoch），或评估结果优于此前所有评估时（best）。按 Ctrl-C 时总会保存一个。",
      example: .string("epoch")))

  static let saveEvery: ConfigKey<StepCount> = .steps(
    "save_steps", default: 500,
    .init(
      .transformers, "The steps between checkpoints; below 1 a part of all steps.",
      "保存检查点的间隔；小于 1 时为占总步数的比例。", unit: .steps, example: .int(100)))

  static let saveLimit: ConfigKey<Int?> = .count(
    "save_total_limit", from: 0, or: Wording("all of them", "全部保留"),
    .init(
      .transformers, "The checkpoints that are kept, the newest; 0 keeps all.", "保留最新的若干个检查点；0 表示全部保留。",
      unit: Wording("checkpoints", "个检查点"), example: .int(2)))

  static let resume: ConfigKey<Resume> = ConfigKey(
    "resume_from_checkpoint", .either([.flag, .filled]), .value(.bool(false)),
    .init(
      .transformers,
      "Continues a run: from the newest checkpoint of output_dir (true), or from this checkpoint's folder. --resume does the "
        + "same.",
      "继续先前的训练：从 output_dir 中最新的检查点（true），或指定的检查点文件夹。与 --resume 相同。", example: .bool(true)),
    fallback: .fresh
  ) { value in value.string.map(Resume.checkpoint) ?? value.bool.map { $0 ? .latest : .fresh } }

  static let all = [
    output.declaration, overwrites.declaration, loggingStrategy.declaration, loggingEvery.declaration,
    logsFirst.declaration, reports.declaration, tensorBoardFolder.declaration, disablesBar.declaration,
    saveStrategy.declaration, saveEvery.declaration, saveLimit.declaration, resume.declaration,
  ]
}
