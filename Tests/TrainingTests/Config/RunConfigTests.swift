import FireflyDoubles
import FireflyBase
import FireflyTraining
import Testing

/// The values of the original's train_args/sft/qlora/llama2-13b-sft-qlora.json.
private let original = """
  {"output_dir": "output/firefly-llama2-13b-sft-qlora", "model_name_or_path": "NousResearch/Llama-2-13b-chat-hf",
   "train_file": "./data/dummy_data.jsonl", "template_name": "llama2", "num_train_epochs": 1,
   "per_device_train_batch_size": 1, "gradient_accumulation_steps": 16, "learning_rate": 1e-4,
   "max_seq_length": 1024, "logging_steps": 100, "save_steps": 100, "save_total_limit": 1,
   "lr_scheduler_type": "constant_with_warmup", "warmup_steps": 100, "lora_rank": 64, "lora_alpha": 16,
   "lora_dropout": 0.05, "gradient_checkpointing": true, "disable_tqdm": false, "optim": "paged_adamw_32bit",
   "seed": 42, "fp16": true, "report_to": "tensorboard", "dataloader_num_workers": 0, "save_strategy": "steps",
   "weight_decay": 0, "max_grad_norm": 0.3, "remove_unused_columns": false}
  """

private let least: [String: JSONValue] = [
  "output_dir": .string("out"), "model_name_or_path": .string("model"), "train_file": .string("rows.jsonl"),
  "max_seq_length": .int(64), "bf16": .bool(true), "template_name": .string("firefly"),
]

private func config(_ changes: [String: JSONValue] = [:], _ overrides: [String] = []) throws -> RunConfig {
  try RunConfig(
    .object(least.merging(changes) { $1 }), source: "config.json", overrides: overrides)
}

