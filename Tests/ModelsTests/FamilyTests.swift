import FireflyBase
import FireflyModels
import Testing

/// config.json of published models, and what is refused in each family.
@Suite struct FamilyTests {
  static let llama7B = """
    "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32,
    "hidden_act": "silu", "rms_norm_eps": 1e-6
    """
  static let llama13B = """
    "hidden_size": 5120, "num_hidden_layers": 40, "num_attention_heads": 40, "hidden_act": "silu", "rms_norm_eps": 1e-6
    """
  static let bloom = """
    "model_type": "bloom", "vocab_size": 250880, "n_embed": 4096, "n_layer": 30, "num_attention_heads": 32
    """
  static let glm = """
    "model_type": "chatglm", "padded_vocab_size": 65024, "hidden_size": 4096, "ffn_hidden_size": 13696,
    "num_layers": 28, "num_attention_heads": 32, "kv_channels": 128, "multi_query_attention": true,
    "multi_query_group_num": 2, "add_qkv_bias": true, "rmsnorm": true, "post_layer_norm": true
    """
  static let qwen = """
    "model_type": "qwen", "vocab_size": 151936, "hidden_size": 4096, "intermediate_size": 22016,
    "num_hidden_layers": 32, "num_attention_heads": 32, "kv_channels": 128, "seq_length": 2048,
    "max_position_embeddings": 8192, "no_bias": true
    """

  private func read(_ members: String) throws -> Architecture {
    try Architecture(config: JSONValue.parse("{\(members)}", source: "test"), source: "config.json")
  }

  /// Trainable parameters at rank 64 on every linear layer, as the original reports or its configuration gives them.
  @Test(arguments: [
    ("\"model_type\": \"llama\", \"vocab_size\": 32000, \(llama7B)", 159_907_840),
    (
      "\"model_type\": \"llama\", \"vocab_size\": 39410, \"intermediate_size\": 13824, \(llama13B)",
      250_347_520
    ),
    (
      "\"model_type\": \"baichuan\", \"vocab_size\": 64000, \"max_position_embeddings\": 4096, \(llama7B)",
      143_130_624
    ),
    (
      "\"model_type\": \"baichuan\", \"vocab_size\": 64000, \"intermediate_size\": 13696, \(llama13B)",
      223_150_080
    ),
    (bloom, 125_829_120),
    (
      """
      "model_type": "mistral", "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336,
      "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8
      """, 167_772_160
    ),
  ])
  func trainableParametersOfPublishedModels(_ config: String, _ expected: Int) throws {
    let architecture = try read(config)
    let elements = architecture.allLinears.reduce(0) { $0 + 64 * ($1.inputs + $1.outputs) }
    #expect(elements == expected)
  }

  @Test func theBaichuansAreToldApart() throws {
    let second = "\"model_type\": \"baichuan\", \"vocab_size\": 125696, \"intermediate_size\": 13696"
    let first = "\"model_type\": \"baichuan\", \"vocab_size\": 64000"
    let rotary = "\"max_position_embeddings\": 4096, \(Self.llama7B)"
    let alibi = "\"model_max_length\": 4096, \(Self.llama13B)"
    let models = try [
      read("\(first), \(rotary)"), read("\(second), \(rotary)"),
      read("\(first), \"intermediate_size\": 13696, \(alibi)"), read("\(second), \(alibi)"),
    ]
    #expect(models.map(\.normalizedHead) == [false, true, false, true])
    #expect(models.map { $0.positions == .alibi } == [false, false, true, true])
    #expect(models.allSatisfy { $0.maxPositions == 4096 })
  }

  @Test func bloomInBothSpellings() throws {
    let published = try read(Self.bloom)
    #expect(published.intermediateSize == 16384)
    #expect(published.tiedHead && !published.isGated && published.positions == .alibi)
    let saved = try read(
      """
      "model_type": "bloom", "vocab_size": 250880, "hidden_size": 4096, "n_layer": 30, "n_head": 32
      """)
    #expect(saved == published)
  }

  /// The ratio stretches the base; of ChatGLM2-6B-32K's, whose 32,768 positions are four times 8,192, the positions.
  @Test func ropeRatioOfChatGLM() throws {
    let plain = try #require(read(Self.glm + ", \"seq_length\": 32768").rotary)
    #expect(plain.interleaved && plain.dimensions == 64 && plain.theta == 10_000)
    let third = try #require(read(Self.glm + ", \"seq_length\": 32768, \"rope_ratio\": 50").rotary)
    #expect(third.theta == 500_000 && third.scaling == .none)
    let second = try #require(read(Self.glm + ", \"seq_length\": 32768, \"rope_ratio\": 4").rotary)
    #expect(second.theta == 10_000 && second.scaling == .linear(factor: 4))
  }

