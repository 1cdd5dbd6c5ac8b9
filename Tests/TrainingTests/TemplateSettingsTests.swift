import FireflyBase
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
}
