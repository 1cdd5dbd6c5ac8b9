import FireflyBase
import FireflyDoubles
import FireflyTestSupport
import FireflyTraining
import Foundation
import Testing

/// What is said of a run before its rows are read, and before it starts.
@Suite struct RunRemarkTests {
  private static func remarks(_ changes: [String: JSONValue]) throws -> [String] {
    let tiny = try TinyRun()
    // TinyRun's save_steps is beyond its run.
    let settings = ["save_steps": JSONValue.null].merging(changes) { $1 }
    return try Trainer(config: tiny.config("out", settings)).plan().notices
  }

  @Test func aUsualRunHasNone() throws { #expect(try Self.remarks([:]) == []) }

  /// The run has 6 steps, two an epoch.
  @Test(arguments: [
    (
      ["warmup_steps": JSONValue.int(6)],
      "the warm-up takes 6 steps and the run has 6 steps: learning_rate is never reached"
    ),
    (["learning_rate": .int(0)], "\"learning_rate\" is 0: nothing is learnt"),
    (["max_grad_norm": .int(0)], "\"max_grad_norm\" is 0: gradients are not clipped"),
    (["logging_steps": .int(7)], "\"logging_steps\" is 7 and the run has 6 steps: no loss is logged"),
    (
      ["save_strategy": .string("steps"), "save_steps": .int(7)],
      "\"save_steps\" is 7 and the run has 6 steps: the one checkpoint is that of the end"
    ),
    (["num_train_epochs": .int(1)], "\"num_train_epochs\" is ignored: \"max_steps\" is given"),
    (
      ["eval_strategy": .string("epoch"), "eval_delay": .int(9), "val_size": .int(2)],
      "the run has 6 steps, which end before the first evaluation: there is none at all"
    ),
    (
      [
        "eval_strategy": .string("steps"), "eval_steps": .int(2), "val_size": .int(2), "eval_delay": .int(9),
        "eval_on_start": .bool(true),
      ],
      "the run has 6 steps, which end before the first evaluation: there is none but for the one before the first step"
    ),
    (
      ["sample_prompts": .array([.string("a")]), "sample_steps": .int(9)],
      "\"sample_steps\" is 9 and the run has 6 steps: prompts are answered before the first step and after the last"
    ),
    (
      ["warmup_steps": .int(2), "warmup_ratio": .double(0.1)],
      "\"warmup_ratio\" is ignored: \"warmup_steps\" is given too"
    ),
  ])
  func whatIsRarelyMeantIsTold(_ changes: [String: JSONValue], _ told: String) throws {
    #expect(try Self.remarks(changes) == [told])
  }

  /// Reading rows may take minutes.
  @Test func theOutputFolderIsCheckedBeforeTheRows() throws {
    let tiny = try TinyRun()
    let missing: [String: JSONValue] = ["train_file": .string("\(tiny.path)/no such rows.jsonl")]
    func error(_ output: String, _ changes: [String: JSONValue] = [:]) -> FireflyError? {
      thrownError { _ = try Trainer(config: tiny.config(output, missing.merging(changes) { $1 })).plan() }
    }
    #expect(error("new/folder")?.place?.contains("no such rows") == true)

    try tiny.write("text", to: tiny.path + "/file")
    #expect(error("file")?.what == "output_dir cannot be written to: not a folder")
    #expect(error("file/within")?.what == "output_dir cannot be written to: not a folder")
    #expect(error("model")?.what == "output_dir is the model's folder")

    _ = try Trainer(config: tiny.config("done", ["max_steps": .int(1), "save_strategy": .string("steps")]))
      .run()
    #expect(error("done")?.what == "output_dir holds checkpoint-1 of an earlier run")
    #expect(error("done", ["overwrite_output_dir": .bool(true)])?.place?.contains("no such rows") == true)
  }

  @Test func anEarlierResultThatIsReplacedIsTold() throws {
    let tiny = try TinyRun()
    let config = try tiny.config(
      "done", ["max_steps": .int(1), "save_strategy": .string("no"), "save_steps": .null])
    _ = try Trainer(config: config).run()
    let told = try Trainer(config: config).plan().notices
    #expect(told.contains("output_dir holds the result of an earlier run, which this one replaces"))
  }
}
