import FireflyBase
import FireflyGeneration
import FireflyModels
import FireflyPretrained
import FireflyServer
import FireflyTensors
import FireflyText
import Foundation
import Testing

@Suite struct CompletionTests {
  static let text = "Tom has three apples and"

  func choices(_ server: TestServer, _ members: String) throws -> [JSONValue] {
    let reply = try server.client.post("/v1/completions", #"{"model": "tiny", \#(members)}"#)
    #expect(reply.status == 200, "\(reply.text)")
    return try #require(try reply.json()["choices"]?.array)
  }

  @Test func everyFormOfAPromptIsUnderstood() throws {
    let server = try TestServer.tiny()
    let (pretrained, model) = try TinyModel.open()
    let prompts = [Self.text, "有几个苹果？"]
    let ids = try prompts.map { try pretrained.tokenizer.encode($0, parseSpecial: true) }
    var options = try pretrained.defaults().options
    options.sampling = .greedy
    options.maxNewTokens = 8
    let expected = try Generator(model: model, tokenizer: pretrained.tokenizer).generate(
      ids.map { GenerationRequest(prompt: $0, options: options) }
    ).map(\.text)
    let spelt = JSONValue.array(prompts.map(JSONValue.string))
    let listed = JSONValue.array(ids.map { .array($0.map { .int(Int($0)) }) })
    for prompt in [spelt, listed] {
      let found = try choices(server, #""prompt": \#(prompt.text()), "max_tokens": 8"#)
      #expect(found.map { $0["text"]?.string } == expected)
      #expect(found.map { $0["index"]?.int } == [0, 1])
      #expect(found.allSatisfy { $0["logprobs"] == nil })
    }
    for prompt in [spelt, listed] {
      let one = try #require(prompt.array?.first)
      let found = try choices(server, #""prompt": \#(one.text()), "max_tokens": 8"#)
      #expect(found.map { $0["text"]?.string } == [expected[0]])
    }
    // OpenAI's default length.
    let usual = try server.client.post(
      "/v1/completions", #"{"model": "tiny", "prompt": "Tom", "logit_bias": {"2": -100}}"#)
    #expect(try usual.json()["usage"]?["completion_tokens"]?.int == 16)
  }

  /// What lm-eval reads: each token's log-probability under the ones before it.
  @Test(arguments: [0, 1], [1, 5]) func anEchoedPromptIsScored(maxTokens: Int, top: Int) throws {
    let server = try TestServer.tiny()
    let (pretrained, model) = try TinyModel.open()
    let ids = try pretrained.tokenizer.encode(Self.text, parseSpecial: true)
    let list = JSONValue.array(ids.map { .int(Int($0)) }).text()
    let choice = try #require(
      try choices(
        server,
        #""prompt": [\#(list), \#(list)], "max_tokens": \#(maxTokens), "echo": true, "logprobs": \#(top), "seed": 1234, "temperature": 0"#
      ).last)
    let report = try #require(choice["logprobs"])
    let tokens = try #require(report["tokens"]?.array)
    let values = try #require(report["token_logprobs"]?.array)
    let tops = try #require(report["top_logprobs"]?.array)
    let offsets = try #require(report["text_offset"]?.array)
    let count = ids.count + maxTokens
    for list in [tokens, values, tops, offsets] { #expect(list.count == count) }
    #expect(choice["finish_reason"]?.string == "length")
    #expect(choice["text"]?.string?.hasPrefix(Self.text) == true)
    #expect(tokens.prefix(ids.count).compactMap(\.string).joined() == Self.text)
    #expect(offsets[1].int == tokens[0].string?.unicodeScalars.count)
    #expect(values[0] == .null && tops[0] == .null)

    let logits = model.logits(tokens: ids, starts: [0, Int32(ids.count)]).floats.map(Double.init)
    let vocabulary = model.vocabularySize
    for position in 1..<ids.count {
      let row = logits[(position - 1) * vocabulary..<position * vocabulary]
      let logSum = log(row.reduce(0) { $0 + exp($1) })
      let wanted = row[row.startIndex + Int(ids[position])] - logSum
      let found = values[position].double ?? .nan
      #expect(abs(found - wanted) <= 1e-4)
      let best = tops[position].object?.values.compactMap(\.double).max() ?? .nan
      #expect(abs(best - ((row.max() ?? .nan) - logSum)) <= 1e-4)
      // Greedy exactly when it is the best, bit for bit.
      let isBest = row.allSatisfy { $0 <= row[row.startIndex + Int(ids[position])] }
      #expect((found == best) == isBest)
      #expect((tops[position].object?.count ?? 0) >= top)
    }
  }

  @Test func echoWithoutLogProbabilitiesOnlyRepeats() throws {
    let server = try TestServer.tiny()
    let plain = try choices(server, #""prompt": "Tom has", "max_tokens": 4"#)
    let echoed = try choices(server, #""prompt": "Tom has", "max_tokens": 4, "echo": true, "n": 2"#)
    let text = try #require(plain[0]["text"]?.string)
    #expect(echoed.map { $0["text"]?.string } == ["Tom has" + text, "Tom has" + text])
    let stream = try server.client.post(
      "/v1/completions",
      #"{"model": "tiny", "prompt": "Tom has", "max_tokens": 4, "echo": true, "stream": true}"#)
    let pieces = try stream.events().dropLast().map {
      try JSONValue.parse($0, source: "event")["choices"]?.array?.first?["text"]?.string ?? ""
    }
    #expect(pieces.joined() == "Tom has" + text)
  }

  @Test func logProbabilitiesOfAnAnswerCoverEveryToken() throws {
    let server = try TestServer.tiny()
    let choice = try choices(server, #""prompt": "Tom", "max_tokens": 6, "logprobs": 2"#)[0]
    let lists = ["tokens", "token_logprobs", "top_logprobs", "text_offset"].map {
      choice["logprobs"]?[$0]?.array?.count
    }
    #expect(Set(lists).count == 1)
    for (value, top) in zip(
      choice["logprobs"]?["token_logprobs"]?.array ?? [], choice["logprobs"]?["top_logprobs"]?.array ?? [])
    {
      #expect(top.object?.values.compactMap(\.double).max() == value.double)  // greedy
    }
  }

  @Test func repeatedPromptsAreReadOnce() throws {
    let server = try TestServer.tiny { $0.chunk = 4 }
    let body =
      #"{"model": "tiny", "prompt": "\#(Self.text) buys two more", "max_tokens": 5, "temperature": 0}"#
    let first = try server.client.post("/v1/completions", body).json()
    let second = try server.client.post("/v1/completions", body).json()
    #expect(first["choices"] == second["choices"])
    #expect(first["usage"]?["prompt_tokens_details"]?["cached_tokens"]?.int == 0)
    let prompt = try #require(second["usage"]?["prompt_tokens"]?.int)
    #expect(second["usage"]?["prompt_tokens_details"]?["cached_tokens"]?.int == (prompt - 1) / 4 * 4)
    #expect(try server.client.metric("prompt_tokens_reused_total") == (prompt - 1) / 4 * 4)
    #expect(try server.client.metric("prompt_tokens_total") == 2 * prompt)
  }

  @Test func concurrentAnswersEqualThoseGivenAlone() throws {
    let server = try TestServer.tiny {
      $0.rows = 6
      $0.chunk = 8
    }
    let bodies = (0..<24).map { index in
      let prompt = String("Tom has three apples and buys two more; how many apples".prefix(10 + index))
      let model = index.isMultiple(of: 3) ? "tuned" : "tiny"
      return
        #"{"model": "\#(model)", "prompt": "\#(prompt)", "max_tokens": \#(4 + index % 9), "temperature": 0, "stream": \#(index.isMultiple(of: 2))}"#
    }
    @Sendable func text(_ body: String, _ client: Client) throws -> String {
      let reply = try client.post("/v1/completions", body)
      let parts =
        body.contains(#""stream": true"#)
        ? try reply.events().dropLast().map { try JSONValue.parse($0, source: "event") } : [try reply.json()]
      return parts.compactMap { $0["choices"]?.array?.first?["text"]?.string }.joined()
    }
    let fresh = try TestServer.tiny { $0.chunk = 8 }
    let alone = try bodies.map { try text($0, fresh.client) }
    nonisolated(unsafe) var together = [String?](repeating: nil, count: bodies.count)
    let lock = NSLock()
    let client = server.client
    DispatchQueue.concurrentPerform(iterations: bodies.count) { index in
      let found = try? text(bodies[index], client)
      lock.withLock { together[index] = found }
    }
    #expect(together == alone)
    #expect(Set(alone).count > 5)
  }
}
