import FireflyDoubles
import FireflyBase
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyTestSupport
import FireflyText
import FireflyTraining
import FireflyWeights
import Foundation
import Testing

/// Runs with `"train_mode": "full"`: what they leave, and how they go on.
@Suite struct FullTrainingTests {
  private let full: [String: JSONValue] = ["train_mode": .string("full"), "learning_rate": .double(0.002)]

  private func config(_ tiny: TinyRun, _ output: String, _ changes: [String: JSONValue] = [:]) throws
    -> RunConfig
  {
    try tiny.config(output, full.merging(changes) { $1 })
  }

  private func losses(_ tiny: TinyRun, _ folder: String) throws -> [Double] {
    try tiny.json("\(folder)/trainer_state.json")["log_history"]?.array?.compactMap { $0["loss"]?.double }
      ?? []
  }

  @Test(arguments: [0, 3]) func learnsAndLeavesAModelsFolder(_ experts: Int) throws {
    let tiny = try TinyRun(experts: experts)
    try tiny.write(#"{"temperature": 0.5}"#, to: tiny.model + "/generation_config.json")
    let result = try TinyRun.run(config(tiny, "out", ["max_steps": .int(30), "save_steps": .int(15)]))
    #expect(result.outcome == .finished)
    let losses = try losses(tiny, "out")
    #expect(losses.count == 30 && losses[29] < 0.6 * losses[0], "\(losses)")
    for folder in ["out", "out/checkpoint-15"] {
      let names = try tiny.folder.names(folder)
      for name in [
        "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "train_args.json",
        "trainer_state.json",
      ] { #expect(names.contains(name), "\(folder)/\(name)") }
      #expect(!names.contains { $0.hasPrefix("adapter") || $0.contains("partial") }, "\(names)")
      #expect(try tiny.json(folder + "/config.json") == tiny.json("model/config.json"))
    }
    // As a model it answers with what was trained, and its tensors are those of the first one by name, shape and type.
    let (before, after) = (try ModelSource.open(tiny.model), try ModelSource.open(tiny.path + "/out"))
    #expect(before.weights.names == after.weights.names)
    for name in before.weights.names {
      let (old, new) = (try #require(before.weights.info(name)), try #require(after.weights.info(name)))
      #expect(old.shape == new.shape && old.type == new.type)
      #expect(try values(before, name) != values(after, name), "\(name)")
    }
    let pretrained = try Pretrained.open(tiny.path + "/out")
    #expect(try pretrained.template(named: nil, adapter: nil) == .named("firefly"), "as the record says")
    let rows = try Dataset.load(
      tiny.rows, template: .named("firefly"), tokenizer: pretrained.tokenizer, maxLength: 64)
    let trained = try pretrained.load(Pretrained.Options(compute: .float32))
    let sample = rows.samples[0]
    let loss = trained.loss(
      tokens: sample.tokens, labels: sample.labels, starts: [0, Int32(sample.tokens.count)])
    #expect(loss.total.mean < 0.8 * losses[0])
  }

  private func values(_ source: ModelSource, _ name: String) throws -> [Float] {
    try source.weights.tensor(name, shape: source.weights.shape(of: name), as: .float32).floats
  }

  /// In both precisions, with everything in memory and with everything in files.
  @Test(arguments: [
    ["precision": JSONValue.string("float32")],
    [
      "precision": .string("bfloat16"), "optim": .string("paged_adamw_32bit"),
      "master_weights": .string("paged"), "gradient_dtype": .string("bfloat16"), "freeze_layers": .int(1),
    ],
  ])
  func continuesBitForBit(_ settings: [String: JSONValue]) throws {
    let tiny = try TinyRun(rows: 9)
    let changes = settings.merging([
      "lr_scheduler_type": .string("cosine"), "weight_decay": .double(0.1), "max_steps": .int(8),
    ]) { $1 }
    let whole = try TinyRun.run(config(tiny, "whole", changes))
    let first = try TinyRun.run(config(tiny, "parts", changes), stopAfter: 3)
    #expect(first.outcome == .stopped(checkpoint: tiny.path + "/parts/checkpoint-3"))
    let second = try TinyRun.run(config(tiny, "parts", changes), resume: .latest)
    #expect(second.steps == 8 && second.trainLoss == whole.trainLoss)
    for name in ["model.safetensors", "checkpoint-8/model.safetensors", "checkpoint-8/optimizer.safetensors"]
    {
      #expect(try tiny.folder.data("whole/\(name)") == tiny.folder.data("parts/\(name)"), "\(name)")
    }
    #expect(try !tiny.folder.names("whole").contains { $0.hasPrefix(".paged") })
  }

  /// Where values are held does not change them.
  @Test func memoryAndFilesGiveTheSameBits() throws {
    let tiny = try TinyRun()
    _ = try TinyRun.run(config(tiny, "memory"))
    _ = try TinyRun.run(
      config(tiny, "files", ["optim": .string("paged_adamw_32bit"), "master_weights": .string("paged")]))
    #expect(
      try tiny.folder.data("memory/model.safetensors") == tiny.folder.data("files/model.safetensors"))
  }

  /// The two keys are two ways to say one thing; what is frozen stays as it is in the files.
  @Test func freezesTheLowerLayers() throws {
    let tiny = try TinyRun()
    _ = try TinyRun.run(config(tiny, "first", ["freeze_layers": .int(1)]))
    _ = try TinyRun.run(config(tiny, "last", ["train_last_layers": .int(1)]))
    #expect(try tiny.folder.data("first/model.safetensors") == tiny.folder.data("last/model.safetensors"))
    let (before, after) = (try ModelSource.open(tiny.model), try ModelSource.open(tiny.path + "/first"))
    for name in before.weights.names {
      let isFrozen = name.contains("layers.0.") || name.contains("embed_tokens")
      #expect(try (values(before, name) == values(after, name)) == isFrozen, "\(name)")
    }
  }

  @Test func theBestCheckpointIsTakenAtTheEnd() throws {
    let tiny = try TinyRun()
    let result = try TinyRun.run(
      config(
        tiny, "out",
        [
          "eval_file": .string(tiny.rows), "eval_strategy": .string("steps"), "eval_steps": .int(2),
          "save_steps": .int(2), "load_best_model_at_end": .bool(true), "greater_is_better": .bool(true),
          "metric_for_best_model": .string("eval_loss"), "sample_prompts": .array([.string("say 3")]),
        ]))
    let state = try tiny.json("out/trainer_state.json")
    let best = try #require(state["best_model_checkpoint"]?.string)
    #expect(result.best != nil && best.hasSuffix("checkpoint-2"), "the highest loss is the first one")
    #expect(
      try tiny.folder.data("out/model.safetensors")
        == tiny.folder.data("out/checkpoint-2/model.safetensors"))
    #expect(try tiny.folder.names("out").contains { $0.hasPrefix("sample") })
  }

  @Test func pretrainsOnPlainTexts() throws {
    let tiny = try TinyRun()
    let lines = (0..<12).map { #"{"text": "\#(String(repeating: "\($0 % 10)", count: 60))"}"# + "\n" }
      .joined()
    try tiny.write(lines, to: tiny.rows)
    _ = try TinyRun.run(config(tiny, "out", ["task_type": .string("pretrain"), "max_steps": .int(20)]))
    let losses = try losses(tiny, "out")
    #expect(losses[19] < 0.7 * losses[0], "\(losses)")
  }

  // MARK: - What is refused, and the plan

  @Test(arguments: [
    ("freeze_layers", JSONValue.int(3), "full", "the model has fewer layers"),
    ("train_last_layers", .int(3), "full", "the model has fewer layers"),
    ("freeze_layers", .int(1), "lora", "\"freeze_layers\" belongs to \"train_mode\": \"full\""),
    ("master_weights", .string("disk"), "full", "\"master_weights\" has a wrong value"),
    ("gradient_dtype", .string("float16"), "full", "\"gradient_dtype\" has a wrong value"),
  ])
  func refusesByName(_ key: String, _ value: JSONValue, _ mode: String, _ what: String) throws {
    let tiny = try TinyRun()
    let error = #expect(throws: FireflyError.self) {
      try Trainer(config: tiny.config("out", ["train_mode": .string(mode), key: value])).plan()
    }
    #expect(error?.what == what)
  }

  @Test func weightsIn4BitsAreRefused() throws {
    let tiny = try TinyRun()
    guard case .object(var config) = try tiny.json("model/config.json") else { return }
    config["quantization_config"] = .object([
      "quant_method": .string("bitsandbytes"), "load_in_4bit": .bool(true),
      "bnb_4bit_quant_type": .string("nf4"),
    ])
    try tiny.write(JSONValue.object(config).text(), to: tiny.model + "/config.json")
    let error = #expect(throws: FireflyError.self) {
      try Trainer(config: self.config(tiny, "out")).plan()
    }
    #expect(error?.what.contains("needs the weights whole") == true)
    #expect(error?.fix?.contains("qlora") == true)
  }

