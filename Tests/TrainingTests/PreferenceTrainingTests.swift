import FireflyDoubles
import FireflyBase
import FireflyModels
import FireflyTestSupport
import FireflyText
import FireflyTraining
import FireflyWeights
import Foundation
import Testing

/// Whole runs of preference training, and runs that start from an adapter.
@Suite struct PreferenceTrainingTests {
  private let tiny: TinyRun

  init() throws {
    tiny = try TinyRun(rows: 8)
    try tiny.write(Self.pairs(9), to: tiny.path + "/pairs.jsonl")
  }

  private static func pairs(_ count: Int) -> String {
    (0..<count).map { n in
      let right = String(repeating: "\(n % 10)", count: 1 + n % 5)
      return #"{"prompt": "say \#(n)", "chosen": "\#(right)!", "rejected": "no \#(n)"}"# + "\n"
    }.joined()
  }

  private func config(
    _ output: String, _ changes: [String: JSONValue] = [:], of model: TinyRun? = nil
  ) throws -> RunConfig {
    let base: [String: JSONValue] = [
      "task_type": .string("dpo"), "train_file": .string(tiny.path + "/pairs.jsonl"),
      "data_cache": .string(tiny.path + "/cache"), "beta": .double(0.5), "logging_steps": .int(2),
      "max_steps": .int(8),
    ]
    return try (model ?? tiny).config(output, base.merging(changes) { $1 })
  }

  @discardableResult private func run(
    _ config: RunConfig, stopAfter step: Int? = nil, resume: Resume = .fresh,
    event: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws -> TrainingResult {
    var config = config
    config.resume = resume
    let stop = StopRequest()
    return try Trainer(config: config).run(stop: stop) {
      if case .step(let report) = $0, report.step == step { stop.stop() }
      event($0)
    }
  }

  private func history(_ output: String) throws -> [JSONValue] {
    try #require(tiny.json(output + "/trainer_state.json")["log_history"]?.array)
  }

  // MARK: - Preference training

  @Test func learnsAndTellsHowItGoes() throws {
    var losses: [Double] = []
    let result = try run(config("out", ["max_steps": .int(30), "warmup_steps": .int(0)])) {
      if case .step(let report) = $0 { losses.append(report.loss) }
    }
    // Ten epochs: of nine pairs, the third step has one.
    #expect(result.outcome == .finished && result.sessionRows == 10 * 9)
    // A fresh adapter says what the reference says.
    assertClose([losses[0]], [log(2)], Tolerance(absolute: 1e-6))
    let entries = try history("out").filter { $0["loss"] != nil }
    let (first, last) = (try #require(entries.first), try #require(entries.last))
    for key in ["chosen", "rejected", "margins", "accuracies"] {
      #expect(last["rewards/" + key]?.double != nil)
    }
    func number(_ entry: JSONValue, _ key: String) throws -> Double { try #require(entry[key]?.double) }
    #expect(try number(last, "rewards/margins") > number(first, "rewards/margins") + 1)
    #expect(try number(last, "rewards/accuracies") == 1)
    #expect(try number(last, "loss") < 0.3)
    #expect(
      try abs(
        number(last, "rewards/chosen") - number(last, "rewards/rejected") - number(last, "rewards/margins"))
        < 1e-6)
    #expect(try number(last, "logps/chosen") < 0)
    #expect(try tiny.folder.text("out/train.log").contains("rewards/accuracies 1.000"))
    #expect(try tiny.folder.text("out/progress.jsonl").contains("\"rewards/margins\""))
    let svg = try tiny.folder.text("out/loss.svg")
    #expect(svg.contains("loss (mean over pairs)") && svg.contains(">reward<") && svg.contains(">margin "))
    let events = try tiny.folder.names("out/runs").map { "out/runs/" + $0 }
    let file = try #require(tiny.folder.names(events[0]).first)
    #expect(try tiny.folder.data(events[0] + "/" + file).range(of: Data("train/rewards/margins".utf8)) != nil)
  }

  /// With dropout, evaluations, accumulation and an epoch's end before the interruption; the reference's scores are read
  /// from the cache, or asked for again.
  @Test(arguments: [true, false]) func continuesBitForBit(_ isCached: Bool) throws {
    let changes: [String: JSONValue] = [
      "disable_dropout": .bool(false), "lr_scheduler_type": .string("cosine"),
      "data_cache": .string(isCached ? tiny.path + "/cache" : "off"),
      "eval_file": .string(tiny.path + "/pairs.jsonl"), "eval_strategy": .string("steps"),
      "eval_steps": .int(4), "logging_steps": .int(3),
    ]
    try run(config("whole", changes))
    try run(config("parts", changes), stopAfter: 4)
    try run(config("parts", changes), resume: .latest)
    for name in ["adapter_model.safetensors", "optimizer.safetensors"] {
      #expect(
        try tiny.folder.data("whole/checkpoint-8/\(name)") == tiny.folder.data("parts/checkpoint-8/\(name)"),
        "\(name)")
    }
    func withoutTimes(_ output: String) throws -> [JSONValue] {
      try history(output).compactMap { entry in
        entry["train_runtime"] != nil
          ? nil
          : .object(
            (entry.object ?? [:]).filter { !$0.key.hasSuffix("_runtime") && !$0.key.contains("_per_second") })
      }
    }
    #expect(try withoutTimes("whole") == withoutTimes("parts"))
    #expect((try? tiny.folder.names("cache").count) ?? 0 == (isCached ? 1 : 0))
  }

  /// The reference is the model as it starts, also for a run that goes on from a checkpoint.
  @Test func trainsAllWeights() throws {
    let full: [String: JSONValue] = [
      "train_mode": .string("full"), "data_cache": .string("off"), "warmup_steps": .int(0),
      "learning_rate": .double(0.002),
    ]
    var losses: [Double] = []
    try run(config("whole", full)) { if case .step(let report) = $0 { losses.append(report.loss) } }
    assertClose([losses[0]], [log(2)], Tolerance(absolute: 1e-6))
    #expect(losses[7] < 0.6, "\(losses)")
    try run(config("parts", full), stopAfter: 4)
    try run(config("parts", full), resume: .latest)
    for name in ["model.safetensors", "optimizer.safetensors"] {
      #expect(
        try tiny.folder.data("whole/checkpoint-8/\(name)") == tiny.folder.data("parts/checkpoint-8/\(name)"),
        "\(name)")
    }
    let plan = try Trainer(config: config("plan", full)).plan()
    #expect(plan.summary.contains { $0.hasPrefix("reference: the model as it starts, asked once") })
  }

