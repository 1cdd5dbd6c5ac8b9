import FireflyBase

/// Qwen (the first, `QWenLMHeadModel`): q, k and v in one layer with biases; w2 is the gate, w1 what it lets through.
enum Qwen {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    try config.refuse("scale_attn_weights", unless: [.bool(true)])
    try config.refuse("use_cache_quantization", unless: [.bool(false)])
    let hidden = try config.int("hidden_size")
    let heads = try config.positive("num_attention_heads")
    let headDim = try config.int("kv_channels", default: hidden / heads)
    var architecture = Architecture(
      family: "qwen",
      vocabularySize: try config.int("vocab_size"),
      hiddenSize: hidden,
      layers: try config.int("num_hidden_layers"),
      heads: heads,
      keyValueHeads: heads,
      headDim: headDim,
      // The key counts gate and up together.
      intermediateSize: try config.int("intermediate_size") / 2,
      maxPositions: try maxPositions(config),
      normEpsilon: try config.float("layer_norm_epsilon", default: 1e-6),
      positions: .rotary(try rotary(config, headDim: headDim)),
      names: names)
    architecture.queryKeyValueBias = true
    architecture.outputBias = try !config.bool("no_bias", default: true)
    architecture.feedForwardBias = architecture.outputBias
    architecture.tiedHead = try config.bool("tie_word_embeddings", default: false)
    return architecture
  }

  /// `use_dynamic_ntk` and `use_logn_attn` change nothing up to `seq_length`, and Firefly does not go beyond it then.
  private static func maxPositions(_ config: KeyReader) throws -> Int {
    let trained = try config.int("seq_length", default: 8192)
    let isDynamic = try config.bool("use_dynamic_ntk", default: true)
    let isLogarithmic = try config.bool("use_logn_attn", default: true)
    return isDynamic || isLogarithmic
      ? trained : try config.int("max_position_embeddings", default: trained)
  }

  private static func rotary(_ config: KeyReader, headDim: Int) throws -> Rotary {
    try config.refuse("rotary_pct", unless: [.int(1), .double(1)])
    return Rotary(theta: try config.float("rotary_emb_base", default: 10_000), dimensions: headDim)
  }

  private static let names = TensorNames(
    embedding: "transformer.wte.weight",
    layer: "transformer.h.",
    attentionNorm: "ln_1",
    feedForwardNorm: "ln_2",
    attentionInput: ["attn.c_attn"],
    attentionOutput: "attn.c_proj",
    feedForwardInput: ["mlp.w2", "mlp.w1"],
    feedForwardOutput: "mlp.c_proj",
    finalNorm: "transformer.ln_f",
    head: "lm_head.weight")
}
