import FireflyBase
import FireflyTestSupport
import FireflyText
import FireflyTraining
import Foundation
import Testing

/// What a run is trained on, by its configuration's keys.
@Suite struct DataSettingsTests {
  private static func config(_ changes: [String: JSONValue], _ overrides: [String] = []) throws -> RunConfig {
    let least: [String: JSONValue] = [
      "output_dir": .string("out"), "model_name_or_path": .string("models/Qwen-7B"),
      "train_file": .string("rows.jsonl"), "max_seq_length": .int(64), "bf16": .bool(true),
      "template_name": .string("qwen"),
    ]
    return try RunConfig(.object(least.merging(changes) { $1 }), source: "c.json", overrides: overrides)
  }

  private static func error(_ changes: [String: JSONValue], _ overrides: [String] = []) -> String {
    thrownError { _ = try config(changes, overrides) }?.description ?? ""
  }

  @Test func trainFileMayBeAList() throws {
    let one = try Self.config([:])
    #expect(one.trainFiles == [DataFile("rows.jsonl")] && one.trainFile == "rows.jsonl")
    let list = try JSONValue.parse(
      #"["a.jsonl", {"file": "b.jsonl", "share": 0.3}, {"file": "c.jsonl", "share": 1, "max_samples": 5}]"#,
      source: "t")
    let several = try Self.config(["train_file": list, "max_samples": .int(100), "data_seed": .int(7)])
    #expect(
      several.trainFiles == [
        DataFile("a.jsonl"), DataFile("b.jsonl", share: 0.3), DataFile("c.jsonl", share: 1, maxRows: 5),
      ])
    #expect(
      several.selection(.training)
        == DataSelection(several.trainFiles, seed: 7, maxRows: 100, part: .training))
  }

  @Test(arguments: [
    (#"[]"#, "\"train_file\" has a wrong value"), (#"5"#, "\"train_file\" has a wrong value"),
    (#"[{"share": 0.3}]"#, "at place 1"), (#"[{"file": "a", "shrae": 0.3}]"#, "Did you mean \"share\"?"),
    (#"[{"file": "a", "share": 0}]"#, "\"train_file\" has a wrong value, at place 1, \"share\""),
    (#"[{"file": "a", "share": 1.5}]"#, "\"train_file\" has a wrong value, at place 1, \"share\""),
    (#"[{"file": "a", "max_samples": 0}]"#, "\"train_file\" has a wrong value, at place 1, \"max_samples\""),
  ])
  func wrongListsAreNamed(_ list: String, _ told: String) throws {
    let error = Self.error(["train_file": try JSONValue.parse(list, source: "t")])
    #expect(error.contains(told), "\(error)")
  }

  @Test func heldOutRowsNeedEvaluations() throws {
    let steps: [String: JSONValue] = ["eval_strategy": .string("steps"), "eval_steps": .int(5)]
    func config(_ value: JSONValue) throws -> RunConfig {
      try Self.config(steps.merging(["val_size": value]) { $1 })
    }
    #expect(try config(.double(0.1)).heldOut == .share(0.1))
    #expect(try config(.int(20)).heldOut == .rows(20))
    #expect(try config(.int(20)).evaluation?.file == nil)
    #expect(try Self.config(["val_size": .int(0)]).heldOut == nil)
    #expect(Self.error(["val_size": .double(0.1)]).contains("\"val_size\" holds rows out for evaluations"))
    #expect(Self.error(steps).contains("\"eval_file\" is missing"))
    #expect(
      Self.error(steps.merging(["val_size": .double(0.1), "eval_file": .string("e")]) { $1 })
        .contains("\"eval_file\" and \"val_size\" are both given"))
    #expect(
      Self.error(steps.merging(["val_size": .double(1.5)]) { $1 }).contains("a part of the rows below 1"))
  }

  @Test func whatIsLearnt() throws {
    #expect(try Self.config([:]).learnt == .answers)
    #expect(try Self.config(["only_last_turn": .bool(true)]).learnt == .lastAnswer)
    #expect(try Self.config(["train_on_prompt": .bool(true)]).learnt == .everything)
    #expect(
      Self.error(["only_last_turn": .bool(true), "train_on_prompt": .bool(true)]).contains("are both true"))
    #expect(
      Self.error(["only_last_turn": .bool(true), "task_type": .string("pretrain")])
        .contains("\"only_last_turn\" is for conversations"))
  }

  @Test func patienceNeedsEvaluationsAndAMetric() throws {
    let metric: [String: JSONValue] = [
      "eval_strategy": .string("steps"), "eval_file": .string("e"), "early_stopping_patience": .int(3),
      "metric_for_best_model": .string("loss"), "early_stopping_threshold": .double(0.01),
    ]
    #expect(
      try Self.config(metric).evaluation?.patience
        == EvaluationSettings.Patience(evaluations: 3, threshold: 0.01))
    #expect(
      Self.error(metric.filter { $0.key != "metric_for_best_model" }).contains("needs a metric to go by"))
    #expect(Self.error(["early_stopping_patience": .int(3)]).contains("needs evaluations"))
    #expect(
      Self.error(metric.filter { $0.key != "early_stopping_patience" }).contains(
        "early stopping, which is off"))
  }

  @Test func memoryLimits() throws {
    #expect(try Self.config([:]).memoryLimit == .system)
    #expect(try Self.config([:], ["memory_limit=none"]).memoryLimit == .none)
    #expect(try Self.config([:], ["memory_limit=20GiB"]).memoryLimit == .bytes(20 << 30))
    #expect(try Self.config([:], ["memory_limit=1.5 GB"]).memoryLimit == .bytes(1_500_000_000))
    #expect(try Self.config([:], ["memory_limit=512m"]).memoryLimit == .bytes(512 << 20))
    #expect(try Self.config(["memory_limit": .int(1000)]).memoryLimit == .bytes(1000))
    for wrong in ["20 giga", "-1", "0", "GiB", "1e400GiB"] {
      #expect(
        Self.error([:], ["memory_limit=\(wrong)"]).contains("\"memory_limit\" has a wrong value"), "\(wrong)")
    }
  }
}

