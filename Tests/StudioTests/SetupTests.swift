import FireflyBase
import FireflyTestSupport
import FireflyTraining
import Foundation
import Testing

/// What is chosen before a run: model, rows, settings, plan.
@Suite struct SetupTests {
  @Test func modelsOfTheFolderAreOffered() throws {
    let bench = try StudioBench()
    let names = try bench.answer("models")["folder"]?.array?.map { $0["name"]?.string }
    #expect(names == [bench.model])
  }

  @Test func everyKeyThatIsOfferedHasAMeaning() throws {
    let choices = try StudioBench().answer("start-choices")
    let offered = choices["settings"]?.array?.flatMap { $0["keys"]?.array ?? [] } ?? []
    #expect(offered.count > 20)
    for key in offered.compactMap({ $0["key"]?.string }) {
      for language in ["en", "zh"] {
        #expect(choices["keys"]?[key]?[language]?.string?.isEmpty == false, "\(key), \(language)")
      }
    }
    #expect(choices["words"]?["train_mode"]?.array?.contains(.string("qlora")) == true)
    #expect(choices["keys"]?["lora_rank"]?["default"]?.int == 64)
  }

  @Test func theBrowserShowsTheFolderAndNothingOutside() throws {
    let bench = try StudioBench()
    let root = try bench.answer("browse")
    #expect(root["path"] == .string(bench.path))
    #expect(root["entries"]?.array?.map { $0["name"]?.string } == ["model", "rows.jsonl"])
    let inner = try bench.answer("browse", ["folder": .string("model")])
    #expect(inner["entries"]?.array?.contains { $0["path"] == .string(bench.model + "/config.json") } == true)
    try FileManager.default.createSymbolicLink(atPath: bench.path + "/way-out", withDestinationPath: "/etc")
    for folder in ["..", "model/../..", "/etc", "way-out"] {
      let reply = try bench.ask("browse", ["folder": .string(folder)])
      #expect(reply.status == 403, "\(folder)")
      #expect(try reply.code() == "outside_folder")
    }
  }

  @Test func theReaderOfConfigurationsJudges() throws {
    let bench = try StudioBench()
    let good = try bench.answer("check", ["config": bench.config("out")])
    let text = try #require(good["text"]?.string)
    let config = try RunConfig(JSONValue.parse(text, source: "text"), source: "text")
    #expect(config.outputFolder == bench.path + "/out" && config.maxSteps == 6)
    let bad = try bench.ask("check", ["config": bench.config("out", ["lora_rnak": .int(4)])])
    #expect(bad.status == 400 && bad.text.contains("lora_rank"))
  }

  @Test func thePreviewMarksWhatIsLearnt() throws {
    let bench = try StudioBench()
    let all = try bench.answer(
      "preview", ["config": bench.config("out"), "first": .int(2), "count": .int(1)])
    #expect(all["kept"]?.int == 12 && all["read"]?.int == 12 && all["total"]?.int == 12)
    let rows = try #require(all["rows"]?.array)
    #expect(rows.count == 1)
    let pieces = try #require(rows[0]["pieces"]?.array)
    #expect(rows[0]["place"] == .string(bench.rows + ":3"))
    let learnt = pieces.filter { $0["target"] == .bool(true) }.compactMap { $0["text"]?.string }.joined()
    let given = pieces.filter { $0["target"] == .bool(false) }.compactMap { $0["text"]?.string }.joined()
    #expect(learnt.contains("2!") && !learnt.contains("say"))
    #expect(given.contains("say 2"))
    #expect(all["summary"]?.array?.first?.string?.contains("12 of 12 rows") == true)
    // Rows that keep no target are dropped, and the page is told why.
    let short = try bench.ask("preview", ["config": bench.config("out", ["max_seq_length": .int(2)])])
    #expect(short.status == 400 && short.text.contains("no row is left to train on"))
    let missing = try bench.ask(
      "preview", ["config": bench.config("out", ["train_file": .string("/none.jsonl")])])
    #expect(missing.status == 400 && missing.text.contains("/none.jsonl"))
  }

  @Test func thePlanIsThatOfThePlanCommand() throws {
    let bench = try StudioBench()
    let plan = try bench.answer("plan", ["config": bench.config("out")])
    let own = try Trainer(
      config: RunConfig(bench.config("out"), source: "test")
    ).plan()
    #expect(plan["steps"]?.int == 6)
    #expect(plan["trainable_parameters"]?.int == own.trainableParameters)
    #expect(plan["checkpoint_bytes"]?.int == own.checkpointBytes)
    #expect(plan["parts"]?.array?.count == own.memory.count)
    #expect((plan["seconds"]?.double ?? 0) > 0)
    #expect(!FileManager.default.fileExists(atPath: bench.path + "/out"))
    let tight = try bench.answer("plan", ["config": bench.config("out", ["memory_limit": .string("1MiB")])])
    #expect(tight["fits"] == .bool(false))
  }
}
