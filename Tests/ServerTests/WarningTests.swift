import FireflyBase
import FireflyServer
import Foundation
import Testing

/// What a request asks for without effect is told in the answer, and once in the server's log.
@Suite struct WarningTests {
  private static let template =
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if tools %}{{ tools[0].function.name }}{% endif %}~"

  private func warnings(_ reply: Reply) throws -> [String] {
    #expect(reply.status == 200, "\(reply.text)")
    return (try reply.json()["warnings"]?.array ?? []).compactMap(\.string)
  }

  private static let plain = #"{"role": "user", "content": "x"}"#
  private static let tool = #""tools": [{"type": "function", "function": {"name": "f", "strict": true}}]"#

  @Test(arguments: [
    (plain, "", []),
    (plain, #", "store": false, "service_tier": "auto", "user": "u""#, []),
    (plain, #", "store": true"#, [#""store" has no effect here: no answer is kept."#]),
    (
      plain, #", "max_completion_tokens": 50, "max_tokens": 60"#,
      [#""max_tokens" has no effect here: "max_completion_tokens" goes before it."#]
    ),
    (plain, #", "service_tier": "flex""#, [#""service_tier" has no effect here"#]),
    (
      #"{"role": "user", "name": "Ann", "content": "x"}"#, "",
      [#""m" does not see all of the conversation: names of speakers"#]
    ),
    (
      #"{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "reasoning_content": "c"}, {"role": "user", "content": "d"}"#,
      "", [#""m" does not see all of the conversation: answers whose reasoning"#]
    ),
    (
      plain,
      #", "response_format": {"type": "json_object", "schema": {"format": "hostname", "maxLength": 3}}"#,
      [#"The schema's "format": "hostname" is not held to (at schema)."#]
    ),
    (plain, ", " + tool, [#""strict" of the tool "f" has no effect here"#]),
    (
      #"{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]}"#,
      "", []
    ),
  ])
  func chatsTell(messages: String, members: String, told: [String]) throws {
    // A template that writes no calls has no place for tools.
    let source = members.contains("tools") ? "{# <tool_call> #}" + Self.template : Self.template
    let server = try TestServer.scripted("fine", template: source)
    let body = #"{"model": "m", "messages": [\#(messages)]\#(members)"#
    let found = try warnings(server.client.post("/v1/chat/completions", body + "}"))
    #expect(found.count == told.count, "\(found)")
    for (sentence, beginning) in zip(found, told) { #expect(sentence.hasPrefix(beginning), "\(sentence)") }
    // The same in streams, on the last part and no other.
    for options in ["", #", "stream_options": {"include_usage": true}"#] {
      let stream = try server.client.post(
        "/v1/chat/completions", body + #", "stream": true\#(options)}"#
      ).events()
      #expect(stream.last == "[DONE]")
      let parts = try stream.dropLast().map { try JSONValue.parse($0, source: "event")["warnings"] }
      #expect(parts.dropLast().allSatisfy { $0 == nil })
      #expect((parts.last ?? nil)?.array?.compactMap(\.string) ?? [] == found)
    }
  }

  @Test func otherPathsTellToo() throws {
    let server = try TestServer.scripted("fine", template: Self.template)
    let named = #"{"messages": [{"role": "user", "name": "Ann", "content": "x"}]}"#
    for path in ["/apply-template", "/tokenize"] {
      #expect(try warnings(server.client.post(path, named)).first?.contains("names of speakers") == true)
      #expect(
        try server.client.post(path, #"{"messages": [{"role": "user", "content": "x"}]}"#).json()["warnings"]
          == nil)
    }
    let completion = #"{"model": "m", "prompt": "~", "store": true}"#
    #expect(try warnings(server.client.post("/v1/completions", completion)).count == 1)
    #expect(try warnings(server.client.post("/firefly", #"{"inputs": "x", "store": true}"#)).count == 1)
  }

  /// generate() warns of them too.
  @Test(arguments: [
    (#""do_sample": false, "temperature": 0.5, "top_p": 1.0, "top_k": 50"#, ["temperature"]),
    (#""num_beams": 2, "top_p": 0.5, "min_p": 0.1, "length_penalty": 2"#, ["min_p", "top_p"]),
    (
      #""do_sample": true, "temperature": 0.5, "length_penalty": 2, "early_stopping": true"#,
      ["early_stopping", "length_penalty"]
    ),
  ])
  func keywordsInVainAreTold(_ keywords: String, _ names: [String]) throws {
    let server = try TestServer.scripted("fine")
    let told = try warnings(server.client.post("/firefly", #"{"inputs": "x", "# + keywords + "}"))
    #expect(told.map { $0.prefix { $0 != " " } } == names.map { "\"\($0)\"" })
  }

  @Test func theLogHasEachSentenceOnce() throws {
    let lines = Locked<[String]>([])
    let server = try TestServer.scripted("fine") { $0.log = { line in lines.withLock { $0.append(line) } } }
    for _ in 0..<3 {
      _ = try server.client.post("/v1/completions", #"{"model": "m", "prompt": ">", "store": true}"#)
    }
    _ = try server.client.post("/v1/completions", #"{"model": "m", "prompt": ">", "service_tier": "flex"}"#)
    let told = lines.withLock { $0 }
    #expect(told.count == 2)
    #expect(told.first?.hasPrefix("\"store\"") == true && told.last?.hasPrefix("\"service_tier\"") == true)
  }

  @Test func whatIsUnknownInAPartIsRefused() throws {
    let server = try TestServer.scripted("fine", template: Self.template)
    let reply = try server.client.post(
      "/v1/chat/completions",
      #"{"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "x", "weight": 2}]}]}"#
    )
    #expect(reply.status == 400)
    #expect(try reply.json()["error"]?["param"]?.string == "messages[0].content[0].weight")
  }
}

/// A chat whose last message is the assistant's: the answer goes on.
@Suite struct GoingOnTests {
  private static let template =
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
  private static let messages =
    #""messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "He said ~"}]"#

  @Test(arguments: [
    "", #", "continue_final_message": true"#,
    #", "continue_final_message": true, "add_generation_prompt": false"#,
    #", "add_generation_prompt": false"#,
  ])
  func theAnswerGoesOn(members: String) throws {
    let server = try TestServer.scripted("hello", template: Self.template)
    let reply = try server.client.post(
      "/v1/chat/completions", #"{"model": "m", \#(Self.messages)\#(members)}"#)
    #expect(reply.status == 200, "\(reply.text)")
    // What comes after it, and not what there was.
    #expect(try reply.json()["choices"]?.array?.first?["message"]?["content"]?.string == "hello")
    let prompt = try server.client.post("/apply-template", "{\(Self.messages)\(members)}").json()
    #expect(prompt["prompt"]?.string == "<user>x</s><assistant>He said ~")
  }

  @Test func aThoughtGoesOnAsOne() throws {
    let server = try TestServer.scripted("it is</think>\n\nYes.", template: Self.template)
    let reply = try server.client.post(
      "/v1/chat/completions",
      #"{"model": "m", "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "<think>\nAs far as I know, ~"}]}"#
    )
    let message = try #require(try reply.json()["choices"]?.array?.first?["message"])
    #expect(message["reasoning_content"]?.string == "it is" && message["content"]?.string == "Yes.")
  }

  @Test(arguments: [
    (
      messages + #", "continue_final_message": true, "add_generation_prompt": true"#, "continue_final_message"
    ),
    (messages + #", "continue_final_message": false"#, "messages"),
    (messages + #", "add_generation_prompt": true"#, "messages"),
    (messages + #", "response_format": {"type": "json_object"}"#, "response_format"),
    (
      #""messages": [{"role": "user", "content": "x"}], "continue_final_message": true"#,
      "continue_final_message"
    ),
    (
      #""messages": [{"role": "user", "content": "x"}], "add_generation_prompt": false"#,
      "add_generation_prompt"
    ),
    (#""messages": [{"role": "user", "content": "x", "prefix": true}]"#, "messages[0].prefix"),
    (#""messages": [{"role": "user", "content": "x", "partial": true}]"#, "messages[0].partial"),
    (#""messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": ""}]"#, "messages"),
  ])
  func whatCannotGoOnIsRefused(members: String, parameter: String) throws {
    let server = try TestServer.scripted("hello", template: Self.template)
    let reply = try server.client.post("/v1/chat/completions", #"{"model": "m", \#(members)}"#)
    #expect(reply.status == 400, "\(reply.text)")
    #expect(try reply.json()["error"]?["param"]?.string == parameter, "\(reply.text)")
  }
}
