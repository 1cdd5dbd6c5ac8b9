import FireflyBase

/// The adapter that is trained.
enum AdapterKeys {
  static let rank: ConfigKey<Int> = .count(
    "lora_rank", default: 64,
    .init(
      .original, "The adapter's rank: larger learns more and takes more memory.", "适配器的秩：越大能学到的越多，占用内存也越多。",
      example: .int(16), for: .adapters))

  static let alpha: ConfigKey<Double> = .number(
    "lora_alpha", above: true, default: 16,
    .init(
      .original, "The adapter's product is multiplied by lora_alpha / lora_rank.",
      "适配器的输出乘以 lora_alpha / lora_rank。", example: .int(32), for: .adapters))

  static let dropout: ConfigKey<Double> = .number(
    "lora_dropout", in: 0...0.99, default: 0.05,
    .init(
      .original, "The part of the adapter's inputs that is left out in training.", "训练时适配器输入的 dropout 比例。",
      example: .int(0), for: .adapters))

  static let targets: ConfigKey<[String]?> = ConfigKey(
    "lora_target_modules",
    .either([
      .list(.filled, of: Wording("module names", "模块名"), isEmptyAllowed: false),
      .text(isEmptyAllowed: false, suggesting: ["all-linear"]),
    ]), .value(.string("all-linear")),
    .init(
      .ours,
      "The linear layers that get an adapter, by the last part of their names; \"all-linear\": all but the head; another "
        + "text: an expression that a module's whole path fits. PEFT's target_modules.",
      "加适配器的线性层，用名称的最后一段表示；\"all-linear\" 表示除输出层外的所有线性层；其他字符串为匹配模块完整路径的正则表达式。"
        + "即 PEFT 的 target_modules。",
      example: .array([.string("q_proj"), .string("v_proj")]), for: .adapters),
    fallback: nil
  ) { .some($0.array?.compactMap(\.string)) }

  static let excluded: ConfigKey<JSONValue> = AdapterKeys.given(
    "exclude_modules",
    .either([
      .list(.filled, of: Wording("module names", "模块名"), isEmptyAllowed: true),
      .text(isEmptyAllowed: true, suggesting: []),
    ]),
    "Linear layers that get none though they are named: names, or an expression of a module's whole path.",
    "虽被选中但不加适配器的线性层：名称列表，或匹配模块完整路径的正则表达式。", .array([.string("down_proj")]))

  static let layers: ConfigKey<JSONValue> = AdapterKeys.given(
    "layers_to_transform",
    .either([
      .count(from: 0), .list(.count(from: 0), of: Wording("numbers of layers", "层号"), isEmptyAllowed: true),
    ]),
    "The layers whose modules get an adapter, from 0.", "加适配器的层，从 0 起编号。",
    .array([.int(30), .int(31)]))

  static let layerNames: ConfigKey<JSONValue> = AdapterKeys.given(
    "layers_pattern",
    .either([
      .text(isEmptyAllowed: true, suggesting: []),
      .list(.filled, of: Wording("names", "名称"), isEmptyAllowed: true),
    ]),
    "What stands before a layer's number in a module's path, where there are several numbers.",
    "模块路径中层号之前的名称，路径中有多个数字时使用。", .string("layers"))

  static let ranks: ConfigKey<JSONValue> = AdapterKeys.given(
    "rank_pattern", .members([]),
    "Ranks of modules that differ from lora_rank, by the end of a module's path or an expression of it.",
    "与 lora_rank 不同的模块的秩，键为模块路径的结尾或其正则表达式。", .object(["down_proj": .int(32)]))

  static let alphas: ConfigKey<JSONValue> = AdapterKeys.given(
    "alpha_pattern", .members([]), "The same of lora_alpha.", "同上，针对 lora_alpha。",
    .object(["down_proj": .int(64)]))

  /// A key of PEFT's that `AdapterChoice` reads.
  private static func given(
    _ name: String, _ shape: KeyShape, _ english: String, _ chinese: String, _ example: JSONValue
  ) -> ConfigKey<JSONValue> {
    ConfigKey(
      name, shape, .told(Wording("none", "无")),
      .init(.peft, english, chinese, example: example, for: .adapters), fallback: .null
    ) { $0 }
  }

  /// Those that `AdapterChoice` reads, under their own names.
  static let choice = [excluded, layers, layerNames, ranks, alphas]

  static let rankStabilised: ConfigKey<Bool> = .flag(
    "use_rslora", default: false,
    .init(
      .peft, "The factor is lora_alpha / √lora_rank instead.", "改用缩放系数 lora_alpha / √lora_rank。",
      example: .bool(true), for: .adapters))

  static let saved: ConfigKey<[String]> = ConfigKey(
    "modules_to_save", .list(.filled, of: Wording("module names", "模块名"), isEmptyAllowed: true),
    .told(Wording("none", "无")),
    .init(
      .peft, "Embedding and head that are trained whole, and saved with the adapter.",
      "完整训练并随适配器保存的模块：词嵌入与输出层。", example: .array([.string("embed_tokens"), .string("lm_head")]),
      for: .adapters),
    fallback: []
  ) { $0.array?.compactMap(\.string) }

  static let tied: ConfigKey<Bool> = .flag(
    "ensure_weight_tying", default: false,
    .init(
      .peft,
      "A head that is the embedding stays so where modules_to_save names one of the two; otherwise they part, as with PEFT.",
      "modules_to_save 写明其一时，与词嵌入共享的输出层仍保持共享；否则两者分开，与 PEFT 相同。",
      example: .bool(true), for: .adapters))

  static let all =
    [
      rank.declaration, alpha.declaration, dropout.declaration, targets.declaration,
      rankStabilised.declaration, saved.declaration, tied.declaration,
    ] + choice.map(\.declaration)
}

/// Training of all weights.
enum FullKeys {
  static let freeze: ConfigKey<Int?> = .count(
    "freeze_layers", from: 0, or: Wording("0", "0"),
    .init(
      .ours, "The first blocks that stay as they are, and with any of them the embedding.",
      "保持不变的前若干层；只要冻结了任何一层，词嵌入也保持不变。", unit: .blocks, example: .int(8), for: .allWeights))

  static let trainLast: ConfigKey<Int?> = .count(
    "train_last_layers", or: Wording("all blocks", "全部层"),
    .init(
      .ours, "The last blocks that are trained: freeze_layers said from the other end.",
      "只训练最后若干层，与 freeze_layers 方向相反。", unit: .blocks, example: .int(4), for: .allWeights))

  static let masterWeights: ConfigKey<OptimizerMemory> = .choice(
    "master_weights", default: .memory,
    .init(
      .ours,
      "Where the float32 weights are, which the bfloat16 ones follow: in memory, or in a file of output_dir that the system "
        + "can write out (paged). On a card: in its memory, or, where that has no room, in the processor's (paged).",
      "float32 主权重的位置：内存（memory），或 output_dir 中可由系统换出的文件（paged）。在显卡上：显存；paged 时，显存放不下则放在处理器的内存里。",
      example: .string("paged"),
      for: .allWeights))

  static let gradients: ConfigKey<HeldPrecision> = .choice(
    "gradient_dtype", default: .float32,
    .init(
      .ours, "What gradients are summed in; bfloat16 halves their memory and rounds each micro-batch's sum.",
      "梯度累加所用的数值类型；bfloat16 使其内存减半，但每个微批次的和会被舍入。", example: .string("bfloat16"),
      for: .allWeights))

  static let all = [
    freeze.declaration, trainLast.declaration, masterWeights.declaration, gradients.declaration,
  ]
}