  /// The scores are kept by what they are of: other rows, another reference.
  @Test func theReferenceIsAskedOnce() throws {
    func asked(_ config: RunConfig) throws -> Bool {
      var asked = false
      try run(config) { if case .preparing("asking the reference", _) = $0 { asked = true } }
      return asked
    }
    // Two steps of four pairs, then all nine.
    #expect(try asked(config("one", ["max_steps": .int(2)])))
    #expect(try asked(config("two", ["max_steps": .int(8), "num_train_epochs": .int(4)])))
    #expect(try !asked(config("three", ["beta": .double(0.1)])))
    #expect(try tiny.folder.names("cache").count == 1)
    #expect(try asked(config("four", ["train_mode": .string("lora")])))
    // A damaged file is not believed.
    for name in try tiny.folder.names("cache") { try tiny.write("damaged", to: tiny.path + "/cache/" + name) }
    #expect(try asked(config("five")))
  }

  @Test func aStopBeforeTheFirstStepKeepsWhatIsDone() throws {
    let stop = StopRequest()
    let error = #expect(throws: FireflyError.self) {
      try Trainer(config: config("out")).run(stop: stop) {
        if case .preparing("asking the reference", let share) = $0, share > 0.3 { stop.stop() }
      }
    }
    #expect(error?.what.hasPrefix("stopped by request before the first step, after 3 of 9 pairs") == true)
    var first: Double?
    try run(config("again")) {
      if case .preparing("asking the reference", let share) = $0 { first = first ?? share }
    }
    #expect(first == 1.0 / 6)
  }

  /// As TRL: the micro-batch's auxiliary loss with its coefficient beside the preference loss; its rows are those of both
  /// answers, so a prompt counts twice.
  @Test func aModelWithExpertsKeepsItsAuxiliaryLoss() throws {
    let experts = try TinyRun(rows: 8, experts: 3)
    let config = try config("out", of: experts)
    var notices: [String] = []
    _ = try Trainer(config: config).run { if case .notice(let text) = $0 { notices.append(text) } }
    let log = try #require(experts.json("out/trainer_state.json")["log_history"]?.array)
    for entry in log where entry["loss"] != nil {
      let balance = try #require(entry["aux_loss"]?.double)
      #expect(balance >= 0.02 * 2 && balance < 0.02 * 3)
    }
    #expect(notices.contains { $0.hasPrefix("a pair's prompt is read once for each answer") })
  }

  /// Two files with some pairs held out; a shorter last step; evaluations that are never enough better.
  @Test(arguments: ["qlora", "full"]) func pairsInPartsEndEarly(_ mode: String) throws {
    try tiny.write(Self.pairs(4).replacing("say", with: "tell"), to: tiny.path + "/more.jsonl")
    let files = JSONValue.array([
      .string(tiny.path + "/pairs.jsonl"),
      .object(["file": .string(tiny.path + "/more.jsonl"), "max_samples": .int(3)]),
    ])
    let config = try config(
      "out",
      [
        "train_mode": .string(mode), "train_file": files, "val_size": .int(2),
        "gradient_accumulation_steps": .int(3), "num_train_epochs": .int(4), "max_steps": .int(-1),
        "eval_strategy": .string("epoch"), "early_stopping_patience": .int(1),
        "metric_for_best_model": .string("eval_rewards/margins"), "early_stopping_threshold": .int(100),
      ])
    let plan = try Trainer(config: config).plan()
    // Ten pairs in micro-batches of two: three and two of them.
    #expect(plan.rows == 10 && plan.stepsPerEpoch == 2 && plan.steps == 8)
    #expect(plan.summary.contains { $0.contains("10 of 10 preference pairs") })
    let result = try run(config)
    #expect(result.outcome == .finished && result.steps == 4 && result.sessionRows == 20)
    let evaluations = try history("out").filter { $0["eval_loss"] != nil }
    #expect(evaluations.map { $0["step"]?.int } == [2, 4])
    #expect(evaluations.allSatisfy { $0["eval_rewards/margins"]?.double != nil })
  }

  @Test func evaluationsHaveRewards() throws {
    try run(
      config(
        "out",
        [
          "eval_file": .string(tiny.path + "/pairs.jsonl"), "eval_strategy": .string("steps"),
          "eval_steps": .int(4), "save_steps": .int(4), "per_device_eval_batch_size": .int(4),
          "metric_for_best_model": .string("rewards/margins"), "load_best_model_at_end": .bool(true),
        ]))
    let entries = try history("out").filter { $0["eval_loss"] != nil }
    #expect(entries.compactMap { $0["step"]?.int } == [4, 8])
    #expect(entries[1]["eval_rewards/accuracies"]?.double != nil && entries[1]["eval_logps/chosen"] != nil)
    #expect(entries[1]["eval_token_accuracy"] == nil && entries[1]["eval_perplexity"] == nil)
    let state = try tiny.json("out/trainer_state.json")
    #expect(state["best_metric"] == entries[1]["eval_rewards/margins"])
    let wrong = #expect(throws: FireflyError.self) {
      try config("out", ["metric_for_best_model": .string("eval_token_accuracy")])
    }
    #expect(wrong?.description.contains("eval_rewards/accuracies") == true)
  }

  @Test(arguments: [
    ("beta", JSONValue.double(0.2)), ("loss_type", .string("ipo")), ("rpo_alpha", .double(1)),
    ("label_smoothing", .double(0.1)), ("dpo_reference", .string("base")), ("disable_dropout", .bool(false)),
  ])
  func refusesOtherSettingsByName(_ key: String, _ value: JSONValue) throws {
    try run(config("out"), stopAfter: 2)
    let error = #expect(throws: FireflyError.self) { try run(config("out", [key: value]), resume: .latest) }
    #expect(error?.what == "the checkpoint was made with another \"\(key)\"")
  }

  @Test(arguments: [
    ("beta", JSONValue.int(0)), ("loss_type", .string("kto_pair")),
    ("loss_type", .array([.string("sigmoid"), .string("sft")])), ("label_smoothing", .double(0.7)),
    ("max_prompt_length", .int(0)), ("dpo_reference", .string("other")),
    ("f_divergence_type", .string("js_divergence")), ("sync_ref_model", .bool(true)),
  ])
  func wrongSettingsAreNamed(_ key: String, _ value: JSONValue) throws {
    let error = #expect(throws: FireflyError.self) { try config("out", [key: value]) }
    #expect(error?.description.contains("\"\(key)\"") == true)
  }

  @Test func thePlanKnowsPairs() throws {
    let plan = try Trainer(config: config("out", ["max_steps": .int(-1), "num_train_epochs": .int(3)])).plan()
    #expect(plan.rows == 9 && plan.stepsPerEpoch == 3 && plan.steps == 9)
    let reference = try #require(plan.summary.first { $0.hasPrefix("reference: ") })
    #expect(reference.hasPrefix("reference: the base, asked once about 9 pairs before training and kept"))
    #expect(reference.contains("which saves"))
    #expect(try #require(plan.referenceWork).flop > 0)
    #expect(try !tiny.folder.names().contains("cache"))
  }

  // MARK: - From an adapter

  /// An adapter of conversations with rank 4 and alpha 8.
  private func trained() throws -> String {
    try run(tiny.config("first", ["max_steps": .int(3)]))
    return tiny.path + "/first"
  }

  /// Keys that the adapter decides are left out.
  private func continued(_ adapter: String, _ output: String, _ changes: [String: JSONValue] = [:]) throws
    -> RunConfig
  {
    var keys = try #require(config(output, changes).source.object)
    for key in ["lora_rank", "lora_alpha", "lora_dropout"] where changes[key] == nil { keys[key] = nil }
    keys["adapter_name_or_path"] = .string(adapter)
    return try RunConfig(.object(keys), source: "test")
  }

  @Test func theReferenceIsWhatTheRunStartsFrom() throws {
    let adapter = try trained()
    var losses: [Double] = []
    let collect: (TrainingEvent) -> Void = { if case .step(let report) = $0 { losses.append(report.loss) } }
    try run(continued(adapter, "start"), event: collect)
    assertClose([losses[0]], [log(2)], Tolerance(absolute: 1e-6))
    losses = []
    try run(continued(adapter, "base", ["dpo_reference": .string("base")]), event: collect)
    #expect(abs(losses[0] - log(2)) > 1e-4)
    #expect(try tiny.folder.names("cache").count == 2)
    let config = try tiny.json("start/adapter_config.json")
    #expect(config["r"]?.int == 4 && config["lora_alpha"]?.int == 8)
  }

  /// A step at a learning rate of 0 leaves the adapter as it was.
  @Test func trainsTheAdapterItself() throws {
    let adapter = try trained()
    let changes: [String: JSONValue] = [
      "task_type": .string("sft"), "train_file": .string(tiny.rows), "max_steps": .int(1),
      "warmup_steps": .int(5),
    ]
    try run(continued(adapter, "second", changes))
    #expect(
      try tiny.folder.data("second/adapter_model.safetensors")
        == tiny.folder.data("first/adapter_model.safetensors"))
  }

  @Test func continuesBitForBitFromAnAdapter() throws {
    let adapter = try trained()
    try run(continued(adapter, "whole"))
    try run(continued(adapter, "parts"), stopAfter: 3)
    try FileManager.default.removeItem(atPath: tiny.path + "/cache")
    try run(continued(adapter, "parts"), resume: .latest)
    #expect(
      try tiny.folder.data("whole/checkpoint-8/adapter_model.safetensors")
        == tiny.folder.data("parts/checkpoint-8/adapter_model.safetensors"))
    let other = #expect(throws: FireflyError.self) { try run(config("parts"), resume: .latest) }
    #expect(
      other?.what
        == "the checkpoint was made with another adapter to start from: \"adapter_name_or_path\"")
  }

  @Test(arguments: [
    ("lora_rank", JSONValue.int(8)), ("lora_alpha", .int(16)), ("use_rslora", .bool(true)),
    ("lora_target_modules", .array([.string("q_proj")])),
  ])
  func contradictionsAreNamed(_ key: String, _ value: JSONValue) throws {
    let adapter = try trained()
    let error = #expect(throws: FireflyError.self) {
      try Trainer(config: continued(adapter, "out", [key: value])).plan()
    }
    #expect(error?.what == "\"\(key)\" is not that of the adapter that the run starts from")
    #expect(error?.place == adapter)
    let same: [String: JSONValue] = [
      "lora_rank": .int(4), "lora_alpha": .int(8), "lora_target_modules": .string("all-linear"),
    ]
    #expect(try Trainer(config: continued(adapter, "out", same)).plan().steps == 8)
  }

  /// An embedding and a head that were trained beside the pairs are trained further with them.
  @Test func continuesWithTheModulesThatTheAdapterSaves() throws {
    let saved: [String: JSONValue] = [
      "modules_to_save": .array([.string("embed_tokens"), .string("lm_head")]), "max_steps": .int(3),
    ]
    try run(tiny.config("first", saved))
    let adapter = tiny.path + "/first"
    var losses: [Double] = []
    try run(continued(adapter, "second")) { if case .step(let report) = $0 { losses.append(report.loss) } }
    assertClose([losses[0]], [log(2)], Tolerance(absolute: 1e-6))
    let names = try WeightStore.open(tiny.path + "/second/adapter_model.safetensors").names
    #expect(try names == WeightStore.open(adapter + "/adapter_model.safetensors").names)
    let other: [String: JSONValue] = ["modules_to_save": .array([.string("lm_head")])]
    let error = #expect(throws: FireflyError.self) {
      try Trainer(config: continued(adapter, "out", other)).plan()
    }
    #expect(
      error?.what == "\"modules_to_save\" is not that of the adapter that the run starts from")
  }

  @Test func allWeightsDoNotStartFromAnAdapter() throws {
    let error = #expect(throws: FireflyError.self) {
      try continued("first", "out", ["train_mode": .string("full")])
    }
    #expect(error?.what == "\"adapter_name_or_path\" does not go with \"train_mode\": \"full\"")
  }

  @Test func aFolderWithoutAnAdapterIsNoStart() throws {
    let error = #expect(throws: FireflyError.self) {
      try Trainer(config: continued(tiny.model, "out")).plan()
    }
    #expect(error?.what == "the folder is not an adapter")
  }
}
