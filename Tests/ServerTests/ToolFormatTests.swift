import FireflyBase
import FireflyServer
import Testing

/// Tools where the request asks for a format of answers, too.
extension ToolTests {
  fileprivate static let format =
    #""response_format": {"type": "json_schema", "json_schema": {"name": "n", "strict": true, "schema": {"type": "object", "properties": {"zone": {"enum": ["a", "b"]}}, "required": ["zone"], "additionalProperties": false}}}"#
  /// In the order of the tool's schema, to which a call beside a format is held.
  fileprivate static let orderedCall =
    "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\", \"days\": 2}}\n</tool_call>"

  /// Either calls or an answer of the format, whatever the model would say.
  @Test func anAnswerOfAFormatOrACall() throws {
    let members = Self.tools + ", " + Self.format
    func said(_ text: String, _ more: String = "") throws -> (message: JSONValue, reason: String?) {
      try answer(TestServer.scripted(text, template: Self.template), members + more)
    }
    let answered = try said(#"{"zone": "b"}"#)
    #expect(answered.message["content"]?.string == #"{"zone": "b"}"# && answered.reason == "stop")
    #expect(answered.message["tool_calls"] == nil)
    let called = try said(Self.orderedCall)
    #expect(called.message["content"] == nil && called.reason == "tool_calls")
    #expect(
      called.message["tool_calls"]?.array?.map { $0["function"]?["arguments"]?.string }
        == [#"{"city": "Rome", "days": 2}"#])
    let twice = Self.orderedCall + "\n" + Self.orderedCall
    #expect(try said(twice).message["tool_calls"]?.array?.count == 2)
    let one = try said(twice, #", "parallel_tool_calls": false"#)
    #expect(one.message["tool_calls"]?.array?.count == 1)
    for text in ["Hello.", "Let me see. " + Self.orderedCall, #"{"zone": "c"}"#] {
      let (message, _) = try said(text)
      guard message["tool_calls"] == nil else { continue }
      let content = try JSONValue.parse(message["content"]?.string ?? "", source: "content")
      #expect(["a", "b"].contains(content["zone"]?.string), "\(text)")
    }
  }

  @Test func theChoiceDecidesBetweenFormatAndCall() throws {
    let none = try answer(
      TestServer.scripted("Hello.", template: Self.template),
      Self.tools + ", " + Self.format + #", "tool_choice": "none""#)
    let content = try JSONValue.parse(none.message["content"]?.string ?? "", source: "content")
    #expect(["a", "b"].contains(content["zone"]?.string) && none.reason == "stop")
    let required = try answer(
      TestServer.scripted(Self.orderedCall, template: Self.template),
      Self.tools + ", " + Self.format + #", "tool_choice": "required""#)
    #expect(required.reason == "tool_calls" && required.message["content"] == nil)
  }

  /// Calls that are not JSON follow their mark as the model likes; reasoning stands before what is held to the format.
  @Test func aFormatBesideOtherWaysOfCallsAndReasoning() throws {
    let template = Self.template.replacing(
      #"<tool_call>{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}</tool_call>"#,
      with:
        "<tool_call><function={{ c.function.name }}>{% for k in c.function.arguments %}<parameter={{ k }}>{{ c.function.arguments[k] }}</parameter>{% endfor %}</function></tool_call>"
    )
    let members = Self.tools + ", " + Self.format
    let call = "<tool_call><function=weather><parameter=city>Rome</parameter></function></tool_call>"
    let called = try answer(TestServer.scripted(call, template: template), members)
    #expect(called.message["tool_calls"]?.array?.count == 1 && called.message["content"] == nil)
    let answered = try answer(TestServer.scripted(#"{"zone": "a"}"#, template: template), members)
    #expect(answered.message["content"]?.string == #"{"zone": "a"}"#)
    // Begun by the prompt, and by the answer.
    for variables in [#", "chat_template_kwargs": {"enable_thinking": true}"#, ""] {
      let text = "<think>Hm {</think>\n\n{\"zone\": \"a\"}"
      let (message, _) = try answer(
        TestServer.scripted(text, template: Self.template), Self.format + variables)
      #expect(message["reasoning_content"]?.string == "Hm {", "\(message)")
      #expect(message["content"]?.string == #"{"zone": "a"}"#)
    }
  }
}
