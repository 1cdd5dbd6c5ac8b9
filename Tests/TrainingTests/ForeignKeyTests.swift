import FireflyBase
import FireflyTestSupport
import FireflyTraining
import Foundation
import Testing

/// What becomes of every key that transformers, TRL and PEFT know.
@Suite struct ForeignKeyTests {
  /// What a value of a key came to.
  private enum Outcome: Equatable {
    case followed, harmless
    case told(String)
    case refused(String)
    /// No effect, and nothing said: what must not be.
    case unseen
  }

  private struct Entry {
    var key: String
    var usual: JSONValue
    var others: [JSONValue]
  }

  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().path + "/Fixtures"

  private static func entries(_ list: String) throws -> [Entry] {
    let json = try JSONValue.read("\(folder)/configuration_keys.json")
    return (json[list]?.array ?? []).map { entry in
      Entry(
        key: entry["key"]?.string ?? "", usual: entry["default"] ?? .null,
        others: entry["others"]?.array ?? [])
    }
  }

  private static func least(_ task: String) -> [String: JSONValue] {
    [
      "output_dir": .string("out"), "model_name_or_path": .string("model"),
      "train_file": .string("rows.jsonl"), "max_seq_length": .int(64), "template_name": .string("qwen"),
      "bf16": .bool(true), "task_type": .string(task),
    ]
  }

  private static func config(_ settings: [String: JSONValue]) throws -> RunConfig {
    try RunConfig(.object(settings), source: "c.json")
  }

  /// All that a configuration says, but for how it was said.
  private static func settings(_ config: RunConfig) -> [String] {
    Mirror(reflecting: config).children.filter { $0.label != "source" && $0.label != "notices" }
      .map { "\($0.label ?? ""): \($0.value)" }
  }

  private static func outcome(_ key: String, _ value: JSONValue, task: String) throws -> Outcome {
    let least = least(task)
    do {
      let config = try config(least.merging([key: value]) { $1 })
      let told = config.notices.filter { $0.contains(key) || $0.contains("evaluation") }
      if !told.isEmpty { return .told(told.joined(separator: "\n")) }
      if settings(config) != settings(try Self.config(least)) { return .followed }
      if ForeignKeys.isHarmless(key) { return .harmless }
      // A value that says what is so without it.
      return .unseen
    } catch let error as FireflyError {
      #expect(error.description.contains("\"\(key)\""), "\(error)")
      return .refused(error.description)
    }
  }

  /// Values that say what is done anyway, or hold for something that is off: no effect is right.
  private static let without: [String: [JSONValue]] = [
    "report_to": [.string("all"), .string("tensorboard")], "warmup_steps": [.int(0)],
    "metric_for_best_model": [.string("loss"), .string("eval_loss")], "max_steps": [.int(0)],
    "eval_steps": [.int(0), .double(0.1), .int(50)],
    "eval_delay": [.int(5)], "per_device_eval_batch_size": [.int(11)],
    "greater_is_better": [.bool(false), .bool(true)],
    "train_sampling_strategy": [.string("random")], "truncation_mode": [.string("keep_start")],
    "optim": [
      .string("adamw_torch"), .string("adamw_torch_xla"), .string("adamw_torch_npu_fused"),
      .string("adamw_torch_fused"),
    ],
    "lr_scheduler_type": [.string("linear")], "bf16": [.bool(true)], "fp16": [.bool(false)],
    "assistant_only_loss": [.bool(true)], "completion_only_loss": [.bool(true)],
    "precompute_ref_log_probs": [.bool(true)], "loss_type": [.array([.string("sigmoid")])],
    "loss_weights": [.array([.double(1)])], "lr_scheduler_kwargs": [.string("{}")], "debug": [.array([])],
    "neftune_noise_alpha": [.int(0)], "label_smoothing_factor": [.int(0)], "revision": [.string("main")],
    "peft_type": [.string("LORA")], "ld_alpha": [], "disable_tqdm": [.bool(false)],
    "gradient_checkpointing": [.bool(false)], "activation_checkpointing": [.bool(false)],
  ]

