import FireflyDoubles
import FireflyBase
import FireflyTensors
import FireflyTestSupport
import FireflyText
import FireflyTraining
import FireflyWeights
import Foundation
import Testing

@Suite struct TrainerTests {
  private func losses(_ run: TinyRun, _ output: String) throws -> [Double] {
    try run.json("\(output)/trainer_state.json")["log_history"]?.array?.compactMap { $0["loss"]?.double }
      ?? []
  }

  @Test func learnsAndLeavesItsRecords() throws {
    let run = try TinyRun()
    let result = try Trainer(config: run.config("out", ["max_steps": .int(40), "save_steps": .int(20)])).run()
    #expect(result.outcome == .finished && result.steps == 40)
    let losses = try losses(run, "out")
    #expect(losses.count == 40)
    #expect(losses[0] > 5 && losses[39] < 0.6 * losses[0], "\(losses)")
    let names = try run.folder.names("out")
    for name in [
      "adapter_config.json", "adapter_model.safetensors", "all_results.json", "checkpoint-20",
      "checkpoint-40",
      "loss.svg", "runs", "tokenizer.json", "train.log", "train_args.json", "train_results.json",
      "trainer_state.json",
    ] { #expect(names.contains(name), "\(name)") }
    #expect(!names.contains { $0.contains("partial") || $0.contains("optimizer") })
    let results = try run.json("out/train_results.json")
    for key in [
      "train_loss", "train_runtime", "train_samples_per_second", "train_steps_per_second",
      "train_tokens_per_second", "train_target_tokens_per_second", "peak_memory_bytes", "total_flos",
    ] { #expect((results[key]?.double ?? 0) > 0, "\(key)") }
    let state = try run.json("out/trainer_state.json")
    let tokens = Double(state["num_input_tokens_seen"]?.int ?? 0)
    let perToken = (state["total_flos"]?.double ?? 0) / tokens
    #expect(
      perToken > 0 && perToken.truncatingRemainder(dividingBy: 6) == 0, "6 for each parameter: \(perToken)")
    #expect(try run.json("out/train_args.json")["template_name"]?.string == "firefly")
  }

  /// Qwen-1 keeps its tokenizer in a file that no other family has.
  @Test func adaptersBringQwensTokenizer() throws {
    let run = try TinyRun(tiktoken: true)
    _ = try Trainer(config: run.config("out", ["max_steps": .int(1), "save_steps": .int(1)])).run()
    let text = "<|im_start|>say 7!<|im_end|>"
    let expected = try Tokenizers.load(run.model).encode(text, parseSpecial: true)
    for folder in ["out", "out/checkpoint-1"] {
      #expect(try run.folder.names(folder).contains("qwen.tiktoken"), "\(folder)")
      let tokenizer = try Tokenizers.load("\(run.path)/\(folder)")
      #expect(try tokenizer.encode(text, parseSpecial: true) == expected, "\(folder)")
    }
  }

  @Test func firstUpdateHasRateZero() throws {
    let run = try TinyRun()
    _ = try Trainer(config: run.config("out", ["max_steps": .int(1), "save_strategy": .string("no")])).run()
    let adapter = try WeightStore.open(run.path + "/out/adapter_model.safetensors")
    for name in adapter.names where name.contains("lora_B") {
      let values = try adapter.tensor(name, shape: adapter.info(name)?.shape ?? [], as: .float32).floats
      #expect(values.allSatisfy { $0 == 0 }, "\(name)")
    }
    let entry = try run.json("out/trainer_state.json")["log_history"]?.array?.first
    #expect(entry?["learning_rate"]?.double == 0)
  }

  /// Tokens weigh the same however rows are grouped; the original's mean of means does not.
  @Test func tokenWeightedLossDoesNotDependOnMicroBatches() throws {
    let run = try TinyRun()
    let common: [String: JSONValue] = ["lora_dropout": .int(0), "shuffle": .bool(false)]
    func train(_ name: String, _ size: Int, _ accumulation: Int, _ reduction: String) throws -> [Double] {
      let changes: [String: JSONValue] = [
        "per_device_train_batch_size": .int(size), "gradient_accumulation_steps": .int(accumulation),
        "loss_reduction": .string(reduction),
      ]
      _ = try Trainer(config: run.config(name, common.merging(changes) { $1 })).run()
      return try losses(run, name)
    }
    let whole = try train("a", 4, 1, "token")
    let split = try train("b", 1, 4, "token")
    let means = try train("c", 1, 4, "micro_batch_mean")
    #expect(whole.count == 6)
    for (one, other) in zip(whole, split) { #expect(abs(one - other) <= 1e-4 * one, "\(whole) \(split)") }
    #expect(abs(whole[0] - means[0]) > 1e-3)
  }

  @Test func sameSeedSameBytes() throws {
    let run = try TinyRun()
    _ = try Trainer(config: run.config("a")).run()
    _ = try Trainer(config: run.config("b")).run()
    _ = try Trainer(config: run.config("c", ["seed": .int(43)])).run()
    let file = "adapter_model.safetensors"
    #expect(try run.folder.data("a/\(file)") == run.folder.data("b/\(file)"))
    #expect(try run.folder.data("a/\(file)") != run.folder.data("c/\(file)"))
  }

  @Test func notANumberIsToldWithStepAndRows() throws {
    let run = try TinyRun()
    try run.writeWeights(poisoned: Int(UInt8(ascii: "7")))  // only line 8 has it
    let config = try run.config(
      "out",
      [
        "shuffle": .bool(false), "per_device_train_batch_size": .int(1),
        "gradient_accumulation_steps": .int(1), "max_steps": .int(10),
      ])
    let error = #expect(throws: FireflyError.self) { try Trainer(config: config).run() }
    #expect(error?.what == "the loss of step 8 is NaN")
    #expect(error?.place == "\(run.rows), lines 8")
    #expect(error?.fix?.contains("learning_rate") == true)
    let state = String(decoding: try run.folder.data("out/trainer_state.json"), as: UTF8.self)
    #expect(state.contains("\"loss\": NaN"))
    #expect(String(decoding: try run.folder.data("out/train.log"), as: UTF8.self).contains("loss NaN"))
    #expect(try !run.folder.names("out").contains { $0.hasPrefix("checkpoint") || $0.hasPrefix("adapter") })
  }
}
