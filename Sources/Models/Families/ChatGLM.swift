import FireflyBase

/// ChatGLM2-6B, ChatGLM3-6B and GLM-4-9B (`model_type` chatglm): the first half of each head turns in neighbouring pairs, a
/// few key-value heads, q, k and v in one layer with biases, gate and up in one layer.
enum ChatGLM {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    try refuseOthers(config)
    let heads = try config.positive("num_attention_heads")
    let headDim = try config.int("kv_channels")
    let isMultiQuery = try config.bool("multi_query_attention", default: false)
    let maxPositions = try config.int("seq_length", default: 2048)
    var architecture = Architecture(
      family: "chatglm",
      vocabularySize: try config.int("padded_vocab_size"),
      hiddenSize: try config.int("hidden_size"),
      layers: try config.int("num_layers"),
      heads: heads,
      keyValueHeads: isMultiQuery ? try config.positive("multi_query_group_num") : heads,
      headDim: headDim,
      intermediateSize: try config.int("ffn_hidden_size"),
      maxPositions: maxPositions,
      normEpsilon: try config.float("layernorm_epsilon", default: 1e-5),
      positions: .rotary(try rotary(config, headDim: headDim, maxPositions: maxPositions)),
      names: names)
    let hasBiases = try config.bool("add_bias_linear", default: false)
    architecture.queryKeyValueBias = try hasBiases || config.bool("add_qkv_bias", default: false)
    architecture.outputBias = hasBiases
    architecture.feedForwardBias = hasBiases
    return architecture
  }

  /// ChatGLM-6B, the first, has the same `model_type`; the rest are options that no published model uses.
  private static func refuseOthers(_ config: KeyReader) throws {
    try config.refuse("position_encoding_2d", unless: [.bool(false)])
    try config.refuse("pre_seq_len", unless: [])
    try config.refuse("quantization_bit", unless: [.int(0)])
    try config.refuse("rmsnorm", unless: [.bool(true)])
    try config.refuse("post_layer_norm", unless: [.bool(true)])
    try config.refuse("apply_residual_connection_post_layernorm", unless: [.bool(false)])
    try config.refuse("original_rope", unless: [.bool(true)])
    try config.refuse("tie_word_embeddings", unless: [.bool(false)])
  }

  /// `rope_ratio` multiplies the base; only ChatGLM2-6B-32K stretched its 8,192 positions by it instead.
  private static func rotary(_ config: KeyReader, headDim: Int, maxPositions: Int) throws -> Rotary {
    let ratio = try config.float("rope_ratio", default: 1)
    guard ratio > 0 else {
      throw FireflyError("must be positive", at: "\(config.source): rope_ratio", found: "\(ratio)")
    }
    let isStretched = ratio > 1 && Float(maxPositions) == 8192 * ratio
    return Rotary(
      theta: isStretched ? 10_000 : 10_000 * ratio, dimensions: headDim / 4 * 2,
      scaling: isStretched ? .linear(factor: ratio) : .none, interleaved: true)
  }

  private static let names = TensorNames(
    embedding: "transformer.embedding.word_embeddings.weight",
    layer: "transformer.encoder.layers.",
    attentionNorm: "input_layernorm",
    feedForwardNorm: "post_attention_layernorm",
    attentionInput: ["self_attention.query_key_value"],
    attentionOutput: "self_attention.dense",
    feedForwardInput: ["mlp.dense_h_to_4h"],
    feedForwardOutput: "mlp.dense_4h_to_h",
    finalNorm: "transformer.encoder.final_layernorm",
    head: "transformer.output_layer.weight")
}
