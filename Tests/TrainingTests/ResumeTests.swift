import FireflyDoubles
import FireflyBase
import FireflyTensors
import FireflyTestSupport
import FireflyTraining
import FireflyWeights
import Foundation
import Testing

@Suite struct ResumeTests {
  /// A killed process leaves folders that it was writing, replacing or removing.
  @Test func leftoversOfADeadRunAreCleanedUp() throws {
    let folder = try TemporaryFolder()
    let names = [
      "checkpoint-1.partial-77", "checkpoint-2", "checkpoint-2.old-77", "checkpoint-3.old-77", "notes.old-x",
    ]
    for name in names { try AtomicFile.makeFolder("\(folder.path)/\(name)") }
    CheckpointFolder.removeLeftovers(in: folder.path)
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(left == ["checkpoint-2", "checkpoint-3", "notes.old-x"])
  }

  /// Dropout on, accumulation, an epoch's end before the interruption, every optimizer memory and precision.
  @Test(arguments: [("adamw_torch", "float32"), ("paged_adamw_32bit", "bfloat16")])
  func continuesBitForBit(_ optimizer: String, _ precision: String) throws {
    let tiny = try TinyRun(rows: 9)
    let changes: [String: JSONValue] = [
      "optim": .string(optimizer), "precision": .string(precision), "lr_scheduler_type": .string("cosine"),
      "logging_steps": .int(2), "max_steps": .int(8),
    ]
    let whole = try TinyRun.run(tiny.config("whole", changes))
    let first = try TinyRun.run(tiny.config("parts", changes), stopAfter: 3)
    #expect(first.outcome == .stopped(checkpoint: tiny.path + "/parts/checkpoint-3"))
    let second = try TinyRun.run(tiny.config("parts", changes), resume: .latest)
    #expect(second.outcome == .finished && second.steps == 8 && second.trainLoss == whole.trainLoss)
    for name in ["adapter_model.safetensors", "optimizer.safetensors"] {
      #expect(
        try tiny.folder.data("whole/checkpoint-8/\(name)") == tiny.folder.data("parts/checkpoint-8/\(name)"),
        "\(name)")
    }
    #expect(
      try tiny.json("whole/checkpoint-8/trainer_state.json")
        == tiny.json("parts/checkpoint-8/trainer_state.json"))
    #expect(try tiny.folder.names("parts/runs").count == 1)
  }

  /// Moments in 8 bits are kept as they are, in memory and in a file; a run with others does not go on from them.
  @Test(arguments: [("adamw_8bit", "float32"), ("paged_adamw_8bit", "bfloat16")])
  func momentsInBytesGoOnBitForBit(_ optimizer: String, _ precision: String) throws {
    let tiny = try TinyRun(rows: 9)
    let changes: [String: JSONValue] = [
      "optim": .string(optimizer), "precision": .string(precision), "lora_rank": .int(70),
    ]
    let whole = try TinyRun.run(tiny.config("whole", changes))
    _ = try TinyRun.run(tiny.config("parts", changes), stopAfter: 3)
    let error = #expect(throws: FireflyError.self) {
      try TinyRun.run(
        tiny.config("parts", changes.merging(["optim": .string("adamw_torch")]) { $1 }), resume: .latest)
    }
    #expect(error?.what.contains("\"optim\"") == true)
    let second = try TinyRun.run(tiny.config("parts", changes), resume: .latest)
    #expect(second.trainLoss == whole.trainLoss)
    for name in ["adapter_model.safetensors", "checkpoint-6/optimizer.safetensors"] {
      #expect(try tiny.folder.data("whole/\(name)") == tiny.folder.data("parts/\(name)"), "\(name)")
    }
    let moments = try WeightStore.open("\(tiny.path)/whole/checkpoint-6/optimizer.safetensors")
    let inBytes = moments.names.filter { $0.hasSuffix(".absmax") }
    #expect(!inBytes.isEmpty && 2 * inBytes.count < moments.names.count)
  }

  /// Embedding and head beside the pairs: trained, written as PEFT has them, and gone on with.
  @Test(arguments: ["float32", "bfloat16"]) func wholeModulesGoOnBitForBit(_ precision: String) throws {
    let tiny = try TinyRun(rows: 9)
    let changes: [String: JSONValue] = [
      "modules_to_save": .array([.string("embed_tokens"), .string("lm_head")]),
      "precision": .string(precision),
    ]
    let whole = try TinyRun.run(tiny.config("whole", changes))
    _ = try TinyRun.run(tiny.config("parts", changes), stopAfter: 3)
    let second = try TinyRun.run(tiny.config("parts", changes), resume: .latest)
    #expect(second.trainLoss == whole.trainLoss)
    let file = "adapter_model.safetensors"
    #expect(try tiny.folder.data("whole/\(file)") == tiny.folder.data("parts/\(file)"))
    #expect(
      try tiny.json("whole/adapter_config.json")["modules_to_save"]
        == .array([.string("embed_tokens"), .string("lm_head")]))
    let (adapter, base) = (
      try WeightStore.open("\(tiny.path)/whole/\(file)"), try ModelSource.open(tiny.model).weights
    )
    for name in ["model.embed_tokens.weight", "lm_head.weight"] {
      let shape = try base.shape(of: name)
      #expect(
        try adapter.tensor("base_model.model." + name, shape: shape, as: .float32).floats
          != base.tensor(name, shape: shape, as: .float32).floats, "\(name)")
    }
    let error = #expect(throws: FireflyError.self) { try TinyRun.run(tiny.config("parts"), resume: .latest) }
    #expect(error?.what.contains("\"modules_to_save\"") == true)
  }

  /// The routers' auxiliary loss is logged beside the loss, its mean over steps before and after an interruption.
  @Test func aModelWithExpertsLogsItsAuxiliaryLoss() throws {
    let tiny = try TinyRun(rows: 9, experts: 3)
    let changes: [String: JSONValue] = ["logging_steps": .int(4), "max_steps": .int(8)]
    _ = try TinyRun.run(tiny.config("whole", changes))
    _ = try TinyRun.run(tiny.config("parts", changes), stopAfter: 6)
    _ = try TinyRun.run(tiny.config("parts", changes), resume: .latest)
    let name = "checkpoint-8/trainer_state.json"
    let log = try #require(tiny.json("whole/" + name)["log_history"]?.array)
    #expect(log.count == 2)
    for entry in log {
      // k for routers that send rows everywhere alike, more for others, times the coefficient.
      let balance = try #require(entry["aux_loss"]?.double)
      #expect(balance >= 0.02 * 2 && balance < 0.02 * 3)
    }
    #expect(try tiny.json("parts/" + name) == tiny.json("whole/" + name))
    let text = String(decoding: try tiny.folder.data("whole/train.log"), as: UTF8.self)
    #expect(text.contains("aux_loss 0.04"))
  }

  @Test func whatAKilledRunLeftIsPassedOver() throws {
    let tiny = try TinyRun()
    let config = try tiny.config("out", ["save_steps": .int(2)])
    _ = try TinyRun.run(config)
    #expect(CheckpointFolder.complete(in: config.outputFolder).map(\.step) == [2, 4, 6])
    try FileManager.default.removeItem(atPath: tiny.path + "/out/checkpoint-6/resume_state.json")
    try tiny.write("short", to: tiny.path + "/out/checkpoint-4/optimizer.safetensors")
    try FileManager.default.createDirectory(
      atPath: tiny.path + "/out/checkpoint-8.partial-1", withIntermediateDirectories: true)
    #expect(CheckpointFolder.complete(in: config.outputFolder).map(\.step) == [2])
    var steps: [Int] = []
    var resumed = config
    resumed.resume = .latest
    _ = try Trainer(config: resumed).run { if case .step(let report) = $0 { steps.append(report.step) } }
    #expect(steps == [3, 4, 5, 6])
    #expect(CheckpointFolder.complete(in: config.outputFolder).map(\.step) == [2, 4, 6])
    #expect(try !tiny.folder.names("out").contains { $0.contains("partial") })
  }

  @Test func keepsTheNewestCheckpoints() throws {
    let tiny = try TinyRun()
    let config = try tiny.config("out", ["save_steps": .int(1), "save_total_limit": .int(2)])
    var most = 0
    _ = try Trainer(config: config).run { event in
      if case .saved = event { most = max(most, CheckpointFolder.complete(in: config.outputFolder).count) }
    }
    #expect(CheckpointFolder.complete(in: config.outputFolder).map(\.step) == [5, 6])
    #expect(most == 2)
  }

  @Test(arguments: [
    ("learning_rate", JSONValue.double(0.02)), ("seed", .int(1)), ("lora_rank", .int(8)),
    ("gradient_accumulation_steps", .int(1)), ("precision", .string("bfloat16")),
    ("max_seq_length", .int(10)),
  ])
  func refusesOtherSettingsByName(_ key: String, _ value: JSONValue) throws {
    let tiny = try TinyRun()
    _ = try TinyRun.run(tiny.config(), stopAfter: 2)
    let error = #expect(throws: FireflyError.self) {
      try TinyRun.run(tiny.config("out", [key: value]), resume: .latest)
    }
    // A shorter row is another row.
    let named = key == "max_seq_length" ? "train_file" : key
    #expect(
      error?.what.contains("\"\(named)\"") == true || (key == "seed" && error?.what.contains("seed") == true))
    #expect(error?.place == tiny.path + "/out/checkpoint-2")
  }

  @Test func refusesOtherRowsAndOtherWeights() throws {
    let tiny = try TinyRun()
    _ = try TinyRun.run(tiny.config(), stopAfter: 2)
    try tiny.write(TinyRun.lines(13), to: tiny.rows)
    let rows = #expect(throws: FireflyError.self) { try TinyRun.run(tiny.config(), resume: .latest) }
    #expect(rows?.what == "the checkpoint was made with another set of rows: \"train_file\"")
    try tiny.write(TinyRun.lines(12), to: tiny.rows)
    try tiny.writeWeights(poisoned: 0)
    let model = #expect(throws: FireflyError.self) { try TinyRun.run(tiny.config(), resume: .latest) }
    #expect(model?.what == "the checkpoint was made with another model: \"model_name_or_path\"")
  }

  @Test func aConstantRateMayRunLonger() throws {
    let tiny = try TinyRun()
    _ = try TinyRun.run(tiny.config("out", ["max_steps": .int(3)]))
    let longer = try TinyRun.run(tiny.config("out", ["max_steps": .int(5)]), resume: .latest)
    #expect(longer.steps == 5 && longer.sessionSteps == 2)
  }

  @Test func aFreshRunDoesNotMixWithAnEarlierOne() throws {
    let tiny = try TinyRun()
    _ = try TinyRun.run(tiny.config())
    let error = #expect(throws: FireflyError.self) { try TinyRun.run(tiny.config()) }
    #expect(error?.what == "output_dir holds checkpoint-6 of an earlier run")
    _ = try TinyRun.run(tiny.config("out", ["overwrite_output_dir": .bool(true), "max_steps": .int(2)]))
    #expect(CheckpointFolder.complete(in: tiny.path + "/out").map(\.step) == [2])
  }
}