  /// Other settings of what is trained make another run; an adapter's do not count.
  @Test func goesOnWithTheSameSettingsOnly() throws {
    let tiny = try TinyRun()
    _ = try TinyRun.run(config(tiny, "out"), stopAfter: 2)
    let error = #expect(throws: FireflyError.self) {
      try TinyRun.run(config(tiny, "out", ["freeze_layers": .int(1)]), resume: .latest)
    }
    #expect(error?.what.contains("\"freeze_layers\"") == true)
    #expect(try TinyRun.run(config(tiny, "out", ["lora_rank": .int(8)]), resume: .latest).steps == 6)
  }

  @Test func thePlanCountsAllWeights() throws {
    let tiny = try TinyRun()
    let plan = try Trainer(config: config(tiny, "out")).plan()
    let perLayer = 2 * 64 + 64 * (64 + 32 + 32 + 64) + 3 * 64 * 128
    let table = 264 * 64
    #expect(plan.trainableParameters == 2 * perLayer + 2 * table + 64)
    #expect(plan.frozenParameters == 0 && plan.pagedBytes == 0)
    #expect(plan.memory.contains { $0.part == "master weights" && $0.bytes == 4 * plan.trainableParameters })
    let part = try Trainer(
      config: config(
        tiny, "out",
        [
          "freeze_layers": .int(1), "optim": .string("paged_adamw_32bit"),
          "master_weights": .string("paged"), "gradient_dtype": .string("bfloat16"),
        ])
    ).plan()
    #expect(part.trainableParameters == perLayer + table + 64)
    #expect(part.frozenParameters == perLayer + table)
    #expect(part.pagedBytes == 12 * part.trainableParameters)
    #expect(part.memory.contains { $0.part == "gradients" && $0.bytes == 2 * part.trainableParameters })
    // A matrix has 2 FLOP an element and row forwards, twice that backwards, and again forwards for the checkpoints, where the
    // down product is left out; below what is trained forwards only.
    let (linear, down) = (Double(perLayer - 2 * 64), 64.0 * 128)
    let (rows, head) = (Double(plan.tokens * plan.steps) / 3, Double(plan.targets * plan.steps) / 3)
    #expect(plan.work.matrices == 2 * rows * 2 * (4 * linear - down) + 6 * head * Double(table))
    #expect(part.work.matrices == 2 * rows * (4 * linear - down + linear) + 6 * head * Double(table))
  }

  /// What lies in files of the run's own need not fit, so files come before an adapter.
  @Test func advisesFilesBeforeAnAdapter() throws {
    let tiny = try TinyRun()
    func advice(_ changes: [String: JSONValue]) throws -> [Substring] {
      let plan = try Trainer(
        config: config(tiny, "out", changes.merging(["per_device_train_batch_size": .int(1)]) { $1 })
      ).plan(memoryLimit: 1)
      return plan.advice.dropFirst().map { $0.prefix { $0 != "," }.dropFirst(2) }
    }
    let files: [Substring] = ["\"optim\": \"paged_adamw_32bit\"", "\"master_weights\": \"paged\""]
    let next: Substring = "\"gradient_dtype\": \"bfloat16\""
    #expect(try Array(advice([:]).prefix(3)) == files + [next])
    let paged: [String: JSONValue] = [
      "optim": .string("paged_adamw_32bit"), "master_weights": .string("paged"),
    ]
    #expect(try advice(paged).first == next)
  }
}
