import FireflyBase
import FireflyText

/// Where tokenised rows are kept: the values of data_cache.
enum DataCacheChoice: Sendable {
  case standard, off
  case folder(String)

  fileprivate init?(_ value: JSONValue) {
    switch value {
    case .bool(let isOn): self = isOn ? .standard : .off
    case .string("off"): self = .off
    case .string(let folder): self = .folder(folder)
    default: return nil
    }
  }

  var path: String? {
    switch self {
    case .standard: DataCache.standardFolder()
    case .off: nil
    case .folder(let path): path
    }
  }
}

/// Which rows are read, in which order, and what is learnt of them.
enum DataKeys {
  private static let file: KeyShape = .members([
    .init(name: "file", shape: .filled),
    .init(name: "share", shape: .number(0...1, above: true)),
    .init(name: "max_samples", shape: .count(from: 1)),
  ])

  static let trainFiles: ConfigKey<[DataFile]> = ConfigKey(
    "train_file",
    .either([
      .filled,
      .list(
        .either([.filled, file]),
        of: Wording(
          "paths and objects {\"file\", \"share\", \"max_samples\"}",
          "路径与对象 {\"file\", \"share\", \"max_samples\"} "), isEmptyAllowed: false),
    ]), .required,
    .init(
      .original,
      "The rows: a file, for pretrain also a folder of texts; or a list of files, of which each may say the part (share) or the "
        + "number (max_samples) of its rows that is taken.",
      "训练数据：文件（pretrain 也可以是文本文件夹），或文件列表；列表中的每个文件可用 share 指定取用比例、用 max_samples 指定取用行数。",
      example: .array([
        .string("mine.jsonl"), .object(["file": .string("general.jsonl"), "share": .double(0.3)]),
      ])),
    fallback: []
  ) { value in
    (value.array ?? [value]).map { item in
      DataFile(
        item.string ?? item["file"]?.string ?? "", share: item["share"]?.double,
        maxRows: item["max_samples"]?.int)
    }
  }

  static let maxSamples: ConfigKey<Int?> = .count(
    "max_samples", or: Wording("all rows", "全部"),
    .init(
      .ours, "The most rows that are trained on, of all files together.", "最多使用的训练行数，按所有文件合计。",
      unit: .rows, example: .int(5000)))

  static let heldOut: ConfigKey<HeldOut?> = ConfigKey(
    "val_size", .either([.part(of: Wording("the rows", "行数")), .count(from: 0)]),
    .told(Wording("none", "无")),
    .init(
      .ours,
      "Rows of train_file that are not trained on but evaluated: a part of them, or their number. It needs eval_strategy.",
      "从 train_file 中留出、只用于评估的行：比例或行数。需要设置 eval_strategy。", unit: .rows,
      example: .double(0.02)),
    fallback: nil
  ) { value in
    if value.double == 0 { return .some(nil) }
    return value.int.map(HeldOut.rows) ?? value.double.map(HeldOut.share)
  }

  static let maxLength: ConfigKey<Int> = .required(
    "max_seq_length", from: 2,
    .init(
      .original,
      "The longest row: conversations are cut on the right, pairs as max_prompt_length says, and texts are cut into blocks of "
        + "this length.",
      "行的最大长度：对话从右侧截断，偏好对按 max_prompt_length 截断，纯文本按此长度切块。", unit: .tokens,
      example: .int(1024)))

  static let learnsPrompt: ConfigKey<Bool> = .flag(
    "train_on_prompt", default: false,
    .init(
      .ours, "Every token of a conversation is learnt, not the answers alone.", "对话中的所有词元都参与训练，而不只是回答。",
      example: .bool(true), for: .conversations))

  static let learnsLastTurn: ConfigKey<Bool> = .flag(
    "only_last_turn", default: false,
    .init(
      .ours, "Of a conversation the last answer alone is learnt.", "每段对话只学习最后一个回答。", example: .bool(true),
      for: .conversations))

  static let cache: ConfigKey<DataCacheChoice> = ConfigKey(
    "data_cache", .either([.names(["off"]), .filled, .flag]),
    .told(Wording("a folder of the user's cache", "用户缓存目录下的文件夹")),
    .init(
      .ours, "The folder where tokenised rows are kept between runs; \"off\" (or false) keeps none.",
      "保存分词结果、供以后的训练复用的文件夹；\"off\"（或 false）表示不保存。", example: .string("off")),
    fallback: .standard, read: DataCacheChoice.init)

  static let truncation: ConfigKey<String?> = .text(
    "truncation_mode", suggesting: ["keep_start"], or: Wording("\"keep_start\"", "\"keep_start\""),
    .init(
      .trl,
      "What is too long is cut on the right, which is \"keep_start\"; another value is told and not followed.",
      "过长的内容从右侧截断，即 \"keep_start\"；其他取值会给出提示，但不生效。", example: .string("keep_start"),
      for: .conversations))

  static let shuffle: ConfigKey<Bool?> = .flag(
    "shuffle", or: Wording("true", "true"),
    .init(
      .ours, "Rows come in a new order each epoch, drawn from data_seed; false keeps the file's order.",
      "每轮按 data_seed 重新打乱行的顺序；false 表示保持文件中的顺序。", example: .bool(false)))

  static let sampling: ConfigKey<String?> = ConfigKey(
    "train_sampling_strategy", .names(["random", "sequential", "group_by_length"]),
    .told(Wording("as shuffle", "同 shuffle")),
    .init(
      .transformers,
      "transformers 5's name of the order: random, or sequential, which is \"shuffle\": false; group_by_length is told and not "
        + "followed.",
      "transformers 5 对行序的设置：random，或 sequential（即 \"shuffle\": false）；group_by_length 会给出提示，但不生效。",
      example: .string("sequential")),
    fallback: nil
  ) { .some($0.string) }

  static let seed: ConfigKey<Int> = .whole(
    "seed", in: 0...Int.max, default: 42,
    .init(
      .transformers, "The seed of an adapter's first values and of dropout.", "适配器初始值与 dropout 的随机种子。",
      example: .int(7)))

  static let dataSeed: ConfigKey<Int?> = .whole(
    "data_seed", in: 0...Int.max, or: Wording("as seed", "同 seed"),
    .init(
      .transformers, "The seed of the order of rows, and of which rows a share takes.",
      "行序以及按比例取行的随机种子。", example: .int(7)))

  static let dropsLast: ConfigKey<Bool> = .flag(
    "dataloader_drop_last", default: false,
    .init(
      .transformers, "Leaves out an epoch's last micro-batch where rows for it are missing.",
      "若每轮最后一个微批次不满，则将其舍弃。", example: .bool(true)))

  static let all = [
    trainFiles.declaration, maxSamples.declaration, heldOut.declaration, maxLength.declaration,
    learnsPrompt.declaration, learnsLastTurn.declaration, cache.declaration, truncation.declaration,
    shuffle.declaration, sampling.declaration, seed.declaration, dataSeed.declaration,
    dropsLast.declaration,
  ]
}
