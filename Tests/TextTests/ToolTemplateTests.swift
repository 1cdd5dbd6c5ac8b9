import FireflyBase
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

/// Rows with tools, reasoning and masks, through templates in the style of those that models ship. What the templates write is
/// compared with transformers' own rendering by tools/reference/template_check.py and in JinjaTests; here: what is learnt.
@Suite struct ToolTemplateTests {
  private static let sources: [String: String] = {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../JinjaTests/Fixtures/templates.json").path
    return ((try? JSONValue.read(path))?.object ?? [:]).compactMapValues(\.string)
  }()

  private static func tokenizer(_ source: String?) -> CharacterTokenizer {
    CharacterTokenizer(
      specials: [
        "<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|eot_id|>", "<|start_header_id|>",
        "<|end_header_id|>", "[TOOL_CALLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]", "<|user|>", "<|assistant|>",
        "<|observation|>", "<|system|>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>", "<｜tool▁calls▁begin｜>",
        "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>", "<|start|>",
        "<|channel|>", "<|message|>", "<|end|>", "<|call|>", "<|return|>",
      ], chatTemplate: source)
  }

  /// The rows' samples and the report.
  private func load(
    _ rows: String..., template name: String, source: String? = nil, variables: JSONMembers = [:]
  ) throws -> (texts: [String], learnt: [[String]], report: DatasetReport) {
    let isNamed = source == nil && ChatTemplate.names.contains(name) && Self.sources[name] == nil
    let tokenizer = Self.tokenizer(isNamed ? nil : source ?? Self.sources[name])
    let template = try ChatTemplate.named(isNamed ? name : "auto", tokenizer: tokenizer)
      .with(variables: variables)
    let folder = try TemporaryFolder()
    let path = try folder.write(Data(rows.joined(separator: "\n").utf8), to: "rows.jsonl")
    let data = try withExtendedLifetime(folder) {
      try Dataset.load(path, template: template, tokenizer: tokenizer, maxLength: 100_000)
    }
    let learnt = data.samples.map { sample in
      sample.targets.map { tokenizer.decode(Array(sample.tokens[$0]), skipSpecial: false) }
    }
    return (data.samples.map { tokenizer.decode($0.tokens, skipSpecial: false) }, learnt, data.report)
  }

