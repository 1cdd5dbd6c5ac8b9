import FireflyBase
import FireflyCards
import FireflyDoubles
import FireflyTensors
import FireflyTestSupport
import FireflyTraining
import Foundation
import Testing

/// Runs in float16 with loss scaling, on an emulated card that has no bfloat16.
@Suite struct CardFloat16Tests {
  private struct Run {
    var outcome: TrainingResult.Outcome?
    var losses: [Float] = []
    var rates: [Double] = []
    var notices: [String] = []
    var logged: [LogEntry] = []
  }

  private func run(
    _ config: RunConfig, on device: any Device = card(), stopAfter step: Int? = nil, resume: Resume = .fresh
  ) throws -> Run {
    var config = config
    config.resume = resume
    let stop = StopRequest()
    var run = Run()
    run.outcome = try Trainer(config: config, on: device).run(stop: stop) { event in
      switch event {
      case .notice(let text): run.notices.append(text)
      case .logged(let entry): run.logged.append(entry)
      case .step(let report):
        run.losses.append(Float(report.loss))
        run.rates.append(report.learningRate)
        if report.step == step { stop.stop() }
      default: break
      }
    }.outcome
    return run
  }

  private static func card() -> CardDevice { .emulated(order: 3, pooling: true, bfloat16: false) }

  private static let common: [String: JSONValue] = [
    "adam_epsilon": .double(1e-3), "data_cache": .string("off"), "warmup_steps": .int(0),
    "logging_steps": .int(1), "precision": .null,
  ]

  private static let modes: [[String: JSONValue]] = [
    ["train_mode": .string("qlora")], ["train_mode": .string("lora"), "lora_dropout": .double(0.1)],
    ["train_mode": .string("full"), "learning_rate": .double(1e-3), "gradient_dtype": .string("bfloat16")],
  ]

  @Test(arguments: modes) func aRunIsNearFloat32(_ mode: [String: JSONValue]) throws {
    let tiny = try TinyRun(rows: 9)
    let changes = Self.common.merging(mode) { $1 }.merging(["max_steps": .int(5)]) { $1 }
    let half = try run(tiny.config("half", changes.merging(["bf16": .bool(true)]) { $1 }))
    let expected = try run(
      tiny.config("whole", changes.merging(["precision": .string("float32")]) { $1 }), on: CPU.shared)
    assertClose(half.losses, expected.losses, Tolerance(relative: 1e-2), "losses")
    #expect(half.losses != expected.losses && half.losses[4] < half.losses[0])
    #expect(half.notices.contains { $0.hasSuffix("computing in float16, with loss scaling") })
    #expect(half.logged.allSatisfy { $0.lossScale == 65536 && $0.skippedSteps == 0 })
    #expect(expected.logged.allSatisfy { $0.lossScale == nil })
    let log = String(decoding: try tiny.folder.data("half/train.log"), as: UTF8.self)
    #expect(log.contains("loss_scale 65536") && !log.contains("skipped"))
  }

  /// fp16 is float16 on a card that has bfloat16 too; products of its own key are refused by the processor.
  @Test func theOriginalsKeyIsFloat16OnACard() throws {
    let tiny = try TinyRun(rows: 3)
    func lossScale(_ output: String, on device: any Device) throws -> Double? {
      let changes: [String: JSONValue] = ["fp16": .bool(true), "max_steps": .int(1)]
      return try run(tiny.config(output, Self.common.merging(changes) { $1 }), on: device).logged[0].lossScale
    }
    #expect(try lossScale("card", on: CardDevice.emulated(pooling: true)) == 65536)
    #expect(try lossScale("cpu", on: CPU.shared) == nil)
    let explicit = try tiny.config("out", ["precision": .string("float16")])
    let error = #expect(throws: FireflyError.self) { try run(explicit, on: CPU.shared) }
    #expect(error?.what == "float16 is for cards")
  }

  @Test func preferencesAreNearFloat32() throws {
    let tiny = try TinyRun()
    let changes = Self.common.merging(try pairs(tiny, beta: 0.5)) { $1 }.merging(["max_steps": .int(3)]) {
      $1
    }
    let half = try run(tiny.config("half", changes.merging(["fp16": .bool(true)]) { $1 }))
    let expected = try run(
      tiny.config("whole", changes.merging(["precision": .string("float32")]) { $1 }), on: CPU.shared)
    assertClose(half.losses, expected.losses, Tolerance(relative: 2e-2), "losses")
  }

