import FireflyDoubles
import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyTraining
import FireflyWeights
import Foundation
import Testing

@Suite struct PlanTests {
  @Test func countsAndWritesNothing() throws {
    let tiny = try TinyRun()
    let before = try tiny.folder.names()
    let plan = try Trainer(
      config: tiny.config("out/deep", ["max_steps": .int(-1), "num_train_epochs": .int(2)])
    ).plan()
    #expect(plan.rows == 12 && plan.stepsPerEpoch == 3 && plan.steps == 6)
    // r·(in + out) of q, k, v, o, gate, up, down, in two layers.
    #expect(plan.trainableParameters == 2 * 4 * (128 + 96 + 96 + 128 + 192 + 192 + 192))
    #expect(plan.summary.contains { $0.hasPrefix("memory") })
    #expect(try tiny.folder.names() == before)
  }

  @Test(arguments: [
    ("task_type", JSONValue.string("dpo"), "the row is no preference pair"),
    ("lora_target_modules", .array([.string("q_prj")]), "no linear layer of the model has this name"),
    ("model_name_or_path", .string("/nonexistent"), "there is no such model"),
    ("train_file", .string("/nonexistent.jsonl"), "cannot open the file"),
    ("output_dir", .string("/dev/null/firefly"), "output_dir cannot be written to"),
  ])
  func findsWhatWouldStopTheRun(_ key: String, _ value: JSONValue, _ what: String) throws {
    let tiny = try TinyRun()
    let config = try tiny.config("out", [key: value])
    let planned = #expect(throws: FireflyError.self) { try Trainer(config: config).plan() }
    #expect(planned?.what.hasPrefix(what) == true, "\(planned?.description ?? "")")
    let ran = #expect(throws: FireflyError.self) { try Trainer(config: config).run() }
    #expect(ran == planned)
    #expect(try !tiny.folder.names().contains("out"))
  }

  @Test func theModelsFolderIsNoOutput() throws {
    let tiny = try TinyRun()
    let before = try tiny.folder.names()
    let error = #expect(throws: FireflyError.self) { try Trainer(config: tiny.config("model/")).run() }
    #expect(error?.what == "output_dir is the model's folder")
    #expect(try tiny.folder.names() == before)
  }

  @Test func aTokenizerOfAnotherModelIsFound() throws {
    let tiny = try TinyRun()
    let config = String(decoding: try tiny.folder.data("model/config.json"), as: UTF8.self)
    try tiny.write(
      config.replacingOccurrences(of: "\"vocab_size\": 264", with: "\"vocab_size\": 100"),
      to: tiny.model + "/config.json")
    let weights = try ModelSource.open(tiny.model).weights
    let tensors = try weights.tensorNames.map { name in
      let tensor = try weights.tensor(name, shape: weights.shape(of: name), as: .float32)
      return (name, tensor.shape[0] == 264 ? tensor.slice(0..<100) : tensor)
    }
    try SafeTensorsWriter.write(tensors, to: tiny.model + "/model.safetensors")
    let error = #expect(throws: FireflyError.self) { try Trainer(config: tiny.config()).plan() }
    #expect(error?.what == "the tokenizer gives an id that the model does not have")
    #expect(error?.place == "\(tiny.rows):1")
  }

  /// Moments in 8 bits, in memory or in a file, and in the checkpoints.
  @Test func countsMomentsInBytes() throws {
    let tiny = try TinyRun()
    func plan(_ optimizer: String) throws -> RunPlan {
      try Trainer(config: tiny.config("out", ["optim": .string(optimizer), "lora_rank": .int(70)])).plan()
    }
    func moments(_ plan: RunPlan) -> Int { plan.memory.first { $0.part == "optimizer" }?.bytes ?? 0 }
    let (whole, bytes, paged) = try (plan("adamw_torch"), plan("adamw_8bit"), plan("paged_adamw_8bit"))
    let model = try tiny.loaded()
    try model.attachAdapter(LoRAOptions(rank: 70), seed: 1)
    let expected = MomentStore.byteCount(inBytesFor: model.arena.trainable)
    #expect(moments(whole) == 8 * whole.trainableParameters)
    #expect(moments(bytes) == expected && moments(paged) == expected && expected < moments(whole) / 2)
    #expect(bytes.pagedBytes == 0 && paged.pagedBytes == expected)
    #expect(whole.checkpointBytes - bytes.checkpointBytes == moments(whole) - expected)
  }

  @Test func saysWhatToChangeWhenTheRunDoesNotFit() throws {
    let tiny = try TinyRun()
    let config = try tiny.config(
      "out", ["per_device_train_batch_size": .int(4), "gradient_accumulation_steps": .int(2)])
    let roomy = try Trainer(config: config).plan(memoryLimit: 1 << 40)
    #expect(roomy.advice.isEmpty)

    let whole = roomy.memory.reduce(0) { $0 + $1.bytes }
    let tight = try Trainer(config: config).plan(memoryLimit: whole / 2)
    #expect(tight.advice.first?.hasPrefix("does not fit the ") == true)
    #expect(
      tight.advice.dropFirst().first?.hasPrefix(
        "  \"per_device_train_batch_size\": 1, \"gradient_accumulation_steps\": 8, the same step: ") == true,
      "\(tight.advice)")

    let none = try Trainer(config: config).plan(memoryLimit: 1)
    #expect(none.advice.last == "  and still not: this needs a smaller model or a larger machine")
    let least = try tiny.config(
      "out",
      [
        "per_device_train_batch_size": .int(1), "max_seq_length": .int(64),
        "optim": .string("paged_adamw_32bit"), "checkpoint_dtype": .string("bfloat16"),
      ])
    let nothing = try Trainer(config: least).plan(memoryLimit: 1)
    #expect(
      nothing.advice == [
        "does not fit the 1 B of memory here: this needs a smaller model or a larger machine"
      ])
    let told = thrownError { try nothing.requireFit() }
    #expect(told?.fix?.hasPrefix("This needs a smaller model or a larger machine. \"memory_limit\"") == true)
  }
}
