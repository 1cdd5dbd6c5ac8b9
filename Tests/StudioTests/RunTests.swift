import FireflyBase
import FireflyTestSupport
import FireflyTraining
import Foundation
import Testing

/// Runs from their start to what is made of them.
@Suite(.serialized) struct RunTests {
  private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  @Test func aRunGoesToItsEnd() throws {
    let bench = try StudioBench()
    let started = try bench.start("one").json()
    #expect(started["state"] == .string("running"))
    #expect(started["command"] == .string("firefly train \(bench.path)/studio/one/config.json"))
    // What the command line would read.
    let config = try RunConfig(file: bench.path + "/studio/one/config.json")
    #expect(config.outputFolder == bench.path + "/one" && config.loraRank == 4)
    let end = try bench.waits(for: "one", toBe: "finished")
    #expect(end["step"]?.int == 6 && end["total_steps"]?.int == 6)
    #expect(end["error"] == nil && end["pid"] == nil)
    let log = try #require(end["data"]?["log"]?.array)
    #expect(log.compactMap { $0["step"]?.int } == Array(1...6))
    #expect(end["settings"]?["lora_rank"]?.int == 4)
    #expect(end["log"]?.string?.contains("6 steps, train_loss") == true)
    #expect(exists(bench.path + "/one/adapter_model.safetensors"))
  }

  @Test func aRunIsStoppedAndGoesOn() throws {
    let bench = try StudioBench()
    _ = try bench.start("long", ["max_steps": .int(100_000)])
    let first = try bench.waits(for: "long") { ($0["step"]?.int ?? 0) >= 2 }
    #expect(first["state"] == .string("running"))
    // The next studio finds the process, also when nothing but the folder tells of it.
    try bench.restart()
    let found = try bench.answer("run", ["run": .string("long")])
    #expect(found["state"] == .string("running") && found["pid"] == first["pid"])
    try FileManager.default.removeItem(atPath: bench.path + "/studio/long/process.json")
    #expect(try bench.answer("run", ["run": .string("long")])["pid"] == first["pid"])
    // No second run into its folder, nor over its configuration.
    for name in ["long", "other"] {
      let twice = try bench.ask(
        "start", ["name": .string(name), "config": bench.config("long"), "replace": .bool(true)])
      #expect(twice.status == 409, "\(name)")
      #expect(try twice.code() == "running")
    }
    let stopping = try bench.answer("stop", ["run": .string("long")])
    #expect(stopping["stopping"] == .bool(true))
    let stopped = try bench.waits(for: "long", toBe: "stopped")
    let step = try #require(stopped["checkpoints"]?.array?.last?["step"]?.int)
    #expect(step >= 2)
    #expect(try bench.ask("stop", ["run": .string("long")]).code() == "not_running")
    // It goes on with the same settings, from its checkpoint.
    #expect(try bench.answer("resume", ["run": .string("long")])["state"] == .string("running"))
    let later = try bench.waits(for: "long") { ($0["step"]?.int ?? 0) > step }
    #expect(later["pid"] != first["pid"])
    let log = try String(contentsOfFile: bench.path + "/studio/long/output.log", encoding: .utf8)
    #expect(log.contains("stopped after step \(step); saved"))
    _ = try bench.answer("stop", ["run": .string("long")])
    _ = try bench.waits(for: "long", toBe: "stopped")
  }

  @Test func aRunThatWasStartedElsewhereGoesOnHere() throws {
    let bench = try StudioBench()
    let output = bench.path + "/my run"
    var config = try RunConfig(
      bench.config("my run", ["max_steps": .int(4), "save_steps": .int(2)]), source: "test")
    config.saveLimit = nil
    let stop = StopRequest()
    _ = try Trainer(config: config).run(stop: stop) { event in
      if case .step(let report) = event, report.step == 2 { stop.stop() }
    }
    let list = try bench.answer("runs")["runs"]?.array
    #expect(list?.map { $0["id"]?.string } == [output])
    #expect(list?.first?["state"] == .string("stopped"))
    #expect(try bench.answer("resume", ["run": .string(output)])["id"] == .string("my-run"))
    let end = try bench.waits(for: output, toBe: "finished")
    #expect(end["data"]?["log"]?.array?.compactMap { $0["step"]?.int } == [1, 2, 3, 4])
    #expect(try bench.answer("runs")["runs"]?.array?.map { $0["id"]?.string } == ["my-run"])
  }

