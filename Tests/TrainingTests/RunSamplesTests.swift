import FireflyDoubles
import FireflyBase
import FireflyTestSupport
import FireflyTraining
import Foundation
import Testing

/// progress.jsonl and samples.jsonl: what one can watch of a run.
@Suite struct RunSamplesTests {
  private let samples: [String: JSONValue] = [
    "sample_prompts": .array([.string("say 1"), .string("说 2")]), "sample_steps": .int(2),
    "sample_max_new_tokens": .int(5),
  ]

  private func lines(_ tiny: TinyRun, _ name: String) throws -> [JSONValue] {
    try String(contentsOfFile: "\(tiny.path)/\(name)", encoding: .utf8).split(separator: "\n")
      .map { try JSONValue.parse(String($0), source: name) }
  }

  @Test func answersAndNumbersAreThereForEachStepAskedFor() throws {
    let tiny = try TinyRun()
    _ = try Trainer(config: tiny.config("out", samples)).run()
    let answers = try lines(tiny, "out/samples.jsonl")
    #expect(answers.map { $0["step"]?.int } == [0, 0, 2, 2, 4, 4, 6, 6])
    #expect(
      answers.map { $0["prompt"]?.string } == Array(repeating: ["say 1", "说 2"], count: 4).flatMap { $0 })
    #expect(answers.allSatisfy { $0["answer"]?.string != nil })

    let progress = try lines(tiny, "out/progress.jsonl")
    #expect(progress.map { $0["step"]?.int } == [1, 2, 3, 4, 5, 6, 6])
    #expect(progress.dropLast().allSatisfy { ($0["tokens_per_second"]?.double ?? 0) > 0 })
    #expect(progress[5]["seconds_left"]?.double == 0)
    #expect(progress.last?["finished"]?.bool == true)
    let log = try tiny.json("out/trainer_state.json")["log_history"]?.array ?? []
    #expect(progress.compactMap { $0["loss"]?.double } == log.compactMap { $0["loss"]?.double })
  }

  @Test func trainingIsTheSameWithAndWithout() throws {
    let tiny = try TinyRun()
    _ = try Trainer(config: tiny.config("with", samples)).run()
    _ = try Trainer(config: tiny.config("without")).run()
    let weights = try ["with", "without"].map {
      try tiny.folder.data("\($0)/adapter_model.safetensors")
    }
    #expect(weights[0] == weights[1])
    #expect(try lines(tiny, "without/samples.jsonl").isEmpty)
  }

  @Test func aResumedRunGoesOnWhereItsCheckpointStood() throws {
    let tiny = try TinyRun()
    let save = samples.merging(["save_steps": .int(4)]) { $1 }
    _ = try Trainer(config: tiny.config("out", save)).run()
    let whole = try lines(tiny, "out/samples.jsonl")
    var config = try tiny.config("out", save)
    config.resume = .checkpoint("\(tiny.path)/out/checkpoint-4")
    _ = try Trainer(config: config).run()
    #expect(try lines(tiny, "out/samples.jsonl") == whole)
    #expect(try lines(tiny, "out/progress.jsonl").map { $0["step"]?.int } == [1, 2, 3, 4, 5, 6, 6])
  }

  @Test(arguments: [JSONValue.string("say 1"), .array([.int(1)])])
  func promptsMustBeAListOfTexts(_ value: JSONValue) throws {
    let tiny = try TinyRun()
    let error = #expect(throws: FireflyError.self) { try tiny.config("out", ["sample_prompts": value]) }
    #expect(error?.description.contains("sample_prompts") == true)
  }
}
