import FireflyDoubles
import FireflyBase
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyTestSupport
import FireflyText
import FireflyTraining
import Foundation
import Testing

@Suite struct EvaluationDuringTrainingTests {
  private let tiny: TinyRun
  /// Dropout on, evaluation and checkpoint after steps 2, 4, 6; held-out rows in `held.jsonl`.
  private let settings: [String: JSONValue]

  init() throws {
    tiny = try TinyRun()
    let held = tiny.path + "/held.jsonl"
    try tiny.write(TinyRun.lines(17).split(separator: "\n").suffix(5).joined(separator: "\n"), to: held)
    settings = [
      "eval_file": .string(held), "eval_strategy": .string("steps"), "eval_steps": .int(2),
      "save_steps": .int(2), "per_device_eval_batch_size": .int(2),
    ]
  }

  private func config(_ output: String, _ changes: [String: JSONValue] = [:]) throws -> RunConfig {
    try tiny.config(output, settings.merging(changes) { $1 })
  }

  /// trainer_state.json without what depends on the clock.
  private func state(_ folder: String) throws -> JSONValue {
    guard case .object(var state) = try tiny.json("\(folder)/trainer_state.json") else { return .null }
    state["log_history"] = .array(
      state["log_history"]?.array?.map { entry in
        .object((entry.object ?? [:]).filter { !$0.key.contains("runtime") && !$0.key.contains("second") })
      } ?? [])
    return .object(state)
  }

  private func evaluations(_ folder: String) throws -> [JSONValue] {
    try tiny.json("\(folder)/trainer_state.json")["log_history"]?.array?.filter { $0["eval_loss"] != nil }
      ?? []
  }

  /// The loss of the held-out rows, one at a time, with the adapter of `folder`.
  private func heldOutLoss(_ folder: String) throws -> LossSum {
    let pretrained = try Pretrained.open(tiny.model)
    let model = try pretrained.load(
      Pretrained.Options(
        compute: .float32, quantization: .nf4(double: true), adapter: "\(tiny.path)/\(folder)"))
    let rows = try Dataset.load(
      tiny.path + "/held.jsonl", template: .named("firefly"), tokenizer: pretrained.tokenizer, maxLength: 64)
    var total = LossSum()
    for sample in rows.samples {
      let starts = [0, Int32(sample.tokens.count)]
      total += model.loss(tokens: sample.tokens, labels: sample.labels, starts: starts).total
    }
    return total
  }

