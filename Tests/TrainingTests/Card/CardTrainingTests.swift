import FireflyDoubles
import FireflyBase
import FireflyCards
import FireflyTensors
import FireflyTestSupport
import FireflyTraining
import Foundation
import Testing

/// Whole runs on an emulated card: what they leave is near what the processor's leave, and they go on from checkpoints.
@Suite struct CardTrainingTests {
  private func run(
    _ config: RunConfig, on device: any Device, stopAfter step: Int? = nil, resume: Resume = .fresh
  ) throws -> (result: TrainingResult, losses: [Float]) {
    var config = config
    config.resume = resume
    let stop = StopRequest()
    var losses: [Float] = []
    let result = try Trainer(config: config, on: device).run(stop: stop) { event in
      guard case .step(let report) = event else { return }
      losses.append(Float(report.loss))
      if report.step == step { stop.stop() }
    }
    return (result, losses)
  }

  private static func card() -> CardDevice { .emulated(order: 3, pooling: true) }

  /// An ε above the noise of tiny gradients, whose sign alone would decide AdamW's first steps.
  private static let common: [String: JSONValue] = [
    "adam_epsilon": .double(1e-3), "data_cache": .string("off"), "warmup_steps": .int(0),
  ]

  private static let modes: [[String: JSONValue]] = [
    ["train_mode": .string("qlora"), "optim": .string("paged_adamw_32bit")],
    ["train_mode": .string("lora")],
    ["train_mode": .string("full"), "master_weights": .string("paged"), "learning_rate": .double(1e-3)],
  ]

  /// Losses, an evaluation and an answer on the way.
  @Test(arguments: modes) func aRunIsAsOnTheProcessor(_ mode: [String: JSONValue]) throws {
    let tiny = try TinyRun(rows: 9)
    let changes = Self.common.merging(mode) { $1 }.merging([
      "eval_file": .string(tiny.rows), "eval_strategy": .string("steps"), "eval_steps": .int(4),
      "max_steps": .int(4), "sample_prompts": .array([.string("say 3")]), "sample_steps": .int(4),
      "sample_max_new_tokens": .int(6),
    ]) { $1 }
    let device = Self.card()
    let onCard = try run(tiny.config("card", changes), on: device)
    let expected = try run(tiny.config("cpu", changes), on: CPU.shared)
    assertClose(onCard.losses, expected.losses, Tolerance(relative: 1e-3), "losses")
    #expect(onCard.losses.count == 4 && onCard.losses[3] < onCard.losses[0])
    #expect(onCard.result.peakMemoryBytes == device.peakBytes && device.peakBytes > 1 << 18)
    func evaluated(_ output: String) throws -> [Float] {
      let log = try #require(tiny.json("\(output)/trainer_state.json")["log_history"]?.array)
      return log.compactMap { $0["eval_loss"]?.double.map(Float.init) }
    }
    #expect(try !evaluated("card").isEmpty)
    assertClose(try evaluated("card"), try evaluated("cpu"), Tolerance(relative: 1e-3), "evaluations")
    #expect(try tiny.folder.data("card/samples.jsonl") == tiny.folder.data("cpu/samples.jsonl"))
  }

  @Test(arguments: [("qlora", "bfloat16"), ("full", "float32")])
  func continuesBitForBit(_ mode: String, _ precision: String) throws {
    let tiny = try TinyRun(rows: 9)
    let changes = Self.common.merging([
      "train_mode": .string(mode), "precision": .string(precision), "max_steps": .int(5),
    ]) { $1 }
    let whole = try run(tiny.config("whole", changes), on: Self.card())
    let first = try run(tiny.config("parts", changes), on: Self.card(), stopAfter: 3)
    #expect(first.result.outcome == .stopped(checkpoint: tiny.path + "/parts/checkpoint-3"))
    let second = try run(tiny.config("parts", changes), on: Self.card(), resume: .latest)
    #expect(first.losses + second.losses == whole.losses)
    for name in [mode == "full" ? "model.safetensors" : "adapter_model.safetensors", "optimizer.safetensors"]
    {
      #expect(
        try tiny.folder.data("whole/checkpoint-5/\(name)") == tiny.folder.data("parts/checkpoint-5/\(name)"),
        "\(name)")
    }
  }

  @Test func preferencesAreAsOnTheProcessor() throws {
    let tiny = try TinyRun()
    let pairs = (0..<6).map { #"{"prompt": "say \#($0)", "chosen": "\#($0)!", "rejected": "no \#($0)"}"# }
    try tiny.write(pairs.joined(separator: "\n"), to: tiny.path + "/pairs.jsonl")
    let changes = Self.common.merging([
      "task_type": .string("dpo"), "train_file": .string(tiny.path + "/pairs.jsonl"), "beta": .double(0.5),
      "max_steps": .int(3),
    ]) { $1 }
    let onCard = try run(tiny.config("card", changes), on: Self.card())
    let expected = try run(tiny.config("cpu", changes), on: CPU.shared)
    assertClose(onCard.losses, expected.losses, Tolerance(relative: 1e-3), "losses")
  }

  /// What a card has is what a run may use there.
  @Test func aRunThatDoesNotFitTheCardDoesNotBegin() throws {
    let tiny = try TinyRun()
    let device = CardDevice.emulated(memory: 1 << 20, pooling: true)
    let error = #expect(throws: FireflyError.self) { try run(tiny.config("out"), on: device) }
    #expect(error?.what == "the run does not fit into memory")
    #expect(error?.expected == "at most 1.00 MiB")
  }
}
