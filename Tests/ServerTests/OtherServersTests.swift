import FireflyBase
import FireflyServer
import Foundation
import Testing

/// The paths that clients of llama-server and of vllm ask beside OpenAI's.
@Suite struct OtherServersTests {
  @Test func textsBecomeTokensAndBack() throws {
    let server = try TestServer.scripted("x")
    func tokens(_ body: String) throws -> [Int] {
      let json = try server.client.post("/tokenize", body).json()
      #expect(json["count"]?.int == json["tokens"]?.array?.count)
      #expect(json["max_model_len"]?.int == 1000)
      return json["tokens"]?.array?.compactMap(\.int) ?? []
    }
    #expect(try tokens(#"{"content": "hé"}"#) == [0x68, 0xC3, 0xA9])
    #expect(try tokens(#"{"content": "h", "add_special": true}"#) == [256, 0x68])
    #expect(try tokens(#"{"model": "m", "prompt": "h"}"#) == [256, 0x68])
    #expect(try tokens(#"{"prompt": "h", "add_special_tokens": false}"#) == [0x68])
    let chat = #""messages": [{"role": "user", "content": "a"}]"#
    let written = Array("<用户>a<AI>".utf8).map(Int.init)
    #expect(try tokens("{\(chat)}") == written)
    let pieces = try server.client.post("/tokenize", #"{"content": "hé", "with_pieces": true}"#).json()
    #expect(pieces["tokens"]?.array?.first == .object(["id": .int(0x68), "piece": .string("h")]))
    let list = JSONValue.array(written.map(JSONValue.int)).text()
    let back = try server.client.post("/detokenize", #"{"tokens": \#(list)}"#).json()
    #expect(back["content"]?.string == "<用户>a<AI>" && back["prompt"]?.string == "<用户>a<AI>")
    #expect(
      try server.client.post("/apply-template", "{\(chat)}").json()["prompt"]?.string == "<用户>a<AI>")
    for (path, body, parameter) in [
      ("/tokenize", #"{"content": 1}"#, "content"), ("/tokenize", #"{"text": "x"}"#, "text"),
      ("/tokenize", #"{"prompt": "x", "content": "y"}"#, "prompt"), ("/tokenize", "{}", "messages"),
      ("/detokenize", #"{"tokens": [258]}"#, "tokens"), ("/detokenize", "{}", "tokens"),
      ("/apply-template", #"{"messages": []}"#, "messages"),
    ] {
      let reply = try server.client.post(path, body)
      #expect(reply.status == 400)
      #expect(try reply.json()["error"]?["param"]?.string == parameter, "\(reply.text)")
    }
  }

  @Test func theServerTellsWhatItIs() throws {
    let server = try TestServer.scripted("x") { $0.rows = 3 }
    let properties = try server.client.get("/props").json()
    #expect(properties["default_generation_settings"]?["n_ctx"]?.int == 1000)
    #expect(properties["default_generation_settings"]?["params"]?["temperature"]?.double == 0)
    #expect(properties["total_slots"]?.int == 3)
    let slots = try server.client.get("/slots").json().array ?? []
    #expect(slots.map { $0["id"]?.int } == [0, 1, 2])
    #expect(slots.allSatisfy { $0["is_processing"]?.bool == false })
    for path in ["/health", "/v1/health", "/ping"] {
      #expect(try server.client.get(path).json()["status"]?.string == "ok")
    }
    #expect(try server.client.get("/models").json() == server.client.get("/v1/models").json())
    #expect(
      try server.client.post("/completions", #"{"model": "m", "prompt": ">"}"#).json()["object"]?.string
        == "text_completion")
  }

  @Test func aModelIsFoundByItsName() throws {
    let server = try TestServer.tiny()
    #expect(try server.client.get("/v1/models/tuned").json()["parent"]?.string == "tiny")
    #expect(try server.client.get("/v1/models/t%75ned").json()["id"]?.string == "tuned")
    let unknown = try server.client.get("/v1/models/gpt%2F4")
    #expect(unknown.status == 404)
    #expect(try unknown.json()["error"]?["code"]?.string == "model_not_found")
    #expect(try unknown.json()["error"]?["message"]?.string?.contains("gpt/4") == true)
  }

  @Test(arguments: [
    "/v1/rerank", "/embedding", "/v1/responses", "/v1/moderations", "/v1/audio/speech",
    "/v1/images/generations", "/v1/files", "/v1/fine_tuning/jobs", "/completion",
    "/v1/chat/completions/some-id",
    "/v1/load_lora_adapter",
  ])
  func whatTheServerDoesNotHaveIsSaid(path: String) throws {
    let server = try TestServer.scripted("x")
    let reply = try server.client.post(path, "{}")
    #expect(reply.status == 404)
    let error = try #require(try reply.json()["error"])
    #expect(error["code"]?.string == "unsupported_path")
    #expect(error["message"]?.string?.contains(path) == true)
  }
}