  /// Its dynamic options change nothing up to `seq_length`; without them the model goes further.
  @Test func qwenGoesAsFarAsItIsExact() throws {
    let dynamic = try read(Self.qwen + ", \"use_dynamic_ntk\": true, \"use_logn_attn\": false")
    #expect(dynamic.intermediateSize == 11_008)
    #expect(dynamic.maxPositions == 2048)
    let plain = try read(Self.qwen + ", \"use_dynamic_ntk\": false, \"use_logn_attn\": false")
    #expect(plain.maxPositions == 8192)
  }

  @Test func windowsWhereConfigSaysSo() throws {
    let base = "\"vocab_size\": 32000, \(Self.llama7B)"
    #expect(try read("\"model_type\": \"mistral\", \"sliding_window\": 4096, \(base)").window == 4096)
    #expect(try read("\"model_type\": \"mistral\", \"sliding_window\": null, \(base)").window == nil)
    let qwen2 = "\"model_type\": \"qwen2\", \"sliding_window\": 64, \"max_window_layers\": 28, \(base)"
    #expect(try read("\(qwen2), \"use_sliding_window\": false").window == nil)
    let windowed = try read("\(qwen2), \"use_sliding_window\": true")
    #expect(windowed.window == 64)
    #expect(windowed.firstWindowedLayer == 28)
  }

  @Test(arguments: [
    ("\"model_type\": \"llama\"", "\"mlp_bias\": 1", "mlp_bias"),
    ("\"model_type\": \"mistral\"", "\"sliding_window\": 0", "sliding_window"),
    (
      "\"model_type\": \"mistral\"", "\"sliding_window\": 8, \"layer_types\": [\"full_attention\"]",
      "layer_types"
    ),
    ("\"model_type\": \"baichuan\"", "\"hidden_act\": \"gelu\"", "hidden_act"),
    ("\"model_type\": \"internlm\"", "\"rotary\": {\"type\": \"spiral\"}", "rotary"),
    ("\"model_type\": \"minicpm\"", "\"num_experts\": 8", "num_experts"),
    ("\"model_type\": \"minicpm\"", "\"scale_emb\": -1", "scale"),
    ("\"model_type\": \"gemma\", \"head_dim\": 128", "\"hidden_activation\": \"relu\"", "hidden_activation"),
    ("\"model_type\": \"gemma\"", "\"hidden_act\": \"gelu\"", "head_dim"),
    ("\"model_type\": \"phi3\"", "\"partial_rotary_factor\": 1.5", "partial_rotary_factor"),
    ("\"model_type\": \"xverse\"", "\"rope_scaling\": {\"type\": \"ntk\"}", "rope_type"),
  ])
  func refusesByName(_ family: String, _ change: String, _ named: String) throws {
    let activation =
      change.contains("hidden_act") || family.contains("gemma") ? "" : ", \"hidden_act\": \"silu\""
    let sizes = """
      "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
      "num_attention_heads": 32
      """
    let error = #expect(throws: FireflyError.self) {
      try read("\(family), \(change), \(sizes)\(activation)")
    }
    #expect(error?.description.contains(named) == true)
  }

  @Test(arguments: [
    (bloom, "\"apply_residual_connection_post_layernorm\": true", "apply_residual_connection_post_layernorm"),
    (glm, "\"position_encoding_2d\": true", "position_encoding_2d"),
    (glm, "\"pre_seq_len\": 128", "pre_seq_len"),
    (glm, "\"quantization_bit\": 4", "quantization_bit"),
    (glm, "\"rope_ratio\": 0", "rope_ratio"),
    (qwen, "\"rotary_pct\": 0.5", "rotary_pct"),
    (qwen, "\"scale_attn_weights\": false", "scale_attn_weights"),
    ("\"model_type\": \"minicpm3\"", "\"q_lora_rank\": 768", "minicpm3"),
  ])
  func refusesOptionsByName(_ config: String, _ change: String, _ named: String) {
    let error = #expect(throws: FireflyError.self) { try read("\(config), \(change)") }
    #expect(error?.description.contains(named) == true)
  }
}
