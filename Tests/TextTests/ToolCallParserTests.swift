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
    (
      .seed,
      "<seed:tool_call>\n<function=weather>\n<parameter=city>Rome {\"}</parameter>\n<parameter=days>2</parameter>\n</function>\n</seed:tool_call>",
      [weather]
    ),
    (
      .miniMax,
      "Wait.\n<minimax:tool_call>\n<invoke name=\"weather\"><parameter name=\"city\">Rome {\"}</parameter>\n<parameter name=\"days\">2</parameter>\n</invoke>\n<invoke name=\"now\"></invoke>\n</minimax:tool_call>",
      [.text("Wait."), weather, time]
    ),
    (
      .deepSeekML,
      "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"weather\">\n<｜DSML｜parameter name=\"city\" string=\"true\">Rome {\"}</｜DSML｜parameter>\n<｜DSML｜parameter name=\"days\" string=\"false\">2</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>",
      [weather]
    ),
    (
      .miniCPM,
      "<function name=\"weather\"><param name=\"city\"><![CDATA[Rome {\"}]]></param><param name=\"days\">2</param></function>",
      [weather]
    ),
    (.functionary, "<function=weather>\(json)</function><function=now>{}</function>", [weather, time]),
    (
      .hunyuan,
      "<tool_calls:opensource>\n<tool_call:opensource>weather<tool_sep:opensource>\n<arg_key:opensource>city</arg_key:opensource>\n<arg_value:opensource>Rome {\"}</arg_value:opensource>\n<arg_key:opensource>days</arg_key:opensource>\n<arg_value:opensource>2</arg_value:opensource>\n</tool_call:opensource>\n</tool_calls:opensource>",
      [weather]
    ),
    (
      .nemotron,
      "<TOOLCALL>[{\"name\": \"weather\", \"arguments\": \(json)}, {\"name\": \"now\", \"arguments\": {}}]</TOOLCALL>",
      [weather, time]
    ),
    (.apriel, "<tool_calls>[{\"name\": \"weather\", \"arguments\": \(json)}]</tool_calls>", [weather]),
    (.granite, "<|tool_call|>[{\"name\": \"weather\", \"arguments\": \(json)}]", [weather]),
    (
      .granite,
      "<|tool_call|>[{\"type\": \"function\", \"function\": {\"name\": \"now\", \"arguments\": {}}}]<|/tool_call|>",
      [time]
    ),
    (
      .firefunction, "Wait. functools[{\"name\": \"weather\", \"arguments\": \(json)}]",
      [.text("Wait."), weather]
    ),
    (.firefunction, "import functools", [.text("import functools")]),
    (.gigaChat, "<|function_call|>{\"name\": \"weather\", \"arguments\": \(json)}", [weather]),
    (
      .gigaChatMessage,
      "Wait.<|message_sep|>\n\nfunction call<|role_sep|>\n{\"name\": \"weather\", \"arguments\": \(json)}<|message_sep|>\n\n",
      [.text("Wait."), weather]
    ),
    (
      .solar,
      "<|tool_calls|><|tool_call:begin|>a1b2c3d4e5<|tool_call:name|>weather<|tool_call:args|>\(json)<|tool_call:end|><|tool_call:begin|><|tool_call:name|>now<|tool_call:args|>{}<|tool_call:end|><|calls|>",
      [
        .call(
          ToolCall(
            id: "a1b2c3d4e5", name: "weather",
            arguments: .object(["city": .string("Rome {\"}"), "days": .int(2)]))),
        time,
      ]
    ),
    (
      .gemma,
      "Wait.<|tool_call>call:weather{city:<|\"|>Rome {\"}<|\"|>,days:2}<tool_call|><|tool_call>call:now{}<tool_call|>",
      [.text("Wait."), weather, time]
    ),
    (
      .gemma,
      "<|tool_call>call:f{a:[1,true,<|\"|>x, y<|\"|>],b:{c:None,<|\"|>d<|\"|>:{}},e:-1.5}<tool_call|>",
      [
        .call(
          ToolCall(
            name: "f",
            arguments: .object([
              "a": .array([.int(1), .bool(true), .string("x, y")]),
              "b": .object(["c": .null, "d": .object([:])]), "e": .double(-1.5),
            ])))
      ]
    ),
    (
      .gemma, "<|tool_call>call:f{a:}<tool_call|>", [.text("<|tool_call>call:f{a:}<tool_call|>")]
    ),
    (.recipients, "all\nLet me look.>>>weather\n\(json)>>>now\n{}", [.text("Let me look."), weather, time]),
    (.recipients, "weather\n\(json)\n>>>all\nDone > that.", [weather, .text("Done > that.")]),
    (.recipients, "Hello there.\nall", [.text("Hello there.\nall")]),
    (.recipients, "now\n{\"a\": ", [.text("now\n{\"a\": ")]),
    (.recipients, "now\nnothing", [.text("now\nnothing")]),
    (
      .cohere,
      "<|START_ACTION|>[\n    {\"tool_call_id\": \"0\", \"tool_name\": \"weather\", \"parameters\": \(json)}\n]<|END_ACTION|>",
      [weather]
    ),
    (
      .commandR,
      "Action: ```json\n[\n    {\n        \"tool_name\": \"weather\",\n        \"parameters\": \(json)\n    }\n]```",
      [weather]
    ),
    (.commandR, "Action: none", [.text("Action: none")]),
    (.apertus, "<|tools_prefix|>[{\"weather\": \(json)}, {\"now\": {}}]<|tools_suffix|>", [weather, time]),
    (
      .kimi,
      "Wait.<|tool_calls_section_begin|><|tool_call_begin|>functions.weather:0<|tool_call_argument_begin|>\(json)<|tool_call_end|><|tool_call_begin|>functions.now:1<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>",
      [.text("Wait."), weather, time]
    ),
    (
      .lfm, #"<|tool_call_start|>[weather(city='Rome {"}', days=2), now()]<|tool_call_end|>Done."#,
      [weather, time, .text("Done.")]
    ),
    (
      .lfm, #"<|tool_call_start|>[f(a=[1, True], b={'c': None}, d="x\"\n", e=-1.5)]<|tool_call_end|>"#,
      [
        .call(
          ToolCall(
            name: "f",
            arguments: .object([
              "a": .array([.int(1), .bool(true)]), "b": .object(["c": .null]), "d": .string("x\"\n"),
              "e": .double(-1.5),
            ])))
      ]
    ),
    (
      .lfm, "<|tool_call_start|>[f(a=]<|tool_call_end|>",
      [.text("<|tool_call_start|>[f(a=]<|tool_call_end|>")]
    ),
  ]

  @Test func everySyntaxIsTried() {
    #expect(Set(Self.cases.map(\.0)) == Set(ToolSyntax.allCases))
  }

  @Test(arguments: cases.indices) func readsWholeAnswers(_ index: Int) {
    let (syntax, text, events) = Self.cases[index]
    #expect(ToolCallParser.parse(text, syntax) == events, "\(syntax): \(text)")
  }

  /// A model that repeats itself may open brackets until its tokens end; the stack must not.
  @Test(arguments: [
    (ToolSyntax.lfm, "<|tool_call_start|>[f(a=", "<|tool_call_end|>"),
    (.gemma, "<|tool_call>call:f{a:", "<tool_call|>"),
  ]) func bracketsWithoutEndAreText(_ syntax: ToolSyntax, _ start: String, _ end: String) {
    for bracket in ["[", "{\"a\":"] {
      let text = start + String(repeating: bracket, count: 100_000) + end
      let events = ToolCallParser.parse(text, syntax)
      #expect(!events.contains { if case .call = $0 { true } else { false } })
    }
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
      #expect(try Self.syntax(of: try #require(sources[name])) == syntax, "\(name)")
    }
  }

  private static func syntax(of source: String) throws -> ToolSyntax? {
    try ChatTemplate.own(OwnTemplate(chat: source), tokenizer: CharacterTokenizer()).toolSyntax
  }

  /// The template's own calls tell, whatever it says of them elsewhere.
  @Test func whatTheTemplateWritesIsTried() throws {
    func source(_ call: String, _ said: String = "") -> String {
      "{% if tools %}\(said){{ tools | tojson }}{% endif %}{% for m in messages %}<{{ m.role }}>{{ m.content }}"
        + "{% for c in m.tool_calls or [] %}\(call){% endfor %}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
    }
    let (name, arguments) = ("{{ c.function.name }}", "{{ c.function.arguments | tojson }}")
    #expect(
      try Self.syntax(
        of: source("<TOOLCALL>[{\"name\": \"\(name)\", \"arguments\": \(arguments)}]</TOOLCALL>"))
        == .nemotron)
    #expect(try Self.syntax(of: source("<function=\(name)>\(arguments)</function>")) == .functionary)
    // It speaks of Hermes' marks and writes Mistral's.
    #expect(
      try Self.syntax(of: source("[TOOL_CALLS]\(name)[ARGS]\(arguments)", "not <tool_call>")) == .mistral)
    #expect(try Self.syntax(of: source("call \(name) with \(arguments)")) == nil)
    // What the prompt ends with begins as the call does.
    #expect(
      try Self.syntax(
        of: source("<tool_call>{\"name\": \"\(name)\", \"arguments\": \(arguments)}</tool_call>").replacing(
          "%}<assistant>{% endif", with: "%}<assistant><think></think>{% endif")) == .hermes)
    // Without a place for calls, what it says of them is all there is.
    let silent =
      "{{ tools | tojson }} Reply with <tool_call>.{% for m in messages %}{{ m.content }}{% endfor %}"
    #expect(try Self.syntax(of: silent) == .hermes)
    let mute = OwnTemplate(chat: "{{ tools | tojson }}{% for m in messages %}{{ m.content }}{% endfor %}")
    for (specials, syntax) in [(["<|tool_call_start|>"], .lfm), ([], nil)] as [([String], ToolSyntax?)] {
      let tokenizer = CharacterTokenizer(specials: ["<pad>", "<s>", "</s>"] + specials)
      #expect(try ChatTemplate.own(mute, tokenizer: tokenizer).toolSyntax == syntax)
    }
    // SmolLM3's asks for tools by another name.
    let other = OwnTemplate(chat: "{{ xml_tools }}{% for m in messages %}{{ m.content }}{% endfor %}")
    let template = try ChatTemplate.own(other, tokenizer: CharacterTokenizer())
    #expect(!template.describesTools && template.toolSyntax == nil)
  }

  @Test(arguments: [
    ("{{ m.reasoning_content }}[THINK]x[/THINK]", "[THINK]", "[/THINK]"),
    ("<seed:think>{{ m.reasoning_content }}</seed:think>", "<seed:think>", "</seed:think>"),
    ("<think{0}>{{ m.reasoning_content }}</think{0}>", "<think>", "</think>"),
    (
      "{{ '<think%s>' % ':opensource' }}{{ '</think%s>' % ':opensource' }}", "<think:opensource>",
      "</think:opensource>"
    ),
    ("nothing", "<think>", "</think>"),
  ])
  func theTemplateTellsTheMarksOfReasoning(_ text: String, _ open: String, _ close: String) throws {
    let source = "{% for m in messages %}\(text)</s>{% endfor %}"
    let marks = try ChatTemplate.own(OwnTemplate(chat: source), tokenizer: CharacterTokenizer())
      .reasoningMarks
    #expect(marks.open == open && marks.close == close)
    #expect(marks.endsOpen("a\(open)\n") && !marks.endsOpen("\(open)a") && !marks.endsOpen("\(open)\(close)"))
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
