import FireflyBase
import FireflyDoubles
import FireflyRanks
import FireflyTensors
import FireflyTestSupport
import FireflyTraining
import Foundation
import Synchronization
import Testing

/// Runs of several ranks, here threads, are the run of one.
@Suite struct RankTrainingTests {
  private let tiny: TinyRun

  init() throws {
    tiny = try TinyRun(rows: 11)
    let pairs = (0..<9).map { n in
      #"{"prompt": "say \#(n)", "chosen": "\#(String(repeating: "\(n)", count: 1 + n % 5))!", "rejected": "no \#(n)"}"#
        + "\n"
    }
    try tiny.write(pairs.joined(), to: tiny.path + "/pairs.jsonl")
  }

  private struct Run: Sendable {
    var losses: [Double] = []
    var norms: [Double] = []
    var result: TrainingResult?
  }

  /// What each rank saw.
  private func run(
    _ config: RunConfig, ranks count: Int, resume: Resume = .fresh,
    stop: @escaping @Sendable (_ rank: Int, _ step: Int) -> Bool = { _, _ in false }
  ) throws -> [Run] {
    var config = config
    config.resume = resume
    return try LocalRanks.run(count) { [config] ranks in
      var run = Run()
      let request = StopRequest()
      run.result = try Trainer(config: config).run(ranks, stop: request) { event in
        guard case .step(let report) = event else { return }
        run.losses.append(report.loss)
        run.norms.append(report.gradientNorm)
        if stop(ranks.rank, report.step) { request.stop() }
      }
      return run
    }.map { try $0.get() }
  }

  /// Rows of unequal lengths, dropout, accumulation, an epoch's short last step, clipping, decay.
  private static let kinds: [[String: JSONValue]] = [
    [:],
    ["per_device_train_batch_size": .int(4), "gradient_accumulation_steps": .int(1)],
    ["loss_reduction": .string("micro_batch_mean")],
    ["train_mode": .string("full"), "learning_rate": .double(0.002), "optim": .string("adamw_torch")],
    ["train_mode": .string("qlora"), "optim": .string("paged_adamw_32bit")],
    ["lora_rank": .int(70), "optim": .string("adamw_8bit")],
    ["task_type": .string("dpo"), "rpo_alpha": .double(0.5), "disable_dropout": .bool(false)],
  ]

