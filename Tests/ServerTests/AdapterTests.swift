import FireflyBase
import FireflyGeneration
import FireflyModels
import FireflyPretrained
import FireflyServer
import FireflyTestSupport
import Foundation
import Testing

/// Adapters that come and go while the server runs, and other names of models.
@Suite struct AdapterTests {
  private static let prompt = #""prompt": "Tom has 3 apples.", "max_tokens": 8, "temperature": 0"#

  private func answer(_ server: TestServer, _ model: String) throws -> String? {
    let reply = try server.client.post("/v1/completions", #"{"model": "\#(model)", \#(AdapterTests.prompt)}"#)
    return reply.status == 200 ? try reply.json()["choices"]?.array?[0]["text"]?.string : nil
  }

  private func load(_ server: TestServer, _ name: String, _ path: String) throws -> Reply {
    try server.client.post(
      "/v1/load_lora_adapter", #"{"lora_name": "\#(name)", "lora_path": "\#(path)"}"#)
  }

  private func unload(_ server: TestServer, _ name: String) throws -> Reply {
    try server.client.post("/v1/unload_lora_adapter", #"{"lora_name": "\#(name)"}"#)
  }

  private func names(_ server: TestServer) throws -> [String] {
    try server.client.get("/v1/models").json()["data"]?.array?.compactMap { $0["id"]?.string } ?? []
  }

  @Test func anAdapterComesAnswersAndGoes() throws {
    let server = try TestServer.tiny(loadsAdapters: true)
    let (base, tuned) = (try answer(server, "tiny"), try answer(server, "tuned"))
    #expect(base != nil && tuned != nil && base != tuned)
    let loaded = try load(server, "late", TinyModel.adapter)
    #expect(loaded.status == 200 && loaded.text == "Success: LoRA adapter 'late' added successfully.")
    #expect(try names(server) == ["tiny", "tuned", "late"])
    #expect(try answer(server, "late") == tuned)
    #expect(try answer(server, "tiny") == base)
    let list = try server.client.get("/lora-adapters").json().array ?? []
    #expect(list.map { $0["path"]?.string } == [TinyModel.adapter, TinyModel.adapter])
    #expect(list.map { $0["id"]?.int } == [0, 1])
    let gone = try unload(server, "late")
    #expect(gone.status == 200 && gone.text == "Success: LoRA adapter 'late' removed successfully.")
    #expect(try names(server) == ["tiny", "tuned"])
    #expect(try answer(server, "late") == nil)
    // One of those that it began with, and a name that comes back.
    #expect(try unload(server, "tuned").status == 200)
    #expect(try load(server, "tuned", TinyModel.adapter).status == 200)
    #expect(try answer(server, "tuned") == tuned)
  }

  @Test func whatCannotBeLoadedLeavesTheServerAsItWas() throws {
    let server = try TestServer.tiny(loadsAdapters: true)
    let before = (try names(server), try answer(server, "tiny"), try answer(server, "tuned"))
    let folder = try TemporaryFolder()
    try folder.write(Data(#"{"peft_type": "LORA", "r": 4, "lora_alpha": 8}"#.utf8), to: "adapter_config.json")
    for (name, path, status) in [
      ("bad", folder.path, 400), ("none", "/none/adapter", 400), ("tuned", TinyModel.adapter, 400),
      ("tiny", TinyModel.adapter, 400), ("", TinyModel.adapter, 400),
    ] {
      let reply = try load(server, name, path)
      #expect(reply.status == status)
      #expect(try reply.json()["error"]?["message"]?.string?.isEmpty == false, "\(reply.text)")
    }
    for name in ["tiny", "none"] { #expect(try unload(server, name).status == 404) }
    #expect(try server.client.post("/v1/load_lora_adapter", #"{"lora_name": "x"}"#).status == 400)
    let after = (try names(server), try answer(server, "tiny"), try answer(server, "tuned"))
    #expect(before == after)
  }

  @Test func itIsOffUnlessAllowed() throws {
    let server = try TestServer.tiny()
    for path in ["/v1/load_lora_adapter", "/v1/unload_lora_adapter"] {
      let body = #"{"lora_name": "tuned", "lora_path": "\#(TinyModel.adapter)"}"#
      let reply = try server.client.post(path, body)
      #expect(reply.status == 404 && reply.text.contains("--adapter-loading"))
    }
    #expect(try names(server) == ["tiny", "tuned"])
  }

  /// Many requests at a time while the adapter comes and goes: each is answered as the adapter answers, or is told that it is
  /// not there.
  @Test func whoHasBegunEndsWithWhatItBeganWith() async throws {
    let server = try TestServer.tiny(loadsAdapters: true) { $0.rows = 4 }
    let expected = try answer(server, "tuned")
    let client = server.client
    let body = #"{"model": "late", \#(AdapterTests.prompt)}"#
    let replies = try await withThrowingTaskGroup(of: [Reply].self) { group in
      for _ in 0..<4 {
        group.addTask { try (0..<10).map { _ in try client.post("/v1/completions", body) } }
      }
      for _ in 0..<10 {
        #expect(try load(server, "late", TinyModel.adapter).status == 200)
        #expect(try unload(server, "late").status == 200)
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    for reply in replies {
      guard reply.status == 200 else {
        #expect(try reply.json()["error"]?["code"]?.string == "model_not_found")
        continue
      }
      #expect(try reply.json()["choices"]?.array?[0]["text"]?.string == expected)
    }
  }

  /// A stream that is half said when its adapter is unloaded goes on to its end.
  @Test func anAdapterIsReleasedWhenTheLastAnswerHasEnded() throws {
    let (pretrained, model) = try TinyModel.open()
    let served = try ServedModel.load(pretrained, into: model, base: "tiny", adapters: [])
    var options = ServerOptions()
    (options.port, options.graceTime) = (0, .zero)
    let loader = AdapterLoader(pretrained, model: model, models: served)
    let server = try TestServer(
      Server(
        model: model, tokenizer: pretrained.tokenizer, models: served,
        defaults: try pretrained.defaults().options,
        options: options, adapterLoader: loader))
    #expect(try load(server, "late", TinyModel.adapter).status == 200)
    #expect(model.keptAdapters.count == 2)
    let stream = try Connection(port: server.client.port)
    let body = #"{"model": "late", "stream": true, "ignore_eos": true, "prompt": "Tom", "max_tokens": 64}"#
    stream.send(Client.postHead("/v1/completions", body.utf8.count, "Connection: close\r\n") + body)
    try stream.read(until: "data: ")
    #expect(try unload(server, "late").status == 200)
    let text = stream.readToEnd()
    #expect(text.contains(#""finish_reason": "length""#) && text.contains("[DONE]"))
    // A request that is answered after it has come behind the last pass.
    #expect(try answer(server, "tiny") != nil)
    #expect(model.keptAdapters == ["tiny"])
  }

  @Test func anAliasIsAnotherNameOfAModel() throws {
    let server = try TestServer.tiny {
      $0.aliases = [.init(name: "gpt-4o"), .init(name: "maths", model: "tuned")]
    }
    #expect(try names(server) == ["tiny", "tuned", "gpt-4o", "maths"])
    #expect(try answer(server, "gpt-4o") == answer(server, "tiny"))
    #expect(try answer(server, "maths") == answer(server, "tuned"))
    let entry = try server.client.get("/v1/models/maths").json()
    #expect(entry["root"]?.string == "tuned" && entry["parent"]?.string == "tiny")
    #expect(throws: FireflyError.self) {
      try TestServer.tiny { $0.aliases = [.init(name: "x", model: "none")] }
    }
    #expect(throws: FireflyError.self) { try TestServer.tiny { $0.aliases = [.init(name: "tuned")] } }
    #expect(throws: FireflyError.self) {
      try TestServer.tiny { $0.aliases = [.init(name: "x"), .init(name: "x", model: "tuned")] }
    }
  }
}
