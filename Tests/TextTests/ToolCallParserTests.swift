import FireflyBase
import FireflyText
import Foundation
import Testing

/// Calls in what a model says, by family, whole and in pieces.
@Suite struct ToolCallParserTests {
  typealias Event = ToolCallParser.Event

  private static let weather = Event.call(
    ToolCall(name: "weather", arguments: .object(["city": .string("Rome {\"}"), "days": .int(2)])))
  private static let time = Event.call(ToolCall(name: "now", arguments: .object([:])))
  private static let json = #"{"city": "Rome {\"}", "days": 2}"#

  private static let cases: [(ToolSyntax, String, [Event])] = [
    (.hermes, "Hi.", [.text("Hi.")]),
    (
      .hermes, "Let me look.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": \(json)}\n</tool_call>",
      [.text("Let me look."), weather]
    ),
    (
      .hermes,
      "<tool_call>\n{\"name\": \"weather\", \"arguments\": \(json)}\n</tool_call>\n<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>\nDone.",
      [weather, time, .text("Done.")]
    ),
    // The stop token came before the closing mark.
    (.hermes, "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n", [time]),
    (.hermes, "<tool_call>{\"name\": </tool_call> x", [.text("<tool_call>{\"name\": </tool_call> x")]),
    (.hermes, "a < b <tool", [.text("a < b <tool")]),
    (
      .qwenXML,
      "<tool_call>\n<function=weather>\n<parameter=city>\nRome {\"}\n</parameter>\n<parameter=days>\n2\n</parameter>\n</function>\n</tool_call>",
      [weather]
    ),
    (
      .glmXML,
      "<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>Rome {\"}</arg_value>\n<arg_key>days</arg_key>\n<arg_value>2</arg_value>\n</tool_call>",
      [weather]
    ),
    (.glmXML, "<tool_call>now\n</tool_call>", [time]),
    (.glm, "weather\n\(json)", [weather]), (.glm, "\nIt is sunny.\n{}", [.text("\nIt is sunny.\n{}")]),
    (.glm, "weather\n\(json)<|assistant|>now\n{}", [weather, time]),
    (.llama, #"{"name": "weather", "parameters": \#(json)}"#, [weather]),
    (
      .llama,
      #"<|python_tag|>{"name": "weather", "parameters": \#(json)}; {"name": "now", "parameters": {}}"#,
      [weather, time]
    ),
    (
      .llama, #"<|python_tag|>weather.call(city="Rome {\"}", days=2)"#, [weather]
    ),
    (
      .llama, "<|python_tag|>print(1)",
      [.call(ToolCall(name: "code_interpreter", arguments: .object(["code": .string("print(1)")])))]
    ),
    (.llama, #"{"a": 1}"#, [.text(#"{"a": 1}"#)]), (.llama, "It is {sunny}.", [.text("It is {sunny}.")]),
    (.llama, #"{"name": "x"#, [.text(#"{"name": "x"#)]),
    (
      .mistral,
      #"[TOOL_CALLS] [{"name": "weather", "arguments": \#(json), "id": "abc123def"}, {"name": "now", "arguments": {}}]"#,
      [
        .call(
          ToolCall(
            id: "abc123def", name: "weather",
            arguments: .object(["city": .string("Rome {\"}"), "days": .int(2)]))),
        time,
      ]
    ),
    (.mistral, "Wait.[TOOL_CALLS]weather[ARGS]\(json)[TOOL_CALLS]now{}", [.text("Wait."), weather, time]),
    (
      .deepSeek,
      "Wait.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>weather\n```json\n\(json)\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
      [.text("Wait."), weather, time]
    ),
    (
      .deepSeek,
      "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>weather<｜tool▁sep｜>\(json)<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
      [weather]
    ),
  ]

  @Test(arguments: cases.indices) func readsWholeAnswers(_ index: Int) {
    let (syntax, text, events) = Self.cases[index]
    #expect(ToolCallParser.parse(text, syntax) == events, "\(syntax): \(text)")
  }

  /// However the text is cut, what comes out is the same, and no text comes that belongs to a call.
  @Test(arguments: cases.indices) func readsPieces(_ index: Int) {
    let (syntax, text, expected) = Self.cases[index]
    for size in [1, 2, 3, 7, 20] {
      var parser = ToolCallParser(syntax)
      var events: [Event] = []
      var rest = text[...]
      while !rest.isEmpty {
        events += parser.append(String(rest.prefix(size)))
        rest = rest.dropFirst(size)
      }
      events += parser.finish()
      #expect(joined(events) == expected, "\(syntax), pieces of \(size): \(text)")
    }
  }

  private func joined(_ events: [Event]) -> [Event] {
    events.reduce(into: []) { all, event in
      if case .text(let more) = event, case .text(let before)? = all.last {
        all[all.count - 1] = .text(before + more)
      } else {
        all.append(event)
      }
    }
  }

  /// Text is not held back longer than a mark may begin in it.
  @Test func textComesAtOnce() {
    var parser = ToolCallParser(.hermes)
    #expect(parser.append("Hello, ") == [.text("Hello,")])
    #expect(parser.append("you") == [.text(" you")])
    #expect(parser.append(" <t") == [])
    #expect(parser.append("ag>") == [.text(" <tag>")])
    var llama = ToolCallParser(.llama)
    #expect(llama.append("It is") == [.text("It is")])
  }

  /// Known tools tell texts from numbers, and calls from other JSON.
  @Test func schemasAreFollowed() throws {
    let tool = try OrderedJSON.parse(
      #"{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}}}"#,
      source: "test")
    let xml =
      "<tool_call><function=weather><parameter=city>42</parameter><parameter=days>2</parameter></function></tool_call>"
    let call = ToolCall(name: "weather", arguments: .object(["city": .string("42"), "days": .int(2)]))
    #expect(ToolCallParser.parse(xml, .qwenXML, tools: [tool]) == [.call(call)])
    let person = #"{"name": "Ada", "parameters": {}}"#
    #expect(ToolCallParser.parse(person, .llama, tools: [tool]) == [.text(person)])
    #expect(ToolCallParser.parse("Rome\n{}", .glm, tools: [tool]) == [.text("Rome\n{}")])
  }

  @Test func theTemplateTellsTheSyntax() throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../JinjaTests/Fixtures/templates.json").path
    let sources = try #require(JSONValue.read(path).object).compactMapValues(\.string)
    let expected: [String: ToolSyntax?] = [
      "qwen2": .hermes, "llama3": .llama, "mistral": .mistral, "deepseek_tools": .deepSeek,
      "glm4": .glm, "chatml": nil, "gemma": nil, "llama2": nil,
    ]
    for (name, syntax) in expected {
      #expect(ToolSyntax(OwnTemplate(chat: try #require(sources[name]))) == syntax, "\(name)")
    }
  }

  @Test func callsAreOpenAIs() {
    let call = ToolCall(id: "c1", name: "f", arguments: .object(["b": .int(1), "a": .null]))
    #expect(ToolCall(openAI: call.openAI) == call)
    let text: OrderedJSON = .object([
      "id": .string("c1"),
      "function": .object(["name": .string("f"), "arguments": .string(#"{"b": 1, "a": null}"#)]),
    ])
    #expect(ToolCall(openAI: text) == call)
    #expect(ToolCall(openAI: .object(["arguments": .object([:])])) == nil)
  }
}
