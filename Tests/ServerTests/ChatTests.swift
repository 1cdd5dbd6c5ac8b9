import FireflyBase
import FireflyDoubles
import FireflyGeneration
import FireflyModels
import FireflyPretrained
import FireflyServer
import FireflyText
import Foundation
import Testing

@Suite struct ChatTests {
  static let question = "How many apples?"
  static let body =
    #"{"model": "tiny", "messages": [{"role": "user", "content": "How many apples?"}], "max_tokens": 12, "#

  /// What the generator answers without a server.
  static func expected(adapter: String? = nil, maxTokens: Int = 12) throws -> GenerationResult {
    let (pretrained, model) = try TinyModel.open()
    if let adapter { try model.loadAdapter(adapter) }
    let template = try pretrained.template(named: nil, adapter: adapter)
    var options = try pretrained.defaults().options
    options.sampling = .greedy
    options.maxNewTokens = maxTokens
    options.topLogProbabilities = 3
    options.stopIDs.formUnion(try template.stopIDs(pretrained.tokenizer))
    let prompt = try template.promptTokens(
      history: [Message(role: "user", content: question)], tokenizer: pretrained.tokenizer)
    return try Generator(model: model, tokenizer: pretrained.tokenizer).generate([
      GenerationRequest(prompt: prompt, options: options)
    ])[0]
  }

  @Test func anAnswerIsTheGenerators() throws {
    let server = try TestServer.tiny()
    let expected = try Self.expected()
    let reply = try server.client.post("/v1/chat/completions", Self.body + #""temperature": 0}"#)
    #expect(reply.status == 200)
    #expect(reply.headers["content-type"] == "application/json")
    let json = try reply.json()
    #expect(json["object"]?.string == "chat.completion")
    #expect(json["id"]?.string?.hasPrefix("chatcmpl-") == true)
    #expect(json["model"]?.string == "tiny")
    let choice = try #require(json["choices"]?.array?.first)
    #expect(json["choices"]?.array?.count == 1)
    #expect(choice["message"]?["role"]?.string == "assistant")
    #expect(choice["message"]?["content"]?.string == expected.text)
    #expect(choice["finish_reason"]?.string == expected.finishReason.rawValue)
    let usage = try #require(json["usage"])
    #expect(usage["completion_tokens"]?.int == expected.ids.count)
    #expect((usage["prompt_tokens"]?.int ?? 0) > 0)
    #expect(
      usage["total_tokens"]?.int == (usage["prompt_tokens"]?.int ?? 0)
        + (usage["completion_tokens"]?.int ?? 0))
  }

  @Test func adaptersAnswerByTheirNamesWithTheirTemplates() throws {
    let server = try TestServer.tiny()
    let base = try Self.expected()
    let tuned = try Self.expected(adapter: TinyModel.adapter)
    #expect(base.text != tuned.text)
    for (name, expected) in [("tuned", tuned), ("tiny", base), ("tuned", tuned)] {
      let body = Self.body.replacing("\"tiny\"", with: "\"\(name)\"") + #""temperature": 0}"#
      let json = try server.client.post("/v1/chat/completions", body).json()
      #expect(json["choices"]?.array?.first?["message"]?["content"]?.string == expected.text)
      #expect(json["model"]?.string == name)
    }
    let models = try server.client.get("/v1/models").json()["data"]?.array ?? []
    #expect(models.map { $0["id"]?.string } == ["tiny", "tuned"])
    #expect(models.map { $0["parent"]?.string } == [nil, "tiny"])
  }