  private func pairs(_ tiny: TinyRun, beta: Double) throws -> [String: JSONValue] {
    let pairs = (0..<6).map { #"{"prompt": "say \#($0)", "chosen": "\#($0)!", "rejected": "no \#($0)"}"# }
    try tiny.write(pairs.joined(separator: "\n"), to: tiny.path + "/pairs.jsonl")
    return [
      "task_type": .string("dpo"), "train_file": .string(tiny.path + "/pairs.jsonl"), "beta": .double(beta),
    ]
  }

  /// A scale that is too large, planted in a checkpoint: steps move nothing until it fits, and the learning rate waits.
  @Test func aStepWhoseGradientsOverflowMovesNothing() throws {
    let tiny = try TinyRun(rows: 9)
    let config = try tiny.config(
      "out",
      Self.common.merging([
        "fp16": .bool(true), "max_steps": .int(6), "save_steps": .int(1),
        "lr_scheduler_type": .string("linear"),
      ]) { $1 })
    _ = try run(config, stopAfter: 2)
    let path = tiny.path + "/out/checkpoint-2/resume_state.json"
    let planted = 0x1p26
    var state = try #require(try JSONValue.read(path).object)
    #expect(state["loss_scale"]?["value"]?.double == 65536 && state["loss_scale"]?["steady_steps"]?.int == 2)
    state["loss_scale"] = .object([
      "value": .double(planted), "steady_steps": .int(2), "skipped_steps": .int(0),
    ])
    try tiny.write(JSONValue.object(state).text(), to: path)
    let rest = try run(config, resume: .latest)
    #expect(rest.logged.map(\.skippedSteps) == [1, 2, 3, 4])
    #expect(rest.logged.map(\.lossScale) == [planted / 2, planted / 4, planted / 8, planted / 16])
    #expect(Set(rest.rates).count == 1 && !rest.logged[0].gradientNorm.isFinite)
    let adapter = "adapter_model.safetensors"
    #expect(
      try tiny.folder.data("out/checkpoint-2/\(adapter)") == tiny.folder.data("out/checkpoint-6/\(adapter)"))
    let log = String(decoding: try tiny.folder.data("out/train.log"), as: UTF8.self)
    #expect(log.contains("step 3 moved nothing") && log.contains("loss_scale 4194304  skipped 4"))
    let records = try String(decoding: tiny.folder.data("out/progress.jsonl"), as: UTF8.self).split(
      separator: "\n"
    )
    .map { try JSONValue.parse(String($0), source: "progress") }.filter { $0["step"]?.int == 6 }
    #expect(records[0]["skipped_steps"]?.int == 4 && records[0]["loss_scale"]?.double == planted / 16)
  }

  /// With steps that moved nothing before and after the interruption.
  @Test(arguments: ["qlora", "full"]) func continuesBitForBit(_ mode: String) throws {
    let tiny = try TinyRun(rows: 9)
    let changes = Self.common.merging([
      "train_mode": .string(mode), "precision": .string("float16"), "max_steps": .int(5),
    ]) { $1 }
    let whole = try run(tiny.config("whole", changes))
    let first = try run(tiny.config("parts", changes), stopAfter: 3)
    let second = try run(tiny.config("parts", changes), resume: .latest)
    #expect(first.losses + second.losses == whole.losses)
    for name in [mode == "full" ? "model.safetensors" : "adapter_model.safetensors", "optimizer.safetensors"]
    {
      #expect(
        try tiny.folder.data("whole/checkpoint-5/\(name)") == tiny.folder.data("parts/checkpoint-5/\(name)"),
        "\(name)")
    }
    #expect(
      try tiny.json("whole/checkpoint-5/resume_state.json")["loss_scale"]
        == tiny.json("parts/checkpoint-5/resume_state.json")["loss_scale"])
  }

  /// Gradients that no scale makes finite: those of preferences with a huge beta.
  @Test func aRunWhoseGradientsAlwaysOverflowEnds() throws {
    let tiny = try TinyRun()
    let changes = Self.common.merging(try pairs(tiny, beta: 1e9)) { $1 }.merging([
      "fp16": .bool(true), "max_steps": .int(30),
    ]) { $1 }
    let error = #expect(throws: FireflyError.self) { try run(tiny.config("out", changes)) }
    #expect(
      error?.what.hasPrefix("even with a loss scale of 1, the gradient of step ") == true,
      "\(error?.description ?? "")")
    #expect(error?.fix?.contains("\"precision\": \"float32\"") == true)
  }
}
