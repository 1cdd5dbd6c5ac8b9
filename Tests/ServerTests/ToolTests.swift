import FireflyBase
import FireflyDoubles
import FireflyServer
import Foundation
import Testing

/// Tools, reasoning and templates' variables through the chat's path.
@Suite struct ToolTests {
  /// In the style of Qwen's: tools first, calls between marks, and an answer that may think.
  static let template = """
    {%- for tool in tools or [] %}<tool>{{ tool.function.name }}</tool>{% endfor -%}
    {%- for m in messages %}<{{ m.role }}{% if m.name %} {{ m.name }}{% endif %}>{{ m.content or '' }}\
    {%- for c in m.tool_calls or [] %}<tool_call>{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}</tool_call>{% endfor -%}
    {%- endfor -%}
    {%- if add_generation_prompt %}~{% if enable_thinking is defined and enable_thinking %}<think>{% endif %}{% endif -%}
    """

  static let tools =
    #""tools": [{"type": "function", "function": {"name": "weather", "description": "d", "strict": true, "parameters": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 4}, "days": {"type": "integer", "minimum": 1, "maximum": 9}}, "required": ["city", "days"]}}}, {"type": "function", "function": {"name": "time"}}]"#
  private static let question = #""model": "m", "messages": [{"role": "user", "content": "Rome?"}]"#
  private static let call =
    "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"days\": 2, \"city\": \"Rome\"}}\n</tool_call>"

