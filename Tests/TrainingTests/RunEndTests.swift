import FireflyDoubles
import FireflyBase
import FireflyTestSupport
import FireflyTraining
import Foundation
import Testing

/// Runs that end otherwise than at their last step, and those that do not begin.
@Suite struct RunEndTests {
  private static let evaluated: [String: JSONValue] = [
    "val_size": .int(4), "eval_strategy": .string("steps"), "eval_steps": .int(1), "save_steps": .int(1),
    "metric_for_best_model": .string("eval_loss"), "early_stopping_patience": .int(2),
    // No evaluation is better than the one before by so much.
    "early_stopping_threshold": .double(100),
  ]

  private static func resumed(_ config: RunConfig) -> RunConfig {
    var config = config
    config.resume = .latest
    return config
  }

  @Test(arguments: [TrainMode.qlora, .full])
  func patienceEndsARunWithACheckpointAndItsResult(_ mode: TrainMode) throws {
    let tiny = try TinyRun(rows: 16)
    var notices: [String] = []
    let config = try tiny.config(
      "out", Self.evaluated.merging(["train_mode": .string(mode.rawValue)]) { $1 })
    let result = try Trainer(config: config).run {
      if case .notice(let text) = $0 { notices.append(text) }
    }
    #expect(result.outcome == .finished && result.steps == 3)
    #expect(notices.contains("stopped early after step 3 of 6: early_stopping_patience 2"))
    #expect(CheckpointFolder.complete(in: config.outputFolder).last?.step == 3)
    #expect(try tiny.json("out/train_results.json")["step"] == .int(3))
    #expect(
      try tiny.folder.names("out").contains(
        mode == .full ? "model.safetensors" : "adapter_model.safetensors"))
  }

  /// Three steps of patience, then more of it: the same as with more from the beginning.
  @Test func aRunStoppedEarlyGoesOnWithMorePatience() throws {
    let tiny = try TinyRun(rows: 16)
    _ = try Trainer(config: tiny.config("parts", Self.evaluated)).run()
    let patient = Self.evaluated.merging(["early_stopping_patience": .int(4)]) { $1 }
    let second = try Trainer(config: Self.resumed(tiny.config("parts", patient))).run()
    let whole = try Trainer(config: tiny.config("whole", patient)).run()
    #expect(second.steps == 5 && whole.steps == 5 && second.trainLoss == whole.trainLoss)
    #expect(
      try tiny.folder.data("parts/adapter_model.safetensors")
        == tiny.folder.data("whole/adapter_model.safetensors"))
  }

  @Test(arguments: [false, true]) func aFinishedRunKeepsItsRecords(_ early: Bool) throws {
    let tiny = try TinyRun(rows: 16)
    let config = try tiny.config("out", early ? Self.evaluated : ["save_steps": .int(3)])
    let first = try Trainer(config: config).run()
    let names = try tiny.folder.names("out")
    let files = try names.filter { !$0.hasPrefix("checkpoint-") && $0 != "runs" }.map {
      ($0, try tiny.folder.data("out/" + $0))
    }
    let second = try Trainer(config: Self.resumed(config)).run()
    #expect(second.outcome == .alreadyFinished)
    #expect(second.steps == first.steps && second.trainLoss == first.trainLoss)
    #expect(second.sessionTokens == first.sessionTokens && second.flop == first.flop)
    #expect(try tiny.folder.names("out") == names)
    for (name, content) in files { #expect(try tiny.folder.data("out/" + name) == content, "\(name)") }
  }

  /// Killed between its last checkpoint and its results.
  @Test func aRunWithoutItsResultsIsFinished() throws {
    let tiny = try TinyRun()
    let config = try tiny.config("out")
    _ = try Trainer(config: config).run()
    let adapter = try tiny.folder.data("out/adapter_model.safetensors")
    for name in ["adapter_model.safetensors", "train_results.json"] {
      try FileManager.default.removeItem(atPath: "\(tiny.path)/out/\(name)")
    }
    #expect(try Trainer(config: Self.resumed(config)).run().outcome == .finished)
    #expect(try tiny.folder.data("out/adapter_model.safetensors") == adapter)
  }

  @Test func aRunThatDoesNotFitDoesNotBegin() throws {
    let tiny = try TinyRun()
    let config = try tiny.config("out", ["memory_limit": .string("1MiB")])
    let error = thrownError { _ = try Trainer(config: config).run() }
    #expect(error?.what == "the run does not fit into memory" && error?.expected == "at most 1.00 MiB")
    #expect(error?.fix?.contains("\"per_device_train_batch_size\": 1") == true)
    #expect(error?.fix?.hasSuffix("\"memory_limit\": \"none\" starts it all the same.") == true)
    #expect(try !tiny.folder.names().contains("out"))
    let plan = try Trainer(config: config).plan()
    #expect(throws: FireflyError.self) { try plan.requireFit() }
    let forced = try tiny.config("out", ["memory_limit": .string("none"), "max_steps": .int(1)])
    #expect(try Trainer(config: forced).run().steps == 1)
  }

  /// Of what would help, a run that trains all weights is told what only it has.
  @Test func allWeightsThatDoNotFitAreToldOfFiles() throws {
    let tiny = try TinyRun()
    let config = try tiny.config("out", ["memory_limit": .string("1MiB"), "train_mode": .string("full")])
    let fix = thrownError { _ = try Trainer(config: config).run() }?.fix ?? ""
    for key in ["paged_adamw_32bit", "\"master_weights\": \"paged\"", "\"gradient_dtype\": \"bfloat16\""] {
      #expect(fix.contains(key), "\(fix)")
    }
    #expect(try !tiny.folder.names().contains("out"))
  }

  /// Earlier versions left the rows behind the last whole accumulation out, and their fingerprints do not name them.
  @Test func aCheckpointFromBeforeTheShortStepIsRefused() throws {
    let tiny = try TinyRun(rows: 9)
    let config = try tiny.config("out", ["gradient_accumulation_steps": .int(3), "save_steps": .int(2)])
    _ = try Trainer(config: config).run()
    let path = "\(tiny.path)/out/checkpoint-6/resume_state.json"
    guard case .object(var state) = try JSONValue.read(path),
      case .object(var fingerprint)? = state["fingerprint"]
    else { throw FireflyError("no state") }
    #expect(fingerprint.removeValue(forKey: "batches_of_short_step") == .int(2))
    state["fingerprint"] = .object(fingerprint)
    try tiny.write(JSONValue.object(state).text(), to: path)
    let error = thrownError { _ = try Trainer(config: Self.resumed(config)).run() }
    #expect(error?.what.hasPrefix("the checkpoint is of a version that left out the rows") == true)
  }
}
