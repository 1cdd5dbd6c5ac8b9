import FireflyBase
import FireflyDoubles
import FireflyTestSupport
import FireflyText
import FireflyTraining
import Testing

/// Variables of the model's own template in a run's configuration.
@Suite struct TemplateSettingsTests {
  private func config(_ settings: [String: JSONValue]) throws -> RunConfig {
    let least: [String: JSONValue] = [
      "output_dir": .string("out"), "model_name_or_path": .string("model"),
      "train_file": .string("rows.jsonl"),
      "max_seq_length": .int(64), "bf16": .bool(true), "template_name": .string("auto"),
    ]
    return try RunConfig(.object(least.merging(settings) { $1 }), source: "config.json")
  }

  @Test func variablesAreRead() throws {
    #expect(try config([:]).templateVariables == [:])
    #expect(
      try config(["enable_thinking": .bool(false)]).templateVariables == ["enable_thinking": .bool(false)])
    let both = try config([
      "chat_template_kwargs": .object(["date_string": .string("1 May"), "enable_thinking": .bool(true)]),
      "enable_thinking": .bool(true),
    ])
    #expect(
      both.templateVariables == ["date_string": .string("1 May"), "enable_thinking": .bool(true)])
  }

  @Test(arguments: [
    ["chat_template_kwargs": JSONValue.string("{}")], ["enable_thinking": .string("yes")],
    ["enable_thinking": .bool(true), "chat_template_kwargs": .object(["enable_thinking": .bool(false)])],
  ])
  func wrongOnesAreErrors(_ settings: [String: JSONValue]) {
    let error = #expect(throws: FireflyError.self) { try config(settings) }
    #expect(error?.place == "config.json")
  }

  /// What an adapter was trained with goes before the model's own, and it is said.
  @Test func autoIsTheTemplateOfTheAdapterThatTheRunStartsFrom() throws {
    let folder = try TemporaryFolder()
    let plain = "{% for m in messages %}{{ m.content }}</s>{% endfor %}"
    let other = "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}"
    try folder.write(other, to: "chat_template.jinja")
    var tokenizer = ByteTokenizer()
    tokenizer.chatTemplate = plain
    func prompt(_ settings: [String: JSONValue]) throws -> (text: String, note: String?) {
      let config = try config(settings)
      let template = try #require(try config.template(tokenizer))
      let tokens = try template.promptTokens(
        history: [Message(role: "user", content: "x")], tokenizer: tokenizer)
      return (tokenizer.decode(tokens, skipSpecial: false), config.templateNote(template, tokenizer))
    }
    let adapter: [String: JSONValue] = ["adapter_name_or_path": .string(folder.path)]
    let fresh = try prompt([:])
    #expect(fresh.text == "x</s>" && fresh.note == nil)
    let started = try prompt(adapter)
    #expect(started.text == "<user>x</s>")
    #expect(started.note?.contains(folder.path) == true)
    // A template by its name is what it says.
    #expect(try prompt(adapter.merging(["template_name": .string("default")]) { $1 }).note == nil)
    try folder.write(plain, to: "chat_template.jinja")
    #expect(try prompt(adapter).note == nil, "both write the same")
  }
}