  /// In channels: a call and the last answer end with tokens of their own, earlier answers as other messages do.
  @Test func channelsAreLearntWithTheirEnds() throws {
    let template = """
      {%- for m in messages -%}
      {%- if m.role == 'assistant' and m.tool_calls -%}
      <|start|>assistant to=functions.{{ m.tool_calls[0].function.name }}<|channel|>commentary json<|message|>\
      {{- m.tool_calls[0].function.arguments | tojson }}<|call|>
      {%- elif m.role == 'assistant' -%}
      {%- if loop.last and m.thinking %}<|start|>assistant<|channel|>analysis<|message|>{{ m.thinking }}<|end|>{% endif -%}
      <|start|>assistant<|channel|>final<|message|>{{ m.content }}{{ '<|return|>' if loop.last else '<|end|>' }}
      {%- else %}<|start|>{{ m.role }}<|message|>{{ m.content }}<|end|>{% endif -%}
      {%- endfor -%}
      {%- if add_generation_prompt %}<|start|>assistant{% endif -%}
      """
    let called = Self.row(arguments: Self.object)
    let thought =
      #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "reasoning_content": "e"}]}"#
    let data = try load(called, thought, template: "auto", source: template)
    #expect(
      data.learnt == [
        [
          " to=functions.weather<|channel|>commentary json<|message|>\(Self.object)<|call|>",
          "<|channel|>final<|message|>It is sunny.<|return|>",
        ],
        [
          "<|channel|>final<|message|>b<|end|>",
          "<|channel|>analysis<|message|>e<|end|><|start|>assistant<|channel|>final<|message|>d<|return|>",
        ],
      ])
    let tokenizer = Self.tokenizer(template)
    let stops = try ChatTemplate.named("auto", tokenizer: tokenizer).stopIDs(tokenizer)
    #expect(stops.compactMap(tokenizer.token(of:)).starts(with: ["<|return|>", "<|call|>"]))
  }

  private static let tool =
    #"{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "at": {"type": "string"}}}}}"#

  /// OpenAI's row; the arguments in an order that no sorting gives.
  private static func row(arguments: String) -> String {
    #"{"tools": [\#(tool)], "messages": [{"role": "user", "content": "Rome?"}, {"role": "assistant", "content": "", "tool_calls": [{"id": "abc123def", "type": "function", "function": {"name": "weather", "arguments": \#(arguments)}}]}, {"role": "tool", "tool_call_id": "abc123def", "content": "sunny"}, {"role": "assistant", "content": "It is sunny."}]}"#
  }
  private static let object = #"{"city": "Rome", "at": "noon", "n": 2}"#
  private static let text = #""{\"city\":\"Rome\", \"at\":\"noon\",\"n\":2}""#

  @Test(arguments: [
    ("qwen2", "<tool_call>\n{\"name\": \"weather\", \"arguments\": \(object)}\n</tool_call><|im_end|>"),
    ("llama3", "{\"name\": \"weather\", \"parameters\": \(object)}<|eot_id|>"),
    (
      "mistral",
      "[TOOL_CALLS] [{\"name\": \"weather\", \"arguments\": \(object), \"id\": \"abc123def\"}]</s>"
    ),
    (
      "deepseek_tools",
      "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>weather\n```json\n\(object)\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜>"
    ),
    ("glm4", "weather\n\(object)<|observation|>"),
  ])
  func callsAreLearnt(_ name: String, _ call: String) throws {
    let whole = try load(Self.row(arguments: Self.object), template: name)
    #expect(whole.learnt.first?.count == 2)
    #expect(whole.learnt.first?.first == call, "\(whole.texts)")
    #expect(whole.report.lost == [:] && whole.report.unusedKeys == [:])
    #expect(whole.texts.first?.contains("sunny") == true)
    #expect(whole.texts.first?.contains("\"properties\"") == true, "the tools are described")
    if name != "deepseek_tools" {  // it is given the arguments' text as it is
      #expect(try load(Self.row(arguments: Self.text), template: name).texts == whole.texts)
    }
  }

  /// DeepSeek-R1's writes calls only where there is no text, and joins the arguments as text.
  @Test func callsBesideNoTextAreTried() throws {
    let source =
      "{% for m in messages %}{% if m.tool_calls and m.content is none %}{{ 'call ' + m.tool_calls[0].function.arguments }}"
      + "{% else %}{{ m.content }}{% endif %}</s>{% endfor %}"
    let row = Self.row(arguments: #"{"a": 1}"#).replacing(
      #""content": "", "tool_calls""#, with: #""content": null, "tool_calls""#)
    let found = try load(row, template: "r1", source: source)
    #expect(found.learnt.first?.first == #"call {"a": 1}</s>"#)
  }

  /// Calls beside the question, as xlam-function-calling has them: a list, or its JSON text.
  @Test(arguments: [
    #"[{"name": "weather", "arguments": {"city": "Rome"}}]"#,
    #""[{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}]""#,
  ])
  func callsMayBeTheAnswers(_ answers: String) throws {
    let found = try load(
      #"{"id": 1, "query": "Rome?", "answers": \#(answers), "tools": [\#(Self.tool)]}"#, template: "qwen2")
    #expect(
      found.learnt == [
        ["<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}\n</tool_call><|im_end|>"]
      ])
    #expect(found.report.lost == [:] && found.report.unusedKeys == [:])
  }

  /// The other trainers' words for the same conversation.
  @Test(arguments: [
    // ShareGPT as LLaMA-Factory has it
    #"{"tools": "[{\"name\": \"weather\", \"parameters\": {\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\"}, \"at\": {\"type\": \"string\"}}}}]", "conversations": [{"from": "human", "value": "Rome?"}, {"from": "function_call", "value": "{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\", \"at\": \"noon\", \"n\": 2}}"}, {"from": "observation", "value": "sunny"}, {"from": "gpt", "value": "It is sunny."}]}"#,
    // ms-swift
    #"{"tools": "[{\"type\": \"function\", \"function\": {\"name\": \"weather\", \"parameters\": {\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\"}, \"at\": {\"type\": \"string\"}}}}}]", "messages": [{"role": "user", "content": "Rome?"}, {"role": "tool_call", "content": "{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\", \"at\": \"noon\", \"n\": 2}}"}, {"role": "tool_response", "content": "sunny"}, {"role": "assistant", "content": "It is sunny."}]}"#,
    // OpenAI's older form
    #"{"functions": [{"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "at": {"type": "string"}}}}], "messages": [{"role": "user", "content": "Rome?"}, {"role": "assistant", "content": "", "function_call": {"name": "weather", "arguments": "{\"city\": \"Rome\", \"at\": \"noon\", \"n\": 2}"}}, {"role": "function", "name": "weather", "content": "sunny"}, {"role": "assistant", "content": "It is sunny."}]}"#,
    // the original's rows for ChatGLM3
    #"{"tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "at": {"type": "string"}}}}}], "conversations": [{"role": "user", "content": "Rome?"}, {"role": "tool", "name": "weather", "parameters": {"city": "Rome", "at": "noon", "n": 2}, "observation": "sunny"}, {"role": "assistant", "content": "It is sunny."}]}"#,
  ])
  func otherFormsAreTheSameConversation(_ row: String) throws {
    let expected = try load(Self.row(arguments: Self.object), template: "qwen2")
    let found = try load(row, template: "qwen2")
    #expect(found.texts == expected.texts)
    #expect(found.learnt == expected.learnt)
    #expect(found.report.unusedKeys == [:])
    // Ids are made up for templates that ask for them.
    #expect(try load(row, template: "mistral").texts.first?.contains(#""id": "call00000""#) == true)
  }

  @Test func callsJoinTheAnswerBeforeThem() throws {
    let row =
      #"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "Both."}, {"role": "tool_call", "content": "{\"name\": \"a\", \"arguments\": {}}"}, {"role": "tool_call", "content": "{\"name\": \"b\", \"arguments\": {\"x\": 1}}"}, {"role": "tool_response", "content": "1"}, {"role": "tool_response", "content": "2"}, {"role": "assistant", "content": "c"}]}"#
    let learnt = try load(row, template: "qwen2").learnt
    #expect(
      learnt == [
        [
          "Both.\n<tool_call>\n{\"name\": \"a\", \"arguments\": {}}\n</tool_call>\n<tool_call>\n{\"name\": \"b\", \"arguments\": {\"x\": 1}}\n</tool_call><|im_end|>",
          "c<|im_end|>",
        ]
      ])
  }

  /// The original's text, piece by piece.
  @Test func chatGLM3WritesToolsAsTheOriginal() throws {
    let tokenizer = CharacterTokenizer(
      specials: [
        "<unk>", "<s>", "</s>", "[gMASK]", "sop", "<|system|>", "<|user|>", "<|assistant|>",
        "<|observation|>",
      ])
    let folder = try TemporaryFolder()
    let row =
      #"{"tools": [{"name": "weather"}], "conversations": [{"role": "user", "content": "q"}, {"role": "tool", "name": "weather", "parameters": {"city": "it's", "days": 2, "b": true}, "observation": {"sky": "蓝"}}, {"role": "assistant", "content": "a"}]}"#
    let path = try folder.write(Data(row.utf8), to: "rows.jsonl")
    let sample = try Dataset.load(
      path, template: .named("chatglm3"), tokenizer: tokenizer, maxLength: 999
    ).samples[0]
    let call = "weather\n```python\ntool_call(city=\"it's\", days=2, b=True)\n```</s>"
    #expect(
      tokenizer.decode(sample.tokens, skipSpecial: false)
        == "[gMASK]sop<|system|>Answer the following questions as best as you can. You have access to the following tools:\n"
        + "[\n    {\n        \"type\": \"function\",\n        \"function\": {\n            \"name\": \"weather\"\n        }\n    }\n]"
        + "<|user|>q<|assistant|>" + call + "<|observation|>{\"sky\": \"蓝\"}<|assistant|>a</s>")
    let learnt = sample.targets.map { tokenizer.decode(Array(sample.tokens[$0]), skipSpecial: false) }
    #expect(learnt == [call, "a</s>"])
  }

  @Test func whatATemplateHasNoPlaceForIsTold() throws {
    let plain =
      #"{"tools": [\#(Self.tool)], "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}"#
    let chatml = try load(plain, Self.row(arguments: Self.object), template: "chatml")
    #expect(chatml.report.lost.mapValues(\.first) == [.tools: [1]])
    #expect(chatml.report.dropped.mapValues(\.first) == [.noPlaceForTools: [2]])
    #expect(chatml.report.summary.contains("tools that this template has no place for: 1 (line 1)"))
    let named = try load(plain, Self.row(arguments: Self.object), template: "default")
    #expect(named.report.lost.mapValues(\.first) == [.tools: [1]])
    #expect(named.report.dropped.mapValues(\.first) == [.noPlaceForTools: [2]])
    #expect(named.report.json["tools_lost"]?["count"] == .int(1))
  }

  @Test(arguments: [
    #"{"messages": [{"role": "user", "content": "q"}, {"role": "tool_call", "content": "weather in Rome"}]}"#,
    #"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "tool_calls": [{"function": {}}]}]}"#,
    #"{"tools": "not JSON", "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}"#,
    #"{"tools": [1], "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}"#,
  ])
  func brokenToolsAreRefusedByLine(_ row: String) {
    let error = #expect(throws: FireflyError.self) { try load(row, template: "qwen2") }
    #expect(error?.description.contains("rows.jsonl:1") == true)
  }
}
