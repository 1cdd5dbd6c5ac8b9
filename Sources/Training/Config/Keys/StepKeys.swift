import FireflyBase

/// How long a run is, what makes a step, and how a step changes the weights.
enum StepKeys {
  /// Above any sensible number, and times any number of steps still a number of steps.
  private static let mostEpochs = 1e6

  static let epochs: ConfigKey<Double> = .number(
    "num_train_epochs", in: 0...mostEpochs, above: true, default: 3,
    .init(
      .transformers, "How often all rows are gone through; a part of an epoch is allowed.",
      "遍历全部数据的轮数，可以是小数。",
      unit: Wording("epochs", "轮"), example: .int(1)))

  static let maxSteps: ConfigKey<Int> = .whole(
    "max_steps", in: -1...KeyShape.most, default: -1,
    .init(
      .transformers,
      "The steps of the run, in the place of num_train_epochs; -1 and 0: as many as the epochs have.",
      "训练总步数，代替 num_train_epochs；-1 与 0 表示由轮数决定。", unit: .steps, example: .int(300)))

  static let microBatch: ConfigKey<Int> = .count(
    "per_device_train_batch_size", default: 8,
    .init(
      .transformers, "The rows of a micro-batch, which are computed together; more of them take more memory.",
      "每个微批次的行数，同一微批次一起计算；越多占用内存越多。", unit: .rows, example: .int(1)))

  static let accumulation: ConfigKey<Int> = .count(
    "gradient_accumulation_steps", default: 1,
    .init(
      .transformers,
      "The micro-batches of a step: a step has as many rows as this times per_device_train_batch_size.",
      "每步累积的微批次数：每步的行数是它与 per_device_train_batch_size 的乘积。",
      unit: Wording("micro-batches", "微批次"), example: .int(16)))

  static let rankPatience: ConfigKey<Double> = .number(
    "ddp_timeout", above: true, default: 1800,
    .init(
      .transformers,
      "Of several processes (mpirun, srun): how long one is waited for before the run ends and names it.",
      "多进程训练（mpirun、srun）时，等待某个进程多久后结束训练并指出该进程。",
      unit: Wording("seconds", "秒"), example: .int(600)))

  static let reduction: ConfigKey<LossReduction> = .choice(
    "loss_reduction", default: .token,
    .init(
      .ours,
      "How a step's loss is averaged: every target token counts the same (token), or every micro-batch, as in the original "
        + "(micro_batch_mean).",
      "每步损失的平均方式：每个目标词元权重相同（token），或像原版那样每个微批次权重相同（micro_batch_mean）。",
      example: .string("micro_batch_mean"), for: Trainings(tasks: [.pretrain, .sft])))

  static let embeddingNoise: ConfigKey<Double> = .number(
    "neftune_noise_alpha", default: 0,
    .init(
      .transformers,
      "NEFTune: in training each element behind the embedding gets noise from ±this/√(tokens of the row × hidden size); 0 for "
        + "none. transformers counts the tokens of the padded batch.",
      "NEFTune：训练时词嵌入输出的每个元素加上均匀噪声，幅度为 ±此值/√（该行词元数 × 隐藏维度）；0 表示不加。transformers 按填充后的批次长度计算。",
      example: .int(5)))

  static let all = [
    epochs.declaration, maxSteps.declaration, microBatch.declaration, accumulation.declaration,
    reduction.declaration, embeddingNoise.declaration, rankPatience.declaration,
  ]
}

/// The optimizer, AdamW, and its learning rate.
enum OptimizerKeys {
  static let learningRate: ConfigKey<Double> = .number(
    "learning_rate", default: 5e-5,
    .init(
      .transformers,
      "The highest learning rate. Usual: 1e-4 to 2e-4 for adapters, 5e-6 to 1e-5 for all weights.",
      "最大学习率。常用值：适配器 1e-4 到 2e-4，全量训练 5e-6 到 1e-5。", example: .double(2e-4)))

  static let schedule: ConfigKey<ScheduleKind> = .choice(
    "lr_scheduler_type", default: .linear,
    .init(
      .transformers,
      "The learning rate's course after the warm-up: it stays, or falls in a line, a cosine, a power or as 1/√steps; "
        + "warmup_stable_decay stays first and falls at the end.",
      "预热之后学习率的变化：保持不变，或按直线、余弦、幂、步数平方根的倒数下降；warmup_stable_decay 先保持，最后下降。",
      example: .string("cosine")))

  /// An object, or its text, as transformers takes it.
  static let scheduleSettings: ConfigKey<JSONValue> = ConfigKey(
    "lr_scheduler_kwargs", .either([.members([]), .text(isEmptyAllowed: true)]), .told(Wording("none", "无")),
    .init(
      .transformers,
      "What lr_scheduler_type takes beside it. cosine: num_cycles (waves, 0.5); cosine_with_restarts: num_cycles (1); "
        + "cosine_with_min_lr: min_lr or min_lr_rate, num_cycles; cosine_warmup_with_min_lr: warmup_lr_rate too; polynomial: "
        + "lr_end (1e-7), power (1); inverse_sqrt: timescale; warmup_stable_decay: num_decay_steps, num_stable_steps, "
        + "warmup_type and decay_type (linear, cosine or 1-sqrt), min_lr_ratio, num_cycles.",
      "lr_scheduler_type 的附加设置。cosine：num_cycles（余弦波数，0.5）；cosine_with_restarts：num_cycles（1）；"
        + "cosine_with_min_lr：min_lr 或 min_lr_rate，以及 num_cycles；cosine_warmup_with_min_lr：另有 warmup_lr_rate；"
        + "polynomial：lr_end（1e-7）、power（1）；inverse_sqrt：timescale；warmup_stable_decay：num_decay_steps、"
        + "num_stable_steps、warmup_type 与 decay_type（linear、cosine 或 1-sqrt）、min_lr_ratio、num_cycles。",
      example: .object(["min_lr_rate": .double(0.1)])),
    fallback: .object([:])
  ) { $0 }