  @Test func trainingIsTheSameWithAndWithout() throws {
    _ = try Trainer(config: config("with", ["eval_on_start": .bool(true), "eval_steps": .int(1)])).run()
    _ = try Trainer(config: config("without", ["eval_strategy": .string("no")])).run()
    for name in ["adapter_model.safetensors", "optimizer.safetensors"] {
      #expect(
        try tiny.folder.data("with/checkpoint-6/\(name)")
          == tiny.folder.data("without/checkpoint-6/\(name)"), "\(name)")
    }
    func losses(_ folder: String) throws -> [Double] {
      try tiny.json("\(folder)/trainer_state.json")["log_history"]?.array?.compactMap { $0["loss"]?.double }
        ?? []
    }
    #expect(try losses("with") == losses("without"))
    #expect(try evaluations("with").map { $0["step"]?.int } == [0, 1, 2, 3, 4, 5, 6])
  }

  @Test func theLossIsThatOfTheHeldOutRows() throws {
    var events: [EvaluationEntry] = []
    _ = try Trainer(config: config("out")).run { if case .evaluated(let entry) = $0 { events.append(entry) } }
    let entries = try evaluations("out")
    #expect(entries.map { $0["step"]?.int } == [2, 4, 6])
    #expect(events.map(\.step) == [2, 4, 6] && events.allSatisfy { $0.rows == 5 && $0.batches == 3 })
    for entry in entries {
      let loss = try #require(entry["eval_loss"]?.double)
      let expected = try heldOutLoss("out/checkpoint-\(entry["step"]?.int ?? 0)").mean
      #expect(abs(loss - expected) <= 1e-5 * expected)
      #expect(abs((entry["eval_perplexity"]?.double ?? 0) - exp(loss)) <= 1e-12 * exp(loss))
      #expect((0...1).contains(entry["eval_token_accuracy"]?.double ?? -1))
    }
    let log = String(decoding: try tiny.folder.data("out/train.log"), as: UTF8.self)
    #expect(log.contains("step 4/6") && log.contains("eval_loss"))
    let runs = try tiny.folder.names("out/runs")
    let files = try tiny.folder.names("out/runs/\(runs[0])")
    let bytes = try tiny.folder.data("out/runs/\(runs[0])/\(files[0])")
    for tag in ["eval/loss", "eval/token_accuracy", "eval/runtime"] {
      #expect(bytes.range(of: Data(tag.utf8)) != nil, "\(tag)")
    }
  }

  /// The loss falls, so that the greatest is the first.
  @Test func theBestCheckpointIsKeptAndLoaded() throws {
    let best: [String: JSONValue] = [
      "load_best_model_at_end": .bool(true), "metric_for_best_model": .string("loss"),
      "greater_is_better": .bool(true), "save_total_limit": .int(1),
    ]
    let result = try Trainer(config: config("out", best)).run()
    let path = tiny.path + "/out"
    #expect(result.best?.step == 2 && result.best?.metric == .loss)
    #expect(CheckpointFolder.complete(in: path).map(\.step) == [2, 6])
    let state = try tiny.json("out/trainer_state.json")
    #expect(state["best_model_checkpoint"]?.string == path + "/checkpoint-2")
    #expect(state["best_global_step"]?.int == 2)
    #expect(state["best_metric"] == (try evaluations("out").first?["eval_loss"]))
    let file = "adapter_model.safetensors"
    #expect(try tiny.folder.data("out/\(file)") == tiny.folder.data("out/checkpoint-2/\(file)"))
    #expect(try tiny.folder.data("out/\(file)") != tiny.folder.data("out/checkpoint-6/\(file)"))
  }

  /// Of falling losses the first is the greatest, and no later one is better; each is less than those before it.
  @Test func checkpointsOfTheBestAlone() throws {
    func saved(_ output: String, greater: Bool) throws -> [Int] {
      let best: [String: JSONValue] = [
        "save_strategy": .string("best"), "metric_for_best_model": .string("loss"),
        "greater_is_better": .bool(greater),
      ]
      _ = try Trainer(config: config(output, best)).run()
      return CheckpointFolder.complete(in: tiny.path + "/" + output).map(\.step)
    }
    #expect(try saved("first", greater: true) == [2])
    let losses = try evaluations("first").compactMap { $0["eval_loss"]?.double }
    #expect(losses == losses.sorted(by: >))
    #expect(try saved("each", greater: false) == [2, 4, 6])
    let error = thrownError { _ = try config("none", ["save_strategy": .string("best")]) }
    #expect(error?.what == "\"save_strategy\": \"best\" needs evaluations and a metric to go by")
  }

  @Test func byDefaultTheLeastLossIsTheBest() throws {
    _ = try Trainer(config: config("out", ["load_best_model_at_end": .bool(true), "eval_delay": .int(4)]))
      .run()
    let losses = try evaluations("out").compactMap { $0["eval_loss"]?.double }
    #expect(losses.count == 2)
    #expect(try tiny.json("out/trainer_state.json")["best_metric"]?.double == losses.min())
  }

  private func run(
    _ config: RunConfig, resume: Resume, stopWhen: @escaping (TrainingEvent) -> Bool = { _ in false }
  ) throws -> TrainingResult {
    var config = config
    config.resume = resume
    let stop = StopRequest()
    return try Trainer(config: config).run(stop: stop) { if stopWhen($0) { stop.stop() } }
  }

  @Test func aResumedRunHasTheSameEvaluations() throws {
    let best: [String: JSONValue] = [
      "load_best_model_at_end": .bool(true), "greater_is_better": .bool(true), "save_total_limit": .int(2),
    ]
    _ = try run(config("whole", best), resume: .fresh)
    let first = try run(config("parts", best), resume: .fresh) {
      if case .step(let report) = $0 { report.step == 3 } else { false }
    }
    #expect(first.outcome == .stopped(checkpoint: tiny.path + "/parts/checkpoint-3"))
    _ = try run(config("parts", best), resume: .latest)
    let whole = try state("whole/checkpoint-6").text().replacing("/whole/", with: "/parts/")
    #expect(try state("parts/checkpoint-6").text() == whole)
    #expect(whole.contains("\"best_global_step\": 2"))
    let file = "adapter_model.safetensors"
    #expect(try tiny.folder.data("whole/\(file)") == tiny.folder.data("parts/\(file)"))
    #expect(CheckpointFolder.complete(in: tiny.path + "/parts").map(\.step) == [2, 6])
  }

  @Test func anEvaluationBrokenOffIsDoneLater() throws {
    let stopped = try run(config("parts"), resume: .fresh) {
      if case .evaluating = $0 { true } else { false }
    }
    #expect(stopped.outcome == .stopped(checkpoint: tiny.path + "/parts/checkpoint-2"))
    #expect(try evaluations("parts/checkpoint-2").isEmpty)
    _ = try run(config("parts"), resume: .latest)
    #expect(try evaluations("parts").map { $0["step"]?.int } == [2, 4, 6])
    _ = try run(config("whole"), resume: .fresh)
    #expect(try evaluations("parts").map { $0["eval_loss"] } == evaluations("whole").map { $0["eval_loss"] })
  }

  @Test func epochsAndTheOldName() throws {
    // 12 rows in steps of 4: an epoch has 3 steps.
    let changes: [String: JSONValue] = ["eval_strategy": .null, "evaluation_strategy": .string("epoch")]
    _ = try Trainer(config: config("out", changes)).run()
    #expect(try evaluations("out").map { $0["step"]?.int } == [3, 6])
  }

  @Test func withoutEvalStepsItIsLoggingSteps() throws {
    let config = try config("out", ["eval_steps": .null, "logging_steps": .int(3)])
    #expect(config.evaluation?.every == .steps(3))
  }

  private static let refused: [(changes: [String: JSONValue], what: String)] = [
    (["eval_file": .string("")], "\"eval_file\" is missing"),
    (
      ["evaluation_strategy": .string("epoch")], "\"eval_strategy\" and \"evaluation_strategy\" differ"
    ),
    (["metric_for_best_model": .string("bleu")], "\"metric_for_best_model\" has a wrong value"),
    (
      ["load_best_model_at_end": .bool(true), "save_steps": .int(3)],
      "\"load_best_model_at_end\" needs checkpoints where there are evaluations"
    ),
    (
      ["load_best_model_at_end": .bool(true), "save_strategy": .string("epoch")],
      "\"load_best_model_at_end\" needs checkpoints where there are evaluations"
    ),
    (
      ["load_best_model_at_end": .bool(true), "eval_strategy": .string("no")],
      "\"load_best_model_at_end\" needs evaluations"
    ),
    (["per_device_eval_batch_size": .int(0)], "\"per_device_eval_batch_size\" has a wrong value"),
  ]

  @Test(arguments: refused)
  func refusesWhatCannotBe(_ changes: [String: JSONValue], _ what: String) {
    let error = #expect(throws: FireflyError.self) { try config("out", changes) }
    #expect(error?.what == what)
  }

  @Test func saysThatAFileIsNotUsed() throws {
    let config = try config("out", ["eval_strategy": .string("no")])
    #expect(config.evaluation == nil)
    #expect(
      config.notices == ["there is no evaluation during training: \"eval_strategy\" is \"no\""])
  }

  @Test func aBadRowIsFoundBeforeTheFirstStep() throws {
    try tiny.write("{\"conversation\": 1}\n", to: tiny.path + "/held.jsonl")
    let error = #expect(throws: FireflyError.self) { try Trainer(config: config("out")).run() }
    #expect(error?.place?.hasPrefix(tiny.path + "/held.jsonl:1") == true)
    #expect(try !tiny.folder.names().contains("out"))
  }
}