  @Test(arguments: [false, true]) func aStreamsPiecesAreTheAnswer(withUsage: Bool) throws {
    let server = try TestServer.tiny()
    let expected = try Self.expected()
    let usage = withUsage ? #", "stream_options": {"include_usage": true}"# : ""
    let reply = try server.client.post("/v1/chat/completions", Self.body + #""stream": true\#(usage)}"#)
    #expect(reply.status == 200)
    #expect(reply.headers["content-type"] == "text/event-stream; charset=utf-8")
    var events = reply.events()
    #expect(events.removeLast() == "[DONE]")
    var parts = try events.map { try JSONValue.parse($0, source: "event") }
    #expect(Set(parts.map { $0["id"]?.string }).count == 1)
    #expect(parts.allSatisfy { $0["object"]?.string == "chat.completion.chunk" })
    if withUsage {
      let last = parts.removeLast()
      #expect(last["choices"] == .array([]))
      #expect(last["usage"]?["completion_tokens"]?.int == expected.ids.count)
      for part in parts { #expect(part.object?.keys.contains("usage") == true && part["usage"] == nil) }
    } else {
      for part in parts { #expect(part.object?.keys.contains("usage") == false) }
    }
    let choices = parts.compactMap { $0["choices"]?.array?.first }
    #expect(choices.count == parts.count)
    #expect(choices.first?["delta"]?["role"]?.string == "assistant")
    #expect(choices.compactMap { $0["delta"]?["content"]?.string }.joined() == expected.text)
    #expect(choices.last?["finish_reason"]?.string == expected.finishReason.rawValue)
    #expect(choices.dropLast().allSatisfy { $0["finish_reason"] == nil })
  }

  @Test(arguments: [false, true]) func logProbabilitiesAreTheModels(stream: Bool) throws {
    let server = try TestServer.tiny()
    let expected = try Self.expected()
    let shown = expected.tokens.filter { $0.offset < expected.text.utf8.count }
    let reply = try server.client.post(
      "/v1/chat/completions", Self.body + #""logprobs": true, "top_logprobs": 3, "stream": \#(stream)}"#)
    let responses =
      stream
      ? try reply.events().dropLast().map { try JSONValue.parse($0, source: "event") } : [try reply.json()]
    let entries = responses.flatMap {
      $0["choices"]?.array?.first?["logprobs"]?["content"]?.array ?? []
    }
    #expect(entries.count == shown.count)
    for (entry, token) in zip(entries, shown) {
      #expect(abs((entry["logprob"]?.double ?? .nan) - (token.logProbability ?? .nan)) <= 1e-6)
      let top = entry["top_logprobs"]?.array ?? []
      #expect(top.count == 3)
      for (found, wanted) in zip(top, token.top) {
        #expect(abs((found["logprob"]?.double ?? .nan) - wanted.logProbability) <= 1e-6)
      }
      #expect(top.first?["token"]?.string == entry["token"]?.string)  // greedy
    }
    let bytes = entries.flatMap { $0["bytes"]?.array?.compactMap { $0.int.map(UInt8.init) } ?? [] }
    #expect(String(decoding: bytes, as: UTF8.self) == expected.text)
  }

  @Test func seedsDecideAndChoicesDiffer() throws {
    let server = try TestServer.tiny()
    func texts(_ seed: Int) throws -> [String?] {
      let reply = try server.client.post(
        "/v1/chat/completions", Self.body + #""temperature": 2, "top_p": 1, "n": 3, "seed": \#(seed)}"#)
      let choices = try #require(try reply.json()["choices"]?.array)
      #expect(choices.map { $0["index"]?.int } == [0, 1, 2])
      return choices.map { $0["message"]?["content"]?.string }
    }
    let first = try texts(5)
    #expect(Set(first).count == 3)
    #expect(try texts(5) == first)
    #expect(try texts(-6) != first)
  }

  @Test func theWholeConversationIsTheTemplates() throws {
    let server = try TestServer.scripted("fine")
    // Text parts join; developer is the system's new name; what clients send for themselves is ignored.
    let reply = try server.client.post(
      "/v1/chat/completions",
      #"""
      {"model": "m", "user": "u", "metadata": {"a": "b"}, "store": false, "tools": [], "temperature": null,
       "messages": [{"role": "developer", "content": "s"}, {"role": "user", "content": "a"},
                    {"role": "assistant", "content": "b"},
                    {"role": "user", "name": "x", "content": [{"type": "text", "text": "c"}, {"type": "text", "text": "d"}]}]}
      """#)
    #expect(reply.status == 200)
    let json = try reply.json()
    #expect(json["choices"]?.array?.first?["message"]?["content"]?.string == "fine")
    #expect(json["choices"]?.array?.first?["finish_reason"]?.string == "stop")
    #expect(json["usage"]?["prompt_tokens"]?.int == "<用户>a<AI>b</s><用户>cd<AI>".utf8.count)
  }

  @Test(arguments: ["STOP", "OP", "P\n", "one STOP"]) func aStopStringNeverShows(stop: String) throws {
    let server = try TestServer.scripted("one STOP\ntwo")
    let body = #"{"model": "m", "messages": [{"role": "user", "content": "x"}], "logprobs": true, "#
    let quoted = JSONValue.array([.string("zzz"), .string(stop)]).text()
    let whole = try server.client.post("/v1/chat/completions", body + #""stop": \#(quoted)}"#).json()
    let expected = String(
      "one STOP\ntwo".prefix(upTo: try #require("one STOP\ntwo".range(of: stop)).lowerBound))
    let choice = whole["choices"]?.array?.first
    #expect(choice?["message"]?["content"]?.string == expected)
    #expect(choice?["finish_reason"]?.string == "stop")
    #expect(choice?["logprobs"]?["content"]?.array?.count == expected.utf8.count)
    let stream = try server.client.post(
      "/v1/chat/completions", body + #""stop": \#(quoted), "stream": true}"#)
    let choices = try stream.events().dropLast().map {
      try JSONValue.parse($0, source: "event")["choices"]?.array?.first
    }
    #expect(choices.compactMap { $0?["delta"]?["content"]?.string }.joined() == expected)
    #expect(choices.last??["finish_reason"]?.string == "stop")
    #expect(
      choices.flatMap { $0?["logprobs"]?["content"]?.array ?? [] }.count == expected.utf8.count)
  }

  @Test func aBiasForcesItsToken() throws {
    let server = try TestServer.scripted("abc")
    let reply = try server.client.post(
      "/v1/chat/completions",
      #"""
      {"model": "m", "messages": [{"role": "user", "content": "x"}], "logit_bias": {"81": 100},
       "max_completion_tokens": 4, "max_tokens": 9}
      """#)
    let choice = try reply.json()["choices"]?.array?.first
    #expect(choice?["message"]?["content"]?.string == "QQQQ")
    #expect(choice?["finish_reason"]?.string == "length")
  }

  @Test func theOriginalsServiceAnswers() throws {
    try inTemporaryFile { history in
      let server = try TestServer.scripted("well") { $0.history = history }
      let reply = try server.client.post(
        "/firefly",
        #"{"inputs": "how?", "max_new_tokens": 500, "top_p": 0.85, "temperature": 0.35, "do_sample": true, "repetition_penalty": 1.0}"#
      )
      #expect(reply.status == 200)
      let expected = JSONValue.object(["input": .string("how?"), "output": .string("well")])
      #expect(try reply.json() == expected)
      #expect(try JSONValue.read(history) == expected)
    }
  }

  @Test func theOriginalsServiceSearchesWithBeams() throws {
    // The likelier first token is A, but after it nothing is likely; after B the end is sure.
    let model = FunctionModel { sequence in
      var logits = [Float](repeating: -20, count: 258)
      switch sequence[sequence.count - 1] {
      case 65: for id in 70..<90 { logits[id] = 1 }
      case 66, 70..<90: logits[Int(ByteTokenizer.eos)] = 10
      default: (logits[65], logits[66]) = (1, 0.5)
      }
      return logits
    }
    let server = try TestServer.serving(model)
    func post(_ more: String) throws -> Reply {
      try server.client.post(
        "/firefly", #"{"inputs": "x", "do_sample": false, "max_new_tokens": 5"# + more + "}")
    }
    #expect(try post("").json()["output"]?.string == "AF")
    #expect(
      try post(#", "num_beams": 4, "length_penalty": 0, "early_stopping": "never""#).json()["output"]?.string
        == "B")
    for (bad, name) in [
      (#", "num_beams": 0"#, "num_beams"), (#", "num_beams": 1000"#, "num_beams"),
      (#", "num_beams": 2, "early_stopping": 3"#, "early_stopping"),
      (#", "num_beams": 2, "length_penalty": "x""#, "length_penalty"),
    ] {
      let refused = try post(bad)
      #expect(refused.status == 400)
      #expect(try refused.json()["error"]?["param"]?.string == name)
    }
    let sampled = try server.client.post(
      "/firefly", #"{"inputs": "x", "do_sample": true, "num_beams": 2}"#)
    #expect(sampled.status == 400)
    #expect(try sampled.json()["error"]?["param"]?.string == "do_sample")
  }

  @Test func theOriginalsServiceTakesGeneratesKeywords() throws {
    let server = try TestServer.scripted("well well")
    func post(_ more: String) throws -> Reply {
      try server.client.post("/firefly", #"{"inputs": "x", "do_sample": false"# + more + "}")
    }
    let harmless = #", "use_cache": true, "pad_token_id": 0, "no_repeat_ngram_size": 0, "typical_p": 1.0"#
    #expect(try post(harmless).json()["output"]?.string == "well well")
    #expect(try post(#", "stop_strings": ["l w"]"#).json()["output"]?.string == "wel")
    #expect(try post(#", "eos_token_id": [101]"#).json()["output"]?.string == "w")
    #expect(
      try post(#", "bad_words_ids": [[101]], "max_new_tokens": 2"#).json()["output"]?.string?.first == "w")
    #expect(
      try post(#", "bad_words_ids": [[119, 101]], "max_new_tokens": 2"#).json()["output"]?.string != "we")
    #expect(
      try post(#", "sequence_bias": [[[119, 101, 108], -99]], "max_new_tokens": 3"#).json()["output"]?.string
        != "wel")
    #expect(try post(#", "forced_eos_token_id": 33, "max_new_tokens": 3"#).json()["output"]?.string == "we!")
    // The prompt has an e, as the answer would.
    #expect(
      try post(#", "encoder_no_repeat_ngram_size": 1, "inputs": "e", "max_new_tokens": 2"#).json()["output"]?
        .string?
        .contains("e") == false)
    for (refused, name) in [
      (#", "diversity_penalty": 3"#, "diversity_penalty"), (#", "max_time": 5"#, "max_time"),
      (#", "bad_words_ids": [[1], []]"#, "bad_words_ids"), (#", "bad_words_ids": [[258]]"#, "bad_words_ids"),
      (#", "sequence_bias": [[[1], "x"]]"#, "sequence_bias"),
      (#", "forced_bos_token_id": "x""#, "forced_bos_token_id"),
      (#", "exponential_decay_length_penalty": 2"#, "exponential_decay_length_penalty"),
      (#", "eos_token_id": -1"#, "eos_token_id"),
      (#", "max_length": 1"#, "max_length"), (#", "no_such_keyword": 1"#, "no_such_keyword"),
    ] {
      let reply = try post(refused)
      #expect(reply.status == 400)
      #expect(try reply.json()["error"]?["param"]?.string == name)
    }
    let prompt = try #require(
      try Int(
        post(#", "max_length": 1"#).json()["error"]?["message"]?.string?
          .firstMatch(of: /prompt of (\d+) tokens/)?.1 ?? ""))
    #expect(try post(#", "max_length": \#(prompt + 4)"#).json()["output"]?.string == "well")
  }

  private func inTemporaryFile(_ body: (String) throws -> Void) throws {
    let path = NSTemporaryDirectory() + "firefly-server-\(UUID().uuidString)"
    defer { unlink(path) }
    try body(path)
  }
}