  @Test func nothingIsOverwrittenUnasked() throws {
    let bench = try StudioBench()
    #expect(try bench.start("one").status == 200)
    _ = try bench.waits(for: "one", toBe: "finished")
    let again = try bench.start("one", ["learning_rate": .double(0.02)])
    #expect(again.status == 409)
    #expect(try again.code() == "exists")
    #expect(again.text.contains("studio/one/config.json") && again.text.contains(bench.path + "/one"))
    #expect(try RunConfig(file: bench.path + "/studio/one/config.json").learningRate == 0.01)
    #expect(try bench.start("one", ["learning_rate": .double(0.02)], replace: true).status == 200)
    _ = try bench.waits(for: "one") { $0["state"] != .string("running") }
    #expect(try RunConfig(file: bench.path + "/studio/one/config.json").learningRate == 0.02)
    for name in ["", "../up", "a/b", ".hidden"] {
      let reply = try bench.ask("start", ["name": .string(name), "config": bench.config("new")])
      #expect(reply.status == 400, "\(name)")
    }
    #expect(!exists(bench.path + "/new"))
  }

  @Test func aRunThatFailsSaysWhy() throws {
    let bench = try StudioBench()
    #expect(try bench.start("poor", ["memory_limit": .string("1MiB")]).status == 200)
    let end = try bench.waits(for: "poor", toBe: "failed")
    #expect(end["error"]?.string?.contains("the run does not fit into memory") == true)
    #expect(try bench.start("wrong", ["lora_rnak": .int(1)]).text.contains("lora_rank"))
    #expect(!exists(bench.path + "/studio/wrong"))
  }

  @Test func runsAreComparedAndTheirResultsUsed() throws {
    let bench = try StudioBench()
    _ = try bench.start("one")
    _ = try bench.start("two", ["lora_rank": .int(8), "max_steps": .int(3)])
    _ = try bench.waits(for: "one", toBe: "finished")
    _ = try bench.waits(for: "two", toBe: "finished")
    let list = try bench.answer("runs")["runs"]?.array?.map { $0["id"]?.string }
    #expect(list == ["one", "two"])
    let both = try bench.answer("compare", ["runs": .array([.string("one"), .string(bench.path + "/two")])])
    let logs = both["runs"]?.array?.map { $0["data"]?["log"]?.array?.count }
    #expect(logs == [6, 3])
    let keys = both["differences"]?.array?.map { $0["key"]?.string }
    #expect(keys == ["lora_rank", "max_steps", "output_dir"])
    #expect(try bench.ask("compare", ["runs": .array([.string("one")])]).status == 400)

    let out = bench.path + "/merged"
    let merge: [String: JSONValue] = [
      "kind": .string("merge"), "model": .string(bench.model), "adapter": .string(bench.path + "/one"),
      "out": .string(out), "onto": .string("original"),
    ]
    let told = try bench.answer("convert", merge.merging(["dry": .bool(true)]) { $1 })
    #expect(told["out"] == .string(out))
    #expect(
      told["command"]
        == .string(
          "firefly merge \(bench.model) \(bench.path)/one \(out) --onto original --no-probe"))
    #expect(!exists(out))
    _ = try bench.answer("convert", merge)
    #expect(try ended(bench)["state"] == .string("finished"))
    #expect(exists(out + "/model.safetensors"))
    _ = try bench.answer("convert", merge)
    let refused = try ended(bench)
    #expect(refused["state"] == .string("failed"))
    #expect(refused["log"]?.string?.contains("there is something already") == true)
  }

  /// The newest conversion, when it has ended.
  private func ended(_ bench: StudioBench) throws -> JSONValue {
    let end = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < end {
      let job = try #require(try bench.answer("conversions")["jobs"]?.array?.last)
      if job["state"] != .string("running") { return job }
    }
    throw FireflyError("the conversion did not end")
  }
}