  @Test(arguments: kinds, [2, 3]) func isTheRunOfOne(_ changes: [String: JSONValue], _ count: Int) throws {
    var changes = changes.merging(["weight_decay": .double(0.1), "max_grad_norm": .double(0.5)]) { $1 }
    if changes["task_type"] != nil { changes["train_file"] = .string(tiny.path + "/pairs.jsonl") }
    let one = try run(tiny.config("one", changes), ranks: 1)[0]
    let many = try run(tiny.config("many", changes), ranks: count)
    let again = try run(tiny.config("again", changes), ranks: count)
    assertClose(many[0].losses, one.losses, Tolerance(relative: 1e-5))
    assertClose(many[0].norms, one.norms, Tolerance(relative: 1e-4))
    for run in many + again { #expect(run.losses == many[0].losses && run.norms == many[0].norms) }
    let file = changes["train_mode"] == .string("full") ? "model.safetensors" : "adapter_model.safetensors"
    #expect(try tiny.folder.data("many/\(file)") == tiny.folder.data("again/\(file)"))
    #expect(try tiny.folder.names("many") == tiny.folder.names("one"))
  }

  /// The routers' auxiliary loss looks at a whole micro-batch, which stays on one rank.
  @Test func expertsToo() throws {
    let tiny = try TinyRun(experts: 3)
    let one = try run(tiny.config("one"), ranks: 1)[0]
    let many = try run(tiny.config("many"), ranks: 3)
    assertClose(many[0].losses, one.losses, Tolerance(relative: 1e-5))
  }

  /// A checkpoint does not say how many ranks wrote it.
  @Test(arguments: [("lora", "paged_adamw_32bit"), ("full", "adamw_torch"), ("full", "paged_adamw_8bit")])
  func goesOnWithOtherCounts(_ mode: String, _ optimizer: String) throws {
    let changes: [String: JSONValue] = [
      "train_mode": .string(mode), "optim": .string(optimizer), "learning_rate": .double(0.002),
      "max_steps": .int(8),
    ]
    let whole = try run(tiny.config("whole", changes), ranks: 1)[0]
    let config = try tiny.config("parts", changes)
    // The request comes to one rank; all stop after the same step.
    let first = try run(config, ranks: 2) { $0 == 1 && $1 == 2 }
    for run in first {
      #expect(run.result?.outcome == .stopped(checkpoint: tiny.path + "/parts/checkpoint-2"))
    }
    let second = try run(config, ranks: 1, resume: .latest) { $1 == 5 }
    let third = try run(config, ranks: 3, resume: .latest)
    let losses = first[0].losses + second[0].losses + third[0].losses
    assertClose(losses, whole.losses, Tolerance(relative: 1e-5))
    #expect(third.allSatisfy { $0.result?.outcome == .finished })
    // Nothing is left to do, and all say so.
    let fourth = try run(config, ranks: 2, resume: .latest)
    #expect(fourth.allSatisfy { $0.losses.isEmpty && $0.result?.outcome == .alreadyFinished })
  }

  @Test(arguments: ["sft", "dpo"]) func evaluationsAndSamplesAreShared(_ task: String) throws {
    var changes: [String: JSONValue] = [
      "val_size": .int(3), "eval_strategy": .string("steps"), "eval_steps": .int(2),
      "per_device_eval_batch_size": .int(1), "task_type": .string(task),
      "sample_prompts": .array(["say 1", "say 2", "say 3"].map(JSONValue.string)),
      "sample_max_new_tokens": .int(4), "max_steps": .int(4),
    ]
    if task == "dpo" { changes["train_file"] = .string(tiny.path + "/pairs.jsonl") }
    _ = try run(tiny.config("one", changes), ranks: 1)
    _ = try run(tiny.config("many", changes), ranks: 2)
    let evaluations = try ["one", "many"].map { name in
      try #require(tiny.json("\(name)/trainer_state.json")["log_history"]?.array)
        .compactMap { $0["eval_loss"]?.double }
    }
    #expect(evaluations[0].count == 2)
    assertClose(evaluations[1], evaluations[0], Tolerance(relative: 1e-5))
    let samples = try ["one", "many"].map { name in
      String(decoding: try tiny.folder.data("\(name)/samples.jsonl"), as: UTF8.self).split(separator: "\n")
        .count
    }
    #expect(samples[0] > 0 && samples[1] == samples[0])
  }

  @Test func aLossThatIsNoNumberEndsAll() throws {
    try tiny.writeWeights(poisoned: 55)  // the byte "7", which some rows have
    let config = try tiny.config("out", ["max_steps": .int(20)])
    let results = LocalRanks.run(3) { ranks in
      _ = try Trainer(config: config).run(ranks, stop: StopRequest()) { _ in }
      return ranks.failedTogether
    }
    let errors = results.compactMap { result in
      if case .failure(let error as FireflyError) = result { error } else { nil }
    }
    #expect(errors.count == 3 && Set(errors.map(\.description)).count == 1, "\(errors)")
    #expect(errors.first?.what.hasPrefix("the loss of step") == true)
  }

  @Test func ranksWithOtherSettingsAreNamed() throws {
    let configs = try [0.01, 0.01, 0.02].map { try tiny.config("out", ["learning_rate": .double($0)]) }
    let results = LocalRanks.run(3) { ranks in
      _ = try Trainer(config: configs[ranks.rank]).run(ranks, stop: StopRequest()) { _ in }
      return true
    }
    for result in results {
      let error = #expect(throws: FireflyError.self) { try result.get() }
      #expect(error?.what == "the ranks do not have the same learning_rate" && error?.place == "rank 2")
    }
    #expect(!FileManager.default.fileExists(atPath: tiny.path + "/out"))
  }

  @Test func aPlanForRanksDividesTheOptimizer() throws {
    let trainer = Trainer(config: try tiny.config())
    let (one, four) = (try trainer.plan(), try trainer.plan(ranks: 4))
    let optimizer = { (plan: RunPlan) in plan.memory.first { $0.part == "optimizer" }?.bytes }
    #expect(optimizer(one) == 8 * one.trainableParameters)
    #expect(optimizer(four) == 2 * one.trainableParameters)
    #expect(one.wireBytes == 0 && four.wireBytes >= 6 * one.trainableParameters)
    #expect(four.summary.contains { $0.hasPrefix("ranks: 4, which share the 4 rows of a step; each sends") })
    #expect(!one.summary.contains { $0.hasPrefix("ranks:") })
  }

  @Test func aRankOnEachMemoryNodeIsAdvisedWhereItPays() {
    func line(nodes: Int = 2, units: Int = 8, limit: Int? = 100) -> String? {
      NodeAdvice(nodes: nodes, ranks: 2, units: units, needed: 50, limit: limit).line
    }
    #expect(line()?.contains("mpirun -n 4 ") == true && line(limit: nil) != nil)
    #expect(line(nodes: 1) == nil && line(units: 3) == nil && line(limit: 99) == nil)
  }
}
