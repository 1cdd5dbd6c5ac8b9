import FireflyBase
import FireflyServer
import Foundation
import Testing

/// The page of a training run, from the files that the run leaves as it goes.
@Suite struct RunPageTests {
  private static func inFolder(_ files: [String: String], _ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "firefly-run-\(UUID().uuidString)"
    try AtomicFile.makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for (name, text) in files { try AtomicFile.write(Data(text.utf8), to: "\(folder)/\(name)") }
    try body(folder)
  }

  @Test func aRunIsShownAsFarAsItIs() throws {
    let progress = """
      {"step": 1, "total_steps": 4, "loss": 2.5}
      {"step": 2, "total_steps": 4, "eval_loss": 2.25}
      {"step": 2, "total_steps": 4, "loss": "NaN"}
      {"step": 3, "total_st
      """
    let samples = #"{"step": 2, "prompt": "<b>1 + 1</b>", "answer": "二"}"# + "\n"
    try RunPageTests.inFolder(["progress.jsonl": progress, "samples.jsonl": samples]) { folder in
      let server = try TestServer.scripted("x") { $0.runFolder = folder }
      let run = try server.client.get("/run/data").json()
      #expect(run["log"]?.array?.map { $0["step"]?.int } == [1, 2, 2])
      #expect(run["log"]?.array?[2]["loss"]?.string == "NaN")
      #expect(run["finished"]?.bool == false)
      #expect(run["total_steps"]?.int == 4)
      #expect(run["samples"]?.array?.first?["prompt"]?.string == "<b>1 + 1</b>")
      #expect(try server.client.get("/run").text.hasPrefix("<!DOCTYPE html>"))
    }
  }

  @Test func aLongLogIsThinnedButKeepsItsEndAndEvaluations() throws {
    var lines = (1...10_000).map { #"{"step": \#($0), "total_steps": 10000, "loss": 1}"# }
    lines.insert(#"{"step": 5001, "total_steps": 10000, "eval_loss": 1}"#, at: 5001)
    lines.append(#"{"step": 10000, "finished": true}"#)
    lines.insert("not JSON", at: 10_000)
    try RunPageTests.inFolder(["progress.jsonl": lines.joined(separator: "\n") + "\n"]) { folder in
      let server = try TestServer.scripted("x") { $0.runFolder = folder }
      let run = try server.client.get("/run/data").json()
      let log = try #require(run["log"]?.array)
      #expect(log.count <= 3500 && log.last?["step"]?.int == 10_000)
      #expect(log.contains { $0["eval_loss"] != nil })
      #expect(run["finished"]?.bool == true)
    }
  }

  @Test func withoutARunThereIsNone() throws {
    let server = try TestServer.scripted("x")
    #expect(try server.client.get("/run/data").json()["error"]?["code"]?.string == "not_found")
    let empty = try TestServer.scripted("x") { $0.runFolder = "/nonexistent" }
    let reply = try empty.client.get("/run/data")
    #expect(reply.status == 404)
    #expect(try reply.json()["error"]?["code"]?.string == "no_run")
  }

  @Test func theNumbersNeedTheKey() throws {
    let server = try TestServer.scripted("x") { $0.apiKeys = ["secret"] }
    #expect(try server.client.get("/run").status == 200)
    #expect(try server.client.get("/run/data").status == 401)
  }

  /// What the run was told, and, once it has ended, its figures.
  @Test func aRunSaysWhatItIs() throws {
    let arguments =
      #"{"model_name_or_path": "m.gguf", "train_file": ["a.jsonl", {"file": "b.jsonl", "share": 1}]}"#
    var files = [
      "progress.jsonl": #"{"step": 1, "total_steps": 1, "loss": 2.5}"# + "\n", "train_args.json": arguments,
      "train_results.json": #"{"train_runtime": 60, "peak_memory_bytes": 1048576}"#,
    ]
    func run() throws -> JSONValue {
      var data = JSONValue.null
      try RunPageTests.inFolder(files) { folder in
        let server = try TestServer.scripted("x") { $0.runFolder = folder }
        data = try server.client.get("/run/data").json()
      }
      return data
    }
    let running = try run()
    #expect(running["model"]?.string == "m.gguf")
    #expect(running["data"]?.array?.compactMap(\.string) == ["a.jsonl", "b.jsonl"])
    #expect(running["results"] == nil)  // those of an earlier run in the folder
    files["progress.jsonl"]? += #"{"step": 1, "finished": true}"# + "\n"
    #expect(try run()["results"]?["train_runtime"]?.int == 60)
  }
}