@Suite struct RunConfigTests {
  @Test(arguments: ["1e20", "1e308", "9223372036854775808", "1000001", "0", "-1"])
  func epochsThatAreNoNumberOfStepsAreRefused(epochs: String) throws {
    let tiny = try TinyRun()
    let error = #expect(throws: FireflyError.self) {
      try tiny.config("out", ["num_train_epochs": try JSONValue.parse(epochs, source: "test")])
    }
    #expect(error?.what.contains("num_train_epochs") == true)
    #expect(error?.expected?.contains("at most 1000000") == true)
  }

  @Test func readsTheOriginalsFileUnchanged() throws {
    let config = try RunConfig(JSONValue.parse(original, source: "o"), source: "o")
    #expect(config.modelPath == "NousResearch/Llama-2-13b-chat-hf")
    #expect(config.templateName == "llama2")
    #expect(config.task == .sft && config.mode == .qlora)
    #expect(config.epochs == 1 && config.maxSteps == nil)
    #expect(config.microBatchSize == 1 && config.accumulation == 16)
    #expect(config.learningRate == 1e-4)
    #expect(config.schedule == .constantWithWarmup && config.warmup == .steps(100))
    #expect(config.loraRank == 64 && config.loraAlpha == 16 && config.loraDropout == 0.05)
    #expect(config.optimizerMemory == .paged)
    #expect(config.maxGradientNorm == 0.3)
    #expect(config.saveEvery == .steps(100) && config.saveLimit == 1)
    #expect(config.checkpointing && config.logsTensorBoard)
    #expect(config.precision == .float16 && !config.precisionIsExplicit)
    #expect(config.notices.count == 1 && config.notices[0].hasPrefix("\"fp16\": true is float16"))
  }

  @Test func momentsHaveEightBitsWhereBitsandbytesHasThem() throws {
    for (name, moments, memory) in [
      ("adamw_torch", MomentPrecision.float32, OptimizerMemory.memory),
      ("paged_adamw_32bit", .float32, .paged),
      ("adamw_8bit", .bytes, .memory), ("adamw_bnb_8bit", .bytes, .memory),
      ("paged_adamw_8bit", .bytes, .paged),
    ] {
      let config = try config(["optim": .string(name)])
      #expect(config.momentPrecision == moments && config.optimizerMemory == memory, "\(name)")
      #expect(config.notices.isEmpty, "\(name)")
    }
    let told = try config(["optim": .string("adamw_torch_8bit")])
    #expect(told.momentPrecision == .float32)
    #expect(told.notices == ["\"optim\": \"adamw_torch_8bit\" runs with 32-bit states"])
  }

  @Test func defaultsAreTheOriginals() throws {
    let config = try config()
    #expect(config.epochs == 3 && config.microBatchSize == 8 && config.accumulation == 1)
    #expect(config.learningRate == 5e-5 && config.schedule == .linear && config.warmup == .ratio(0))
    #expect(config.beta1 == 0.9 && config.beta2 == 0.999 && config.epsilon == 1e-8 && config.weightDecay == 0)
    #expect(config.maxGradientNorm == 1 && config.seed == 42 && config.dataSeed == 42)
    #expect(config.loggingEvery == .steps(500) && config.saveEvery == .steps(500) && config.saveLimit == nil)
    #expect(config.loraRank == 64 && config.loraAlpha == 16 && config.loraDropout == 0.05)
    #expect(config.loraTargetModules == nil && !config.usesRankStabilisedLoRA)
    #expect(config.lossReduction == .token && config.shuffle && !config.dropsLastBatch)
    #expect(config.notices.isEmpty)
  }

  /// The original's defaults and TRL's; other tasks take the keys.
  @Test func preferenceDefaultsAreTheOriginals() throws {
    #expect(try config(["task_type": .string("dpo")]).preference == PreferenceSettings())
    let settings = PreferenceSettings()
    #expect(settings.beta == 0.1 && settings.maxPromptLength == 512 && settings.labelSmoothing == 0)
    #expect(settings.loss == .sigmoid && settings.rpoAlpha == nil && settings.disablesDropout)
    let given = try config([
      "task_type": .string("dpo"), "beta": .double(0.3), "max_prompt_length": .int(300),
      "loss_type": .array([.string("ipo")]), "rpo_alpha": .int(1), "dpo_reference": .string("base"),
    ])
    #expect(
      given.preference
        == PreferenceSettings(
          beta: 0.3, loss: .ipo, rpoAlpha: 1, reference: .base, maxPromptLength: 300))
    let reduced = try config(["task_type": .string("dpo"), "loss_reduction": .string("token")])
    #expect(reduced.notices.count == 1 && reduced.notices[0].hasPrefix("\"loss_reduction\" is ignored"))
    let other = try config(["beta": .double(0.3), "max_prompt_length": .int(300)])
    #expect(other.preference == nil && other.notices.isEmpty)
    #expect(
      try config(["loss_type": .string("ipo")]).notices
        == ["of task_type \"dpo\" alone, and ignored: \"loss_type\""])
  }

  @Test func unknownKeyNamesTheNearest() {
    let error = #expect(throws: FireflyError.self) { try config(["learning_rat": .double(1)]) }
    #expect(error?.what == "unknown key \"learning_rat\"")
    #expect(error?.place == "config.json")
    #expect(error?.fix == "Did you mean \"learning_rate\"? 'firefly keys' lists all keys.")
  }

  @Test(arguments: [
    ("learning_rate", JSONValue.string("1e-4"), "a number of at least 0", "\"1e-4\""),
    ("lora_rank", .double(1.5), "a whole number of at least 1", "1.5"),
    ("per_device_train_batch_size", .int(0), "a whole number of at least 1", "0"),
    ("gradient_checkpointing", .int(1), "true or false", "1"),
    ("lora_dropout", .double(1), "a number from 0 to 0.99", "1.0"),
    ("template_name", .int(3), "a string", "3"),
    (
      "lr_scheduler_type", .string("cosin"),
      "one of constant, constant_with_warmup, linear, cosine, cosine_with_restarts, cosine_with_min_lr, "
        + "cosine_warmup_with_min_lr, polynomial, inverse_sqrt, warmup_stable_decay",
      "\"cosin\""
    ),
    ("logging_strategy", .string("step"), "one of no, steps, epoch", "\"step\""),
    ("save_steps", .int(0), "a whole number of at least 1, or a part of all steps below 1", "0"),
    (
      "lora_target_modules", .array([.int(1)]), "a list of module names, or a string that is not empty", "[1]"
    ),
    ("dpo_reference", .string("old"), "one of start, base", "\"old\""),
  ])
  func wrongValuesTellKeyExpectedAndFound(
    _ key: String, _ value: JSONValue, _ expected: String, _ found: String
  ) {
    let error = #expect(throws: FireflyError.self) { try config([key: value]) }
    #expect(error?.what == "\"\(key)\" has a wrong value")
    #expect(error?.expected == expected)
    #expect(error?.found == found)
  }

  @Test func tellsAllProblemsAtOnce() {
    let error = #expect(throws: FireflyError.self) {
      try config(["lora_rank": .string("x"), "seeed": .int(1), "max_seq_length": .null])
    }
    let text = error?.description ?? ""
    #expect(text.contains("3 settings are wrong"))
    #expect(text.contains("unknown key \"seeed\"") && text.contains("\"lora_rank\""))
    #expect(text.contains("\"max_seq_length\" is missing"))
  }

  @Test func overridesAreJSONOrBareStrings() throws {
    let config = try config(
      [:], ["learning_rate=2e-4", "output_dir=a=b", "shuffle=false", "lora_target_modules=[\"q_proj\"]"])
    #expect(config.learningRate == 2e-4)
    #expect(config.outputFolder == "a=b")
    #expect(!config.shuffle)
    #expect(config.loraTargetModules == ["q_proj"])
    #expect(config.source["learning_rate"] == .double(2e-4))
  }

  @Test func errorsOfOverridesSaySo() {
    let unknown = #expect(throws: FireflyError.self) { try config([:], ["sed=1"]) }
    #expect(unknown?.place == "--set sed" && unknown?.fix?.hasPrefix("Did you mean \"seed\"?") == true)
    let malformed = #expect(throws: FireflyError.self) { try config([:], ["seed"]) }
    #expect(malformed?.expected == "key=value")
  }

  @Test func exactlyOneOfTheHalfPrecisionsUnlessPrecisionIsGiven() throws {
    #expect(throws: FireflyError.self) { try config(["fp16": .bool(true)]) }
    #expect(throws: FireflyError.self) { try config(["bf16": .bool(false)]) }
    #expect(try config(["bf16": .bool(false), "precision": .string("float32")]).precision == .float32)
    #expect(try config(["precision": .string("float32")]).precision == .float32)
    #expect(try config().precision == .bfloat16)
  }

  @Test func foreignKeysAreQuietUnlessTheyAskForSomething() throws {
    let quiet = try config([
      "dataloader_num_workers": .int(10), "use_unsloth": .bool(false), "deepspeed": .null,
      "eval_file": .string(""), "$schema": .string("./firefly.schema.json"),
      "local_rank": .int(-1), "remove_unused_columns": .bool(false), "evaluation_strategy": .string("no"),
      "ddp_find_unused_parameters": .bool(false), "label_smoothing_factor": .int(0),
    ])
    #expect(quiet.notices.isEmpty)
    let loud = try config([
      "use_unsloth": .bool(true), "deepspeed": .string("ds.json"), "report_to": .array([.string("wandb")]),
    ])
    #expect(loud.notices.count == 3)
    #expect(loud.notices.contains { $0.contains("\"deepspeed\": \"ds.json\" is ignored") })
    #expect(!loud.logsTensorBoard)
  }

  @Test func whatWouldChangeTheNumbersIsRefused() {
    let error = #expect(throws: FireflyError.self) { try config(["label_smoothing_factor": .double(0.1)]) }
    #expect(error?.what.contains("label_smoothing_factor") == true)
    #expect(throws: FireflyError.self) { try config(["neftune_noise_alpha": .int(-1)]) }
  }

  @Test func resumeKeyTakesTrueOrAFolder() throws {
    #expect(try config().resume == .fresh)
    #expect(try config(["resume_from_checkpoint": .bool(true)]).resume == .latest)
    #expect(
      try config(["resume_from_checkpoint": .string("out/checkpoint-3")]).resume
        == .checkpoint("out/checkpoint-3"))
  }
}
