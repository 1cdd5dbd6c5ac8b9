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

  static let miniCPM3 = """
    "model_type": "minicpm3", "vocab_size": 73448, "hidden_size": 2560, "intermediate_size": 6400,
    "num_hidden_layers": 62, "num_attention_heads": 40, "num_key_value_heads": 40, "hidden_act": "silu",
    "qk_nope_head_dim": 64, "qk_rope_head_dim": 32, "q_lora_rank": 768, "kv_lora_rank": 256, "scale_emb": 12,
    "scale_depth": 1.4, "dim_model_base": 256
    """
  static let deepSeekV2Lite = """
    "model_type": "deepseek_v2", "vocab_size": 102400, "hidden_size": 2048, "intermediate_size": 10944,
    "num_hidden_layers": 27, "num_attention_heads": 16, "num_key_value_heads": 16, "hidden_act": "silu",
    "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "q_lora_rank": null, "kv_lora_rank": 512, "v_head_dim": 128,
    "moe_intermediate_size": 1408, "n_routed_experts": 64, "n_shared_experts": 2, "num_experts_per_tok": 6,
    "first_k_dense_replace": 1, "topk_method": "greedy", "n_group": 1, "topk_group": 1, "scoring_func": "softmax",
    "max_position_embeddings": 163840, "rope_scaling": {
      "type": "yarn", "factor": 40, "original_max_position_embeddings": 4096, "beta_fast": 32, "beta_slow": 1,
      "mscale": 0.707, "mscale_all_dim": 0.707}
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
    (miniCPM3, 191_098_880),
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

  /// Elements of all linear layers, as transformers counts its models of these configurations, and the cache: one short
  /// vector and what turns, for each layer.
  @Test func latentAttentionOfPublishedModels() throws {
    let miniCPM3 = try read(Self.miniCPM3)
    #expect(miniCPM3.allLinears.reduce(0) { $0 + $1.count } == 3_885_465_600)
    #expect(miniCPM3.cachedSize == 62 * (256 + 32))
    #expect(miniCPM3.tiedHead && miniCPM3.valueDim == 64 && miniCPM3.rotary?.interleaved == false)
    let lite = try read(Self.deepSeekV2Lite)
    #expect(lite.allLinears.reduce(0) { $0 + $1.count } == 15_286_927_360)
    #expect(lite.cachedSize == 27 * (512 + 64))
    #expect(lite.rotary?.interleaved == true && lite.rotary?.dimensions == 64)
    // yarn_apply_mscale(rope_parameters, 1) of transformers.
    #expect(abs(lite.scoreScale - 1.589_626_2) < 1e-6)
  }

  @Test func windowsWhereConfigSaysSo() throws {
    let base = "\"vocab_size\": 32000, \(Self.llama7B)"
    #expect(try read("\"model_type\": \"mistral\", \"sliding_window\": 4096, \(base)").window == 4096)
    #expect(try read("\"model_type\": \"mistral\", \"sliding_window\": null, \(base)").window == nil)
    let qwen2 = "\"model_type\": \"qwen2\", \"sliding_window\": 64, \"max_window_layers\": 28, \(base)"
    #expect(try read("\(qwen2), \"use_sliding_window\": false").window == nil)
    let windowed = try read("\(qwen2), \"use_sliding_window\": true")
    #expect(windowed.window == 64)
    #expect(windowed.windowedLayers == Set(28..<32))
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
    ("\"model_type\": \"gemma3_text\"", "\"attn_logit_softcapping\": 50", "attn_logit_softcapping"),
    (
      "\"model_type\": \"gemma3_text\"", "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 8}",
      "rope_scaling: type"
    ),
    ("\"model_type\": \"olmo3\"", "\"rope_theta\": 10000", "rope_theta"),
    (
      "\"model_type\": \"olmo3\"",
      "\"rope_parameters\": {\"full_attention\": {\"rope_type\": \"yarn\", \"factor\": 8, \"truncate\": false}}",
      "truncate"
    ),
    ("\"model_type\": \"gpt_oss\"", "\"rope_parameters\": null", "rope_parameters"),
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
    (bloom, "\"slow_but_exact\": true, \"pretraining_tp\": 4", "slow_but_exact"),
    (glm, "\"position_encoding_2d\": true", "position_encoding_2d"),
    (glm, "\"pre_seq_len\": 128", "pre_seq_len"),
    (glm, "\"quantization_bit\": 4", "quantization_bit"),
    (glm, "\"rope_ratio\": 0", "rope_ratio"),
    (qwen, "\"rotary_pct\": 0.5", "rotary_pct"),
    (qwen, "\"scale_attn_weights\": false", "scale_attn_weights"),
    (miniCPM3, "\"scale_depth\": null", "scale_depth"),
    (
      miniCPM3, "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4, \"mscale_all_dim\": 1}",
      "mscale_all_dim"
    ),
    (miniCPM3, "\"num_key_value_heads\": 8", "num_key_value_heads"),
    (miniCPM3, "\"attention_bias\": true", "attention_bias"),
    (miniCPM3, "\"kv_lora_rank\": 0", "latent attention"),
    (miniCPM3, "\"qk_rope_head_dim\": 33", "even"),
    (deepSeekV2Lite, "\"v_head_dim\": null", "v_head_dim"),
    (deepSeekV2Lite, "\"topk_method\": \"noaux_tc\"", "noaux_tc"),
    (deepSeekV2Lite, "\"scoring_func\": \"sigmoid\"", "scoring_func"),
    (deepSeekV2Lite, "\"norm_topk_prob\": true", "norm_topk_prob"),
    (deepSeekV2Lite, "\"topk_method\": \"group_limited_greedy\", \"n_group\": null", "n_group"),
    (deepSeekV2Lite, "\"topk_method\": \"group_limited_greedy\", \"n_group\": 7", "equal groups"),
    (deepSeekV2Lite, "\"topk_method\": \"group_limited_greedy\", \"n_group\": 16", "6 of 1 groups of 4"),
    (
      deepSeekV2Lite, "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 40, \"mscale\": 0.707}",
      "mscale_all_dim"
    ),
  ])
  func refusesOptionsByName(_ config: String, _ change: String, _ named: String) {
    let error = #expect(throws: FireflyError.self) { try read("\(config), \(change)") }
    #expect(error?.description.contains(named) == true)
  }
}
