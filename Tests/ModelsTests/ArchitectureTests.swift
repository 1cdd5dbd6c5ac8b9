import FireflyBase
import FireflyModels
import Testing

@Suite struct ArchitectureTests {
  static let plain: [String: JSONValue] = [
    "model_type": .string("llama"), "hidden_size": .int(64), "num_attention_heads": .int(4),
    "num_hidden_layers": .int(2), "vocab_size": .int(100), "intermediate_size": .int(128),
    "hidden_act": .string("silu"),
  ]

  private func read(_ changes: [String: JSONValue]) throws -> Architecture {
    try Architecture(
      config: .object(Self.plain.merging(changes) { $1 }), source: "config.json")
  }

  @Test func defaultsAreThoseOfTransformers() throws {
    let architecture = try read([:])
    #expect(architecture.keyValueHeads == 4)
    #expect(architecture.headDim == 16)
    #expect(architecture.rotary?.theta == 10_000)
    #expect(architecture.normEpsilon == 1e-6)
    #expect(!architecture.tiedHead)
    #expect(architecture.maxPositions == 2048)
  }

  @Test func aPaddingTokenMayCountFromTheEnd() throws {
    #expect(try read(["pad_token_id": -1]).paddingToken == 99)
    #expect(try read(["pad_token_id": 3]).paddingToken == 3)
  }

  @Test func bothSpellingsOfTheRotaryAgree() throws {
    let old = try read([
      "rope_theta": .double(500_000),
      "rope_scaling": .object(["type": .string("linear"), "factor": .double(4)]),
    ])
    let new = try read([
      "rope_parameters": .object([
        "rope_theta": .double(500_000), "rope_type": .string("linear"), "factor": .double(4),
      ])
    ])
    #expect(old == new)
    #expect(old.rotary?.theta == 500_000)
    #expect(old.rotary?.scaling == .linear(factor: 4))
  }

  /// What transformers' YaRN gives for a factor of 40: the ratio of both, and of one alone nothing.
  @Test(arguments: [
    (0.707, 0.707, 1), (0.6, 0.8, 0.943_033_74), (1, 0, 1.368_887_9), (0, 1, 1.368_887_9),
  ])
  func scalesOfYaRN(_ ofRotary: Double, _ all: Double, _ expected: Float) throws {
    let scaling: [String: JSONValue] = [
      "type": .string("yarn"), "factor": .int(40), "original_max_position_embeddings": .int(4096),
      "mscale": .double(ofRotary), "mscale_all_dim": .double(all),
    ]
    let rotary = try read(["rope_scaling": .object(scaling)]).rotary
    guard case .yarn(_, _, _, _, let attention, _) = rotary?.scaling else {
      Issue.record("no YaRN")
      return
    }
    #expect(abs(attention - expected) < 1e-6)
  }

  @Test(arguments: [
    ("model_type", JSONValue.string("mamba"), "mamba"),
    ("hidden_act", .string("gelu"), "hidden_act"),
    ("hidden_size", .null, "hidden_size"),
    ("hidden_size", .string("64"), "hidden_size"),
    ("hidden_size", .int(-64), "positive"),
    ("head_dim", .int(.max), "head_dim"),
    ("hidden_size", .int(1 << 40), "hidden_size"),
    ("max_position_embeddings", .int(-1), "number of positions"),
    ("max_position_embeddings", .int(1 << 40), "max_position_embeddings"),
    ("num_attention_heads", .int(0), "num_attention_heads"),
    ("num_key_value_heads", .int(3), "key-value heads"),
    ("rope_scaling", .object(["type": .string("longrope"), "factor": .int(2)]), "short_factor"),
    ("rope_scaling", .object(["type": .string("proportional"), "factor": .int(2)]), "proportional"),
    (
      "rope_scaling", .object(["type": .string("yarn"), "factor": .int(2), "mscale": .string("1")]), "mscale"
    ),
    ("partial_rotary_factor", .double(0.5), "partial_rotary_factor"),
  ])
  func refusesByName(_ key: String, _ value: JSONValue, _ named: String) throws {
    let error = #expect(throws: FireflyError.self) { try read([key: value]) }
    #expect(error?.description.contains(named) == true)
  }
}