  @Test(arguments: [
    ("TrainingArguments", "sft"), ("TrainingArguments", "dpo"), ("SFTConfig", "sft"), ("DPOConfig", "dpo"),
    ("LoraConfig", "sft"),
  ])
  func everyKeyIsFollowedOrHarmlessOrToldOrRefused(_ list: String, _ task: String) throws {
    let entries = try Self.entries(list)
    #expect(entries.count > 20)
    for entry in entries {
      for value in entry.others {
        let outcome = try Self.outcome(entry.key, value, task: task)
        guard outcome == .unseen else { continue }
        let off = [.bool(false), .string("")].contains(value) || value == entry.usual
        #expect(
          off || Self.without[entry.key]?.contains(value) == true,
          "\(entry.key): \(value.text()) has no effect")
      }
    }
  }

  /// A file that holds every default, as transformers writes its training_args, is quiet.
  @Test func theDefaultsOfTransformersAreQuiet() throws {
    var settings = Self.least("sft")
    for entry in try Self.entries("TrainingArguments") where settings[entry.key] == nil {
      settings[entry.key] = entry.usual
    }
    let config = try Self.config(settings)
    #expect(config.notices.isEmpty, "\(config.notices)")
    #expect(!config.logsTensorBoard)
  }

  @Test(arguments: [
    ("warmup_steps", #"0.1"#, "warmup: ratio(0.1)"), ("warmup_steps", "100.0", "warmup: steps(100)"),
    ("warmup_steps", "1", "warmup: steps(1)"), ("logging_steps", "0.05", "loggingEvery: 0.05"),
    ("save_steps", "0.25", "saveEvery: 0.25"), ("activation_checkpointing", "true", "checkpointing: true"),
    ("train_sampling_strategy", #""sequential""#, "shuffle: false"),
    ("report_to", #"["wandb", "tensorboard"]"#, "logsTensorBoard: true"),
    ("report_to", #"["none"]"#, "logsTensorBoard: false"), ("report_to", "[]", "logsTensorBoard: false"),
  ])
  func formsOfTransformers5(_ key: String, _ value: String, _ expected: String) throws {
    var settings = Self.least("sft")
    settings[key] = try JSONValue.parse(value, source: "t")
    let config = try Self.config(settings)
    #expect(Self.settings(config).contains(expected), "\(Self.settings(config))")
  }

  /// transformers 5 lets the newer name count.
  @Test func ofTwoNamesTheNewerCounts() throws {
    let both: [String: JSONValue] = [
      "gradient_checkpointing": .bool(true), "activation_checkpointing": .bool(false),
    ]
    #expect(try !Self.config(Self.least("sft").merging(both) { $1 }).checkpointing)
    let differ: [String: JSONValue] = [
      "shuffle": .bool(true), "train_sampling_strategy": .string("sequential"),
    ]
    let error = thrownError { _ = try Self.config(Self.least("sft").merging(differ) { $1 }) }
    #expect(error?.what == "\"shuffle\" and \"train_sampling_strategy\" differ")
  }

  @Test(arguments: [
    ("cutoff_len", "It is called \"max_seq_length\" here."), ("sequence_len", "\"max_seq_length\""),
    ("max_length", "\"max_seq_length\""), ("lora_r", "\"lora_rank\""), ("r", "\"lora_rank\""),
    ("target_modules", "\"lora_target_modules\""), ("dataset", "\"train_file\""),
    ("finetuning_type", "\"train_mode\""), ("stage", "\"task_type\""), ("num_epochs", "\"num_train_epochs\""),
    ("micro_batch_size", "\"per_device_train_batch_size\""), ("val_set_size", "\"val_size\""),
    ("template", "\"template_name\""), ("base_model", "\"model_name_or_path\""),
    ("load_in_4bit", "\"qlora\""),
    ("random_state", "\"seed\""), ("wandb_project", "\"report_to\""), ("sample_packing", "not padded"),
    ("quantization_bit", "\"train_mode\": \"qlora\""), ("val_dataset", "\"eval_file\""),
    ("bnb_4bit_quant_type", "\"train_mode\": \"qlora\""),
    ("chat_template_path", "\"template_name\": \"auto\""),
  ])
  func otherTrainersKeysAreNamed(_ key: String, _ told: String) throws {
    let error = thrownError { _ = try Self.config(Self.least("sft").merging([key: .int(1)]) { $1 }) }
    #expect(error?.what == "unknown key \"\(key)\"")
    #expect(error?.fix?.contains(told) == true, "\(error?.fix ?? "nothing")")
  }

  @Test func anUnknownKeyIsRefused() throws {
    let error = thrownError { _ = try Self.config(Self.least("sft").merging(["zzz": .int(1)]) { $1 }) }
    #expect(error?.what == "unknown key \"zzz\"")
  }

  /// Numbers that would not fit where steps are counted.
  @Test(arguments: ["1e20", "1e308", "9223372036854775808"])
  func absurdNumbersAreRefused(_ number: String) throws {
    let value = try JSONValue.parse(number, source: "t")
    for key in ["num_train_epochs", "max_steps", "save_steps", "warmup_steps", "eval_steps", "lora_rank"] {
      let error = thrownError { _ = try Self.config(Self.least("sft").merging([key: value]) { $1 }) }
      #expect(error?.what == "\"\(key)\" has a wrong value", "\(key)")
    }
  }
}