/// Files of the original that today's version of it would not take.
@Suite struct FormerConfigurationTests {
  private static func config(_ model: String, _ changes: [String: JSONValue]) throws -> RunConfig {
    let least: [String: JSONValue] = [
      "output_dir": .string("out"), "model_name_or_path": .string(model), "train_file": .string("rows.jsonl"),
      "max_seq_length": .int(64), "bf16": .bool(true),
    ]
    return try RunConfig(.object(least.merging(changes) { $1 }), source: "c.json")
  }

  @Test(arguments: [
    ("YeungNLP/Ziya-LLaMA-13B-Pretrain-v1", "firefly"), ("THUDM/ChatGLM2-6B", "chatglm2"),
    ("THUDM/chatglm3-6b", "chatglm3"), ("mistralai/Mixtral-8x7B-v0.1", "mixtral"),
    ("HuggingFaceH4/zephyr-7b-beta", "zephyr"), ("Qwen/Qwen-7B-Chat", "qwen"),
  ])
  func withoutATemplateTheOriginalWentByTheModel(_ model: String, _ template: String) throws {
    let config = try Self.config(model, [:])
    #expect(config.templateName == template)
    #expect(config.source["template_name"] == .string(template))
    #expect(config.notices.contains { $0.hasPrefix("\"template_name\" is not given") })
    let texts = try Self.config(model, ["task_type": .string("pretrain")])
    #expect(texts.templateName.isEmpty && texts.notices.isEmpty)
    let pairs = thrownError { _ = try Self.config(model, ["task_type": .string("dpo")]) }
    #expect(pairs?.what == "\"template_name\" is missing")
  }

  @Test(arguments: [("cpm3", "minicpm3"), ("llama", "firefly"), ("aquila2", "firefly")])
  func formerNamesOfTemplates(_ former: String, _ name: String) throws {
    #expect(try ChatTemplate.named(former) == ChatTemplate.named(name))
    let config = try Self.config("m", ["template_name": .string(former)])
    #expect(config.notices == ["\"template_name\": \"\(former)\" is \"\(name)\" here"])
  }

  @Test func formerKeysAreTold() throws {
    let config = try Self.config(
      "m",
      [
        "task_type": .string("pretrain"), "min_seq_length": .int(50), "window_step_size": .int(512),
        "prompt_max_length": .int(300), "deepspeed": .string("./train_args/ds_z3_config.json"),
      ])
    #expect(config.source["max_prompt_length"] == .int(300) && config.source["prompt_max_length"] == nil)
    let told = config.notices.joined(separator: "\n")
    for part in [
      "\"min_seq_length\": 50 is ignored: texts are packed into blocks of max_seq_length",
      "\"window_step_size\": 512 is ignored",
      "\"prompt_max_length\" is called \"max_prompt_length\" now",
      "\"deepspeed\": \"./train_args/ds_z3_config.json\" is ignored: training runs in one process",
      "\"optim\": \"paged_adamw_32bit\"",
    ] { #expect(told.contains(part), "\(told)") }
  }

  @Test func deepSpeedsFileIsNoConfiguration() throws {
    let file = try JSONValue.parse(
      #"{"train_batch_size": "auto", "zero_optimization": {"stage": 3}, "fp16": {"enabled": "auto"}}"#,
      source: "t")
    let error = thrownError { _ = try RunConfig(file, source: "ds_z3_config.json") }
    #expect(error?.what == "this is DeepSpeed's configuration, not a training run's")
    #expect(error?.place == "ds_z3_config.json")
  }
}
