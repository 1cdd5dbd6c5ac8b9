import FireflyBase
import FireflyGeneration
import Foundation
import Testing

/// Every parameter that clients know is followed, harmless or refused by its name; none is unknown, none is lost.
@Suite struct ParameterTests {
  private static let bodies = [
    "/v1/chat/completions": #"{"model": "m", "messages": [{"role": "user", "content": "x"}]}"#,
    "/v1/completions": #"{"model": "m", "prompt": ">"}"#,
  ]

  /// A request that says one thing more than it must.
  private func post(_ server: TestServer, _ path: String, _ name: String, _ value: JSONValue) throws -> Reply
  {
    let body = try JSONValue.parse(try #require(ParameterTests.bodies[path]), source: "body")
    var members = try #require(body.object)
    members[name] = value
    return try server.client.post(path, JSONValue.object(members).text())
  }

  /// What OpenAI's own package can send (tools/reference/openai_parameters.py).
  @Test func everyParameterOfOpenAIsIsKnown() throws {
    let server = try TestServer.scripted("x")
    let fixture = (#filePath as NSString).deletingLastPathComponent + "/Fixtures/openai_parameters.json"
    let paths = try #require(try JSONValue.read(fixture)["paths"]?.object)
    #expect(Set(paths.keys) == Set(ParameterTests.bodies.keys))
    for (path, parameters) in paths {
      for (name, values) in parameters.object ?? [:] {
        for value in values.array ?? [] {
          let reply = try post(server, path, name, value)
          guard reply.status != 200 else { continue }
          let error = try reply.json()["error"]
          let parameter = error?["param"]?.string ?? ""
          #expect(
            parameter == name || parameter.hasPrefix(name + ".") || parameter.hasPrefix(name + "["),
            "\(path) \(name): \(reply.text)")
          #expect(error?["code"]?.string != "unknown_parameter", "\(path) \(name)")
          #expect(error?["type"]?.string == "invalid_request_error")
        }
      }
    }
  }

  @Test(arguments: bodies.keys) func anUnknownParameterIsRefused(path: String) throws {
    let server = try TestServer.scripted("x")
    for (name, guess) in [("temprature", "temperature"), (String(repeating: "x", count: 100_000), nil)] {
      let reply = try post(server, path, name, .int(1))
      #expect(reply.status == 400)
      let error = try #require(try reply.json()["error"])
      #expect(error["code"]?.string == "unknown_parameter")
      #expect(error["param"]?.string == String(name.prefix(100)))
      if let guess { #expect(error["message"]?.string?.contains(guess) == true) }
    }
  }

  /// What clients of vllm and llama-server send as their defaults changes nothing here.
  @Test(arguments: bodies.keys) func othersDefaultsAreAccepted(path: String) throws {
    let server = try TestServer.scripted("fine")
    let isChat = path.contains("chat")
    let both = #"""
      "n_predict": -1, "repeat_penalty": 1.0, "repeat_last_n": 64, "typical_p": 1.0, "tfs_z": 1, "top_n_sigma": -1.0,
      "xtc_probability": 0, "xtc_threshold": 0.1, "dry_multiplier": 0.0, "dry_base": 1.75, "dry_allowed_length": 2,
      "dry_penalty_last_n": -1, "dry_sequence_breakers": ["\n"], "dynatemp_range": 0, "dynatemp_exponent": 1,
      "mirostat": 0, "mirostat_tau": 5, "mirostat_eta": 0.1, "cache_prompt": true, "id_slot": -1, "n_probs": 0,
      "min_keep": 0, "n_keep": 0, "grammar": "", "timings_per_token": false, "return_tokens": false,
      "use_beam_search": false, "length_penalty": 1.0, "stop_token_ids": [], "include_stop_str_in_output": false,
      "ignore_eos": false, "min_tokens": 0, "skip_special_tokens": true, "spaces_between_special_tokens": true,
      "truncate_prompt_tokens": null, "bad_words": [], "priority": 0, "request_id": "a", "vllm_xargs": null,
      "user": "u", "metadata": {"a": "b"}, "store": true, "service_tier": "auto"
      """#
    let chat = #"""
      , "echo": false, "add_generation_prompt": true, "continue_final_message": false, "add_special_tokens": false,
      "reasoning_format": "auto", "parse_tool_calls": true, "parallel_tool_calls": false, "tools": [], "modalities": ["text"]
      """#
    let body = try #require(ParameterTests.bodies[path]).dropLast()
    let reply = try server.client.post(path, body + ", " + both + (isChat ? chat : "") + "}")
    #expect(reply.status == 200, "\(reply.text)")
    let choice = try #require(try reply.json()["choices"]?.array?.first)
    #expect((isChat ? choice["message"]?["content"] : choice["text"])?.string == "fine")
  }

  @Test(arguments: [
    ("n_predict", JSONValue.string("x")), ("repeat_penalty", .int(-1)), ("typical_p", .double(1.5)),
    ("samplers", .array([])), ("mirostat", .int(2)), ("dry_multiplier", .double(0.8)), ("lora", .array([])),
    ("guided_grammar", .string("a*")), ("stop_token_ids", .array([.int(258)])), ("stop_token_ids", .int(1)),
    ("cache_salt", .string("x")), ("use_beam_search", .bool(true)), ("bad_words", .int(1)),
    ("min_tokens", .int(-1)),
    ("stop", .array([.string(String(repeating: "x", count: 1001))])), ("stop", .array([])),
    ("logit_bias", .array([])), ("max_tokens", .array([])),
  ])
  func whatIsNotFollowedIsRefusedByTheNameGiven(name: String, value: JSONValue) throws {
    let server = try TestServer.scripted("x")
    let reply = try post(server, "/v1/chat/completions", name, value)
    guard name != "stop" || value != .array([]) else { return #expect(reply.status == 200) }
    #expect(reply.status == 400, "\(name)")
    let error = try #require(try reply.json()["error"])
    #expect(error["param"]?.string == name)
    // "must be a list, not a list"
    let message = error["message"]?.string ?? ""
    #expect(message.ranges(of: "list").count < 2 || message.contains("such a list"), "\(message)")
  }

  @Test func oneParameterUnderTwoNamesIsRefused() throws {
    let server = try TestServer.scripted("x")
    let reply = try server.client.post(
      "/v1/completions", #"{"model": "m", "prompt": ">", "max_tokens": 3, "n_predict": 4}"#)
    #expect(reply.status == 400)
    #expect(try reply.json()["error"]?["message"]?.string?.contains("max_tokens") == true)
    let few = try server.client.post(
      "/v1/completions", #"{"model": "m", "prompt": ">", "n_predict": 4, "ignore_eos": true}"#)
    #expect(try few.json()["usage"]?["completion_tokens"]?.int == 4)
  }

  @Test func whatEndsAnAnswerAndIsShown() throws {
    let server = try TestServer.scripted("one STOP two")
    func text(_ members: String) throws -> (text: String?, reason: String?) {
      let reply = try server.client.post(
        "/v1/completions", #"{"model": "m", "prompt": ">", "max_tokens": 20, "# + members + "}")
      let choice = try reply.json()["choices"]?.array?.first
      return (choice?["text"]?.string, choice?["finish_reason"]?.string)
    }
    #expect(try text(#""stop": "STOP", "include_stop_str_in_output": true"#) == ("one STOP", "stop"))
    #expect(try text(#""stop_token_ids": [83]"#) == ("one ", "stop"))  // S
    #expect(try text(#""ignore_eos": true"#).reason == "length")
    #expect(try text(#""ignore_eos": true, "stop_token_ids": [257]"#) == ("one STOP two", "stop"))
    #expect(try text(#""min_tokens": 15"#).text?.utf8.count == 15)
    #expect(try text(#""bad_words": ["S"]"#).text == "one \0TOP two")
    // The token that ends every answer, as it is spelt; and with more before it.
    for stop in ["</s>", "two</s>"] {
      let found = try text(#""ignore_eos": true, "stop": "\#(stop)""#)
      #expect(found == ("one STOP " + (stop == "</s>" ? "two" : ""), "stop"))
    }
  }

  @Test func onlyAllowedTokensCome() throws {
    let server = try TestServer.scripted("abc")
    let reply = try server.client.post(
      "/v1/completions", #"{"model": "m", "prompt": ">", "max_tokens": 3, "allowed_token_ids": [97, 99]}"#)
    let text = try #require(try reply.json()["choices"]?.array?.first?["text"]?.string)
    #expect(text.first == "a" && text.utf8.count == 3 && text.allSatisfy { "ac".contains($0) })
  }

  @Test func aPromptIsCutWhereTheRequestWantsIt() throws {
    let server = try TestServer.scripted("ok")
    func read(_ members: String) throws -> JSONValue {
      let body = #"{"model": "m", "prompt": [97, 98, 62], "echo": true, "# + members + "}"
      return try server.client.post("/v1/completions", body).json()
    }
    for (members, text, count) in [
      (#""truncate_prompt_tokens": 2"#, "b>ok", 2), (#""truncate_prompt_tokens": 5"#, "ab>ok", 3),
      (#""truncate_prompt_tokens": -1"#, "ab>ok", 3),
      (#""truncate_prompt_tokens": 2, "truncation_side": "right", "max_tokens": 0"#, "ab", 2),
    ] {
      let json = try read(members)
      #expect(json["choices"]?.array?.first?["text"]?.string == text)
      #expect(json["usage"]?["prompt_tokens"]?.int == count)
    }
    for (members, name) in [
      (#""truncate_prompt_tokens": 0"#, "truncate_prompt_tokens"),
      (#""truncation_side": "top""#, "truncation_side"),
    ] { #expect(try read(members)["error"]?["param"]?.string == name) }
    let vector = try server.client.post(
      "/v1/embeddings", #"{"model": "m", "input": "abc", "truncate_prompt_tokens": 2}"#)
    #expect(try vector.json()["usage"]?["prompt_tokens"]?.int == 2)
  }

  @Test func theBestOfSeveralIsTheLikeliest() throws {
    let server = try TestServer.tiny()
    func choices(_ members: String) throws -> [(text: String?, score: Double)] {
      let reply = try server.client.post(
        "/v1/completions",
        #"{"model": "tiny", "prompt": ["Tom has", "Two"], "max_tokens": 6, "temperature": 1.5, "seed": 3, "logprobs": 0, "#
          + members + "}")
      #expect(reply.status == 200, "\(reply.text)")
      return try #require(try reply.json()["choices"]?.array).map { choice in
        let values = choice["logprobs"]?["token_logprobs"]?.array?.compactMap(\.double) ?? []
        return (choice["text"]?.string, values.reduce(0, +) / Double(values.count))
      }
    }
    let all = try choices(#""n": 5"#)
    let best = try choices(#""n": 2, "best_of": 5"#)
    for prompt in 0..<2 {
      let expected = all[prompt * 5..<prompt * 5 + 5].sorted { $0.score > $1.score }.prefix(2)
      #expect(best[prompt * 2..<prompt * 2 + 2].map(\.text) == expected.map(\.text))
    }
    let stream = try server.client.post(
      "/v1/completions", #"{"model": "tiny", "prompt": "x", "best_of": 2, "stream": true}"#)
    #expect(try stream.json()["error"]?["param"]?.string == "best_of")
  }

  /// A small request must not become a large one before it is refused.
  @Test func theCostOfARequestIsKnownBeforeItIsPaid() throws {
    let server = try TestServer.scripted("x")
    let empty = "[" + [String](repeating: "[]", count: 200_000).joined(separator: ",") + "]"
    let echo = try server.client.post(
      "/v1/completions", #"{"model": "m", "prompt": \#(empty), "n": 256, "echo": true}"#)
    #expect(try echo.json()["error"]?["param"]?.string == "prompt")
    #expect(try echo.json()["error"]?["message"]?.string?.contains("51200000 answers") == true)
    let text = String(repeating: "x", count: 1 << 20)
    let long = try server.client.post(
      "/v1/chat/completions", #"{"model": "m", "messages": [{"role": "user", "content": "\#(text)"}]}"#)
    #expect(try long.json()["error"]?["code"]?.string == "context_length_exceeded")
    let turns = [String](repeating: #"{"role": "user", "content": ""}"#, count: 20_000)
    let many = try server.client.post(
      "/v1/chat/completions", #"{"model": "m", "messages": [\#(turns.joined(separator: ","))]}"#)
    #expect(try many.json()["error"]?["code"]?.string == "context_length_exceeded")
  }
}