  /// An answer as a whole, and what a stream of it comes to, which must be the same.
  func answer(_ server: TestServer, _ members: String) throws -> (message: JSONValue, reason: String?) {
    let body = "{\(ToolTests.question), \(members.isEmpty ? "" : members + ", ")\"max_tokens\": 400"
    let whole = try server.client.post("/v1/chat/completions", body + "}")
    #expect(whole.status == 200, "\(whole.text)")
    let choice = try #require(try whole.json()["choices"]?.array?.first)
    let message = try #require(choice["message"])
    let stream = try server.client.post("/v1/chat/completions", body + #", "stream": true}"#)
    let choices = try stream.events().dropLast().map {
      try #require(try JSONValue.parse($0, source: "event")["choices"]?.array?.first)
    }
    func joined(_ name: String) -> String { choices.compactMap { $0["delta"]?[name]?.string }.joined() }
    #expect(joined("content") == message["content"]?.string ?? "")
    #expect(joined("reasoning_content") == message["reasoning_content"]?.string ?? "")
    #expect(choices.last?["finish_reason"] == choice["finish_reason"])
    let calls = choices.flatMap { $0["delta"]?["tool_calls"]?.array ?? [] }
    #expect(calls.map { $0["function"] } == (message["tool_calls"]?.array ?? []).map { $0["function"] })
    #expect(calls.map { $0["index"]?.int } == Array(0..<calls.count))
    return (message, choice["finish_reason"]?.string)
  }

  @Test func aCallIsReadFromTheAnswer() throws {
    let server = try TestServer.scripted("Let me see.\n" + Self.call, template: Self.template)
    let (message, reason) = try answer(server, Self.tools)
    #expect(message["content"]?.string == "Let me see.")
    #expect(reason == "tool_calls")
    let calls = try #require(message["tool_calls"]?.array)
    #expect(calls.count == 1 && calls[0]["type"]?.string == "function")
    #expect(calls[0]["id"]?.string?.hasPrefix("call_") == true)
    #expect(calls[0]["function"]?["name"]?.string == "weather")
    // As the model wrote them.
    #expect(calls[0]["function"]?["arguments"]?.string == #"{"days": 2, "city": "Rome"}"#)
    // Without text beside the call there is none.
    let bare = try answer(TestServer.scripted(Self.call, template: Self.template), Self.tools)
    #expect(bare.message["content"] == nil && bare.message["tool_calls"]?.array?.count == 1)
  }

  /// Reasoning, text and calls in channels, as gpt-oss writes them.
  @Test func channelsAreToldApart() throws {
    let template = Self.template.replacing("~", with: "<|start|>assistant{# <|channel|> #}~")
    let thought = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant"
    let said = try answer(
      TestServer.scripted(thought + "<|channel|>final<|message|>Sunny.", template: template), "")
    #expect(said.message["reasoning_content"]?.string == "Hm." && said.reason == "stop")
    #expect(said.message["content"]?.string == "Sunny.")
    let arguments = #"{"days": 2, "city": "Rome"}"#
    let call = " to=functions.weather<|channel|>commentary json<|message|>\(arguments)"
    let called = try answer(TestServer.scripted(thought + call, template: template), Self.tools)
    #expect(called.reason == "tool_calls" && called.message["content"] == nil)
    #expect(
      called.message["tool_calls"]?.array?.first?["function"]
        == .object(["name": .string("weather"), "arguments": .string(arguments)]))
    // As it comes, where nothing shall be told apart.
    let plain = try answer(
      TestServer.scripted(thought + call, template: template),
      Self.tools + #", "reasoning_format": "none""#)
    #expect(plain.message["content"]?.string == thought + call)
  }

  @Test func severalCallsOrOne() throws {
    let server = try TestServer.scripted(Self.call + "\n" + Self.call, template: Self.template)
    #expect(try answer(server, Self.tools).message["tool_calls"]?.array?.count == 2)
    let one = try answer(server, Self.tools + #", "parallel_tool_calls": false"#)
    #expect(one.message["tool_calls"]?.array?.count == 1)
  }

  @Test func withoutToolsACallIsText() throws {
    let server = try TestServer.scripted(Self.call, template: Self.template)
    for members in ["", Self.tools + #", "tool_choice": "none""#] {
      let (message, reason) = try answer(server, members)
      #expect(message["content"]?.string == Self.call && message["tool_calls"] == nil)
      #expect(reason == "stop")
    }
  }

  @Test(arguments: [
    (#""required""#, ["weather", "time"]),
    (#"{"type": "function", "function": {"name": "weather"}}"#, ["weather"]),
    (
      #"{"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "time"}}]}}"#,
      ["time"]
    ),
  ])
  func aCallCanBeForced(choice: String, names: [String]) throws {
    for seed in 0..<6 {
      let model = FunctionModel { sequence in
        var state = UInt64(seed) &* 0x9E37_79B9 &+ UInt64(sequence.count) &* 0x85EB_CA6B &+ 1
        return (0..<258).map { _ in
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          return Float(state >> 40) / Float(1 << 24) * 8
        }
      }
      let server = try TestServer.talking(model, template: Self.template)
      let (message, reason) = try answer(
        server, Self.tools + #", "tool_choice": \#(choice), "logit_bias": {"125": 6}"#)
      #expect(reason == "tool_calls")
      let call = try #require(message["tool_calls"]?.array?.first?["function"])
      #expect(names.contains(call["name"]?.string ?? ""))
      let arguments = try JSONValue.parse(call["arguments"]?.string ?? "", source: "arguments")
      if call["name"]?.string == "weather" {
        #expect((arguments["city"]?.string?.unicodeScalars.count ?? 9) <= 4)
        #expect((1...9).contains(arguments["days"]?.int ?? 0))
      } else {
        #expect(arguments.object != nil)
      }
    }
  }

  @Test(arguments: [
    (#""tools": {}"#, "tools"), (#""tools": [1]"#, "tools[0]"),
    (#""tools": [{"type": "custom", "custom": {"name": "x"}}]"#, "tools[0].custom"),
    (#""tools": [{"type": "function", "function": {"name": "a b"}}]"#, "tools[0].function.name"),
    (
      #""tools": [{"type": "function", "function": {"name": "a", "parameters": 1}}]"#,
      "tools[0].function.parameters"
    ),
    (#""tools": [{"type": "function", "function": {"name": "a", "colour": 1}}]"#, "tools[0].function.colour"),
    (#""tool_choice": "required""#, "tool_choice"),
    (Self.tools + #", "tool_choice": "maybe""#, "tool_choice"),
    (Self.tools + #", "tool_choice": {"type": "function", "function": {"name": "other"}}"#, "tool_choice"),
    (
      Self.tools
        + #", "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"not": {}}}}"#,
      "response_format"
    ),
    (#""functions": [{"name": "a"}]"#, "functions"),
    (
      #""tools": [{"type": "function", "function": {"name": "a", "parameters": {"not": {}}}}], "tool_choice": "required""#,
      "tools"
    ),
    (#""chat_template_kwargs": {"colour": "red"}"#, "chat_template_kwargs.colour"),
    (#""chat_template_kwargs": 1"#, "chat_template_kwargs"),
    (#""chat_template_kwargs": {"messages": []}"#, "chat_template_kwargs"),
    (#""reasoning_effort": "high""#, "reasoning_effort"),
  ])
  func whatIsWrongIsNamed(members: String, parameter: String) throws {
    let server = try TestServer.scripted("x", template: Self.template)
    let reply = try server.client.post("/v1/chat/completions", "{\(Self.question), \(members)}")
    #expect(reply.status == 400, "\(reply.text)")
    #expect(try reply.json()["error"]?["param"]?.string == parameter, "\(reply.text)")
  }

  @Test func aTemplateWithoutToolsSaysSo() throws {
    let server = try TestServer.scripted("x")  // minicpm
    let reply = try server.client.post("/v1/chat/completions", "{\(Self.question), \(Self.tools)}")
    #expect(reply.status == 400)
    #expect(try reply.json()["error"]?["param"]?.string == "tools")
  }

  /// The model is told of the tools, and the answer says that its calls are not understood.
  @Test func callsInAFormThatIsNotKnownAreText() throws {
    let template = Self.template.replacing("<tool_call>", with: "CALL ")
    let script = "CALL weather(Rome)"
    let server = try TestServer.scripted(script, template: template)
    let body = "{\(Self.question), \(Self.tools), \"max_tokens\": 400"
    let reply = try server.client.post("/v1/chat/completions", body + "}").json()
    let message = reply["choices"]?.array?.first?["message"]
    #expect(message?["content"]?.string == script && message?["tool_calls"] == nil)
    let told = (reply["warnings"]?.array ?? []).compactMap(\.string)
    #expect(told.contains { $0.hasSuffix("calls come as text.") }, "\(told)")
    let forced = try server.client.post("/v1/chat/completions", body + #", "tool_choice": "required"}"#)
    #expect(forced.status == 400)
    #expect(try forced.json()["error"]?["param"]?.string == "tool_choice")
  }

  /// What stands around reasoning is what the template has there.
  @Test func reasoningBetweenOtherMarks() throws {
    let template = Self.template.replacing("<think>", with: "[THINK]") + "{# [/THINK] #}"
    let (message, _) = try answer(TestServer.scripted("[THINK]hm[/THINK]Yes", template: template), "")
    #expect(message["reasoning_content"]?.string == "hm" && message["content"]?.string == "Yes")
  }

  // MARK: - Conversations

  private func prompt(_ server: TestServer, _ messages: String, _ more: String = "") throws -> String? {
    let reply = try server.client.post("/apply-template", "{\"messages\": \(messages)\(more)}")
    return try reply.json()["prompt"]?.string ?? reply.json()["error"]?["message"]?.string
  }

  @Test func theTemplateDecidesWhatAConversationIs() throws {
    let server = try TestServer.scripted("x", template: Self.template)
    func turn(_ role: String, _ text: String) -> String { #"{"role": "\#(role)", "content": "\#(text)"}"# }
    let user = turn("user", "a")
    #expect(try prompt(server, "[\(user), \(turn("user", "b"))]") == "<user>a<user>b~")
    #expect(try prompt(server, "[\(turn("assistant", "hi")), \(user)]") == "<assistant>hi<user>a~")
    #expect(
      try prompt(server, "[\(user), \(turn("assistant", "b")), \(turn("system", "s")), \(user)]")
        == "<user>a<assistant>b<system>s<user>a~")
    #expect(
      try prompt(server, "[\(turn("developer", "s")), \(turn("system", "t")), \(user)]")
        == "<system>s<system>t<user>a~")
    #expect(
      try prompt(server, #"[{"role": "user", "name": "bob", "content": [{"type": "text", "text": "c"}]}]"#)
        == "<user bob>c~")
    // An answer that was reasoning and no more.
    #expect(
      try prompt(server, #"[\#(user), {"role": "assistant", "content": null, "reasoning": "r"}, \#(user)]"#)
        == "<user>a<assistant><user>a~")
    // Calls and what came of them, the arguments as JSON text or as an object.
    for arguments in [#""{\"b\": 1, \"a\": 2}""#, #"{"b": 1, "a": 2}"#] {
      let calls =
        #"{"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": \#(arguments)}}]}"#
      #expect(
        try prompt(
          server, #"[\#(user), \#(calls), {"role": "tool", "tool_call_id": "c1", "content": "5"}]"#,
          ", \(Self.tools)")
          == "<tool>weather</tool><tool>time</tool><user>a<assistant><tool_call>{\"name\": \"f\", \"arguments\": {\"b\": 1, \"a\": 2}}</tool_call><tool>5~"
      )
    }
  }

  // MARK: - Reasoning

  @Test(
    arguments: [
      ("<think>\nLet me\nsee.\n</think>\n\nYes.", "Let me\nsee.", "Yes."), ("Yes.", nil, "Yes."),
      ("<think></think>Yes.", nil, "Yes."), ("<thinking>Yes.", nil, "<thinking>Yes."),
      ("<think>so", "so", ""),
      ("\n<think> a < b </think>\n", "a < b", ""),
    ] as [(String, String?, String)])
  func reasoningStandsBesideTheAnswer(script: String, reasoning: String?, text: String) throws {
    let server = try TestServer.scripted(script, template: Self.template)
    let (message, _) = try answer(server, "")
    #expect(message["reasoning_content"]?.string == reasoning)
    #expect(message["content"]?.string == text)
    let plain = try answer(server, #""reasoning_format": "none""#)
    #expect(plain.message["content"]?.string == script && plain.message["reasoning_content"] == nil)
  }

  @Test func theTemplatesVariablesAreTheRequests() throws {
    // The prompt has begun the thought.
    let server = try TestServer.scripted("<think>hm</think>\n\nYes", template: Self.template)
    let user = #"[{"role": "user", "content": "a"}]"#
    let thinking = #", "chat_template_kwargs": {"enable_thinking": true}"#
    #expect(try prompt(server, user, thinking) == "<user>a~<think>")
    #expect(try prompt(server, user) == "<user>a~")
    for members in [#""chat_template_kwargs": {"enable_thinking": true}"#, #""enable_thinking": true"#] {
      let (message, _) = try answer(server, members)
      #expect(message["reasoning_content"]?.string == "hm" && message["content"]?.string == "Yes")
    }
    #expect(try answer(server, #""reasoning_effort": "none""#).reason == "stop")
    // A template that knows no thinking does without.
    let other = try TestServer.scripted("x", template: "{{ messages[0].content }}~")
    #expect(
      try answer(other, #""chat_template_kwargs": {"enable_thinking": false}"#).message["content"]?.string
        == "x")
  }

  @Test func logProbabilitiesCoverWhatIsTakenApart() throws {
    let server = try TestServer.scripted("A" + Self.call, template: Self.template)
    let body = "{\(Self.question), \(Self.tools), \"logprobs\": true, \"max_tokens\": 400"
    let whole = try server.client.post("/v1/chat/completions", body + "}").json()
    let entries = try #require(whole["choices"]?.array?.first?["logprobs"]?["content"]?.array)
    let stream = try server.client.post("/v1/chat/completions", body + #", "stream": true}"#)
    let streamed = try stream.events().dropLast().flatMap {
      try JSONValue.parse($0, source: "event")["choices"]?.array?.first?["logprobs"]?["content"]?.array ?? []
    }
    #expect(entries.count == ("A" + Self.call).utf8.count)
    #expect(streamed.count == entries.count)
  }
}
