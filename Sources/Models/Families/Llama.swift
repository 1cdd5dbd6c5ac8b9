import FireflyBase

/// LLaMA, LLaMA-2/3, Ziya, Vicuna, CodeLLaMA, Yi, SmolLM2: `LlamaForCausalLM` of transformers.
enum Llama {
  static func architecture(_ config: ConfigReader) throws -> Architecture {
    try config.refuse("hidden_act", unless: [.string("silu"), .string("swish")])
    let hidden = try config.int("hidden_size")
    let heads = try config.int("num_attention_heads")
    guard heads > 0 else {
      throw FireflyError("must be positive", at: "\(config.source): num_attention_heads", found: "\(heads)")
    }
    let headDim = try config.int("head_dim", default: hidden / heads)
    let maxPositions = try config.int("max_position_embeddings", default: 2048)
    let attentionBias = try config.bool("attention_bias", default: false)
    return Architecture(
      family: "llama",
      vocabularySize: try config.int("vocab_size"),
      hiddenSize: hidden,
      layers: try config.int("num_hidden_layers"),
      heads: heads,
      keyValueHeads: try config.int("num_key_value_heads", default: heads),
      headDim: headDim,
      intermediateSize: try config.int("intermediate_size"),
      normEpsilon: try config.float("rms_norm_eps", default: 1e-6),
      rotary: try Rotary(config, headDim: headDim, maxPositions: maxPositions),
      maxPositions: maxPositions,
      tiedHead: try config.bool("tie_word_embeddings", default: false),
      queryKeyValueBias: attentionBias,
      outputBias: attentionBias,
      feedForwardBias: try config.bool("mlp_bias", default: false),
      names: names)
  }

  static let names = TensorNames(
    embedding: "model.embed_tokens.weight",
    layer: "model.layers.",
    attentionNorm: "input_layernorm.weight",
    feedForwardNorm: "post_attention_layernorm.weight",
    query: "self_attn.q_proj",
    key: "self_attn.k_proj",
    value: "self_attn.v_proj",
    attentionOutput: "self_attn.o_proj",
    gate: "mlp.gate_proj",
    up: "mlp.up_proj",
    down: "mlp.down_proj",
    finalNorm: "model.norm.weight",
    head: "lm_head.weight")
}
