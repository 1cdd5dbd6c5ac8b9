import FireflyBase
import FireflyDoubles
import FireflyTestSupport
import FireflyTraining
import Testing

/// A run whose adapter is for some layers alone, with ranks and factors of their own.
@Suite struct LayerChoiceTests {
  private static let choice: [String: JSONValue] = [
    "lora_target_modules": .array([.string("q_proj"), .string("down_proj")]), "layers_to_transform": .int(1),
    "rank_pattern": .object(["down_proj": .int(2)]), "alpha_pattern": .object([".*proj": .int(3)]),
    "max_steps": .int(2), "save_steps": .int(1),
  ]

  @Test func itsAdapterSaysWhichLayers() throws {
    let tiny = try TinyRun()
    _ = try Trainer(config: tiny.config("out", Self.choice)).run()
    let written = try tiny.json("out/adapter_config.json")
    let modules = ["model.layers.1.self_attn.q_proj", "model.layers.1.mlp.down_proj"]
    #expect(written["target_modules"] == .array(modules.map(JSONValue.string)))
    #expect(written["rank_pattern"] == .object(["down_proj": .int(2)]))
    #expect(written["alpha_pattern"] == .object([".*proj": .int(3)]))

    // It goes on with the same choice, and with no other.
    #expect(try TinyRun.run(tiny.config("out", Self.choice), resume: .latest).outcome == .alreadyFinished)
    let other = Self.choice.merging(["rank_pattern": .object(["q_proj": .int(2)])]) { $1 }
    let error = thrownError { _ = try TinyRun.run(tiny.config("out", other), resume: .latest) }
    #expect(error?.what.contains("\"rank_pattern\"") == true)
  }

  @Test func anExpressionChoosesToo() throws {
    let tiny = try TinyRun()
    let expression: [String: JSONValue] = [
      "lora_target_modules": .string(#".*\.0\..*(q|v)_proj"#), "exclude_modules": .array([.string("v_proj")]),
    ]
    func adapter(_ changes: [String: JSONValue]) throws -> [String] {
      try Trainer(config: tiny.config("out", changes)).plan().summary.filter { $0.hasPrefix("adapter:") }
    }
    let one = try adapter(["lora_target_modules": .array([.string("model.layers.0.self_attn.q_proj")])])
    #expect(try adapter(expression) == one && one.count == 1)
  }

  @Test(arguments: [
    (["layers_pattern": JSONValue.string("h")], "\"layers_pattern\" is for \"layers_to_transform\""),
    (
      ["lora_target_modules": .string(".*q_proj"), "layers_to_transform": .int(0)],
      "does not go with an expression"
    ),
    (
      ["adapter_name_or_path": .string("a"), "exclude_modules": .string(".*q_proj")],
      "does not go with \"adapter_name_or_path\""
    ),
  ])
  func whatDoesNotGoTogetherIsRefused(_ changes: [String: JSONValue], _ what: String) throws {
    let tiny = try TinyRun()
    let error = thrownError { _ = try tiny.config("out", changes) }
    #expect(error?.what.contains(what) == true, "\(error?.what ?? "nothing")")
  }
}