  static let warmupSteps: ConfigKey<Warmup> = ConfigKey(
    "warmup_steps", .either([.count(from: 0), .partOfSteps]), .value(.int(0)),
    .init(
      .transformers, "The steps over which the learning rate rises from 0; below 1 a part of all steps.",
      "学习率从 0 上升所用的步数；小于 1 时为占总步数的比例。", unit: .steps, example: .int(100)),
    fallback: .steps(0)
  ) { value in value.int.map(Warmup.steps) ?? value.double.map(Warmup.ratio) }

  static let warmupRatio: ConfigKey<Double> = .number(
    "warmup_ratio", in: 0...1, default: 0,
    .init(
      .transformers, "The same as a part of all steps; warmup_steps counts where both are given.",
      "以占总步数的比例表示的预热；同时给出时以 warmup_steps 为准。", example: .double(0.03)))

  /// Every AdamW of transformers with 32-bit states is the same one here, and every one of bitsandbytes with 8-bit states.
  /// torchao's with smaller states get 32 bits, which is told.
  static let optimizerNames: [String: (memory: OptimizerMemory, moments: MomentPrecision, isExact: Bool)] = [
    "adamw": (.memory, .float32, true), "adamw_torch": (.memory, .float32, true),
    "adamw_hf": (.memory, .float32, true), "adamw_torch_fused": (.memory, .float32, true),
    "adamw_torch_xla": (.memory, .float32, true), "adamw_apex_fused": (.memory, .float32, true),
    "adamw_torch_npu_fused": (.memory, .float32, true),
    "paged_adamw_32bit": (.paged, .float32, true), "paged_adamw": (.paged, .float32, true),
    "adamw_bnb_8bit": (.memory, .bytes, true), "adamw_8bit": (.memory, .bytes, true),
    "paged_adamw_8bit": (.paged, .bytes, true),
    "adamw_torch_8bit": (.memory, .float32, false), "adamw_torch_4bit": (.memory, .float32, false),
  ]

  static let optimizer: ConfigKey<String> = ConfigKey(
    "optim", .names(optimizerNames.keys.sorted()), .value(.string("adamw_torch")),
    .init(
      .transformers,
      "AdamW. Its states have 32 bits; with adamw_8bit, adamw_bnb_8bit and paged_adamw_8bit those of tensors of 4,096 elements "
        + "and more, embeddings excepted, have 8, as bitsandbytes keeps them. The paged ones keep them in a file of output_dir "
        + "that the system can write out, and of a run on a card in the processor's memory where the card has no room for them.",
      "AdamW。状态为 32 位；adamw_8bit、adamw_bnb_8bit 和 paged_adamw_8bit 把不少于 4096 个元素的张量（词嵌入除外）的状态存为 8 位，"
        + "与 bitsandbytes 相同。paged 类名称把状态放在 output_dir 中可由系统换出的文件里；在显卡上训练且显存放不下时，放在处理器的内存里。",
      example: .string("paged_adamw_32bit")),
    fallback: "adamw_torch"
  ) { $0.string }

  static let weightDecay: ConfigKey<Double> = .number(
    "weight_decay", default: 0,
    .init(
      .transformers, "How fast weights shrink: a step takes off this times the learning rate of them.",
      "权重衰减：每步减去权重的「学习率 × 此值」。", example: .double(0.01)))

  static let beta1: ConfigKey<Double> = .number(
    "adam_beta1", in: 0...0.999_999, default: 0.9,
    .init(
      .transformers, "AdamW's factor of the gradients' running mean.", "AdamW 一阶矩的衰减系数。",
      example: .double(0.9)))

  static let beta2: ConfigKey<Double> = .number(
    "adam_beta2", in: 0...0.999_999_999, default: 0.999,
    .init(
      .transformers, "AdamW's factor of the squared gradients' running mean.", "AdamW 二阶矩的衰减系数。",
      example: .double(0.95)))

  static let epsilon: ConfigKey<Double> = .number(
    "adam_epsilon", in: 0...1, default: 1e-8,
    .init(
      .transformers, "Added to AdamW's divisor.", "AdamW 分母上的加数。", example: .double(1e-8)))

  static let maxNorm: ConfigKey<Double> = .number(
    "max_grad_norm", default: 1,
    .init(
      .transformers, "A step's gradient is scaled down to this norm when it is larger; 0 leaves it as it is.",
      "梯度范数超过此值时按比例缩小；0 表示不裁剪。", example: .double(0.3)))

  static let all = [
    learningRate.declaration, schedule.declaration, scheduleSettings.declaration, warmupSteps.declaration,
    warmupRatio.declaration,
    optimizer.declaration, weightDecay.declaration, beta1.declaration, beta2.declaration,
    epsilon.declaration, maxNorm.declaration,
  ]
}
