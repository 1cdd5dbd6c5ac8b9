import FireflyBase
import FireflyTensors

/// BLOOM (BigScience, 2022): ALiBi, LayerNorm after the embedding as well, biases everywhere, an MLP of four times the
/// width without a gate, q, k and v of each head together in one layer, a tied head. Published files leave out
/// `transformer.`.
enum Bloom {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    try config.refuse("apply_residual_connection_post_layernorm", unless: [.bool(false)])
    // transformers leaves out biases then.
    if try config.int("pretraining_tp", default: 1) > 1 {
      try config.refuse("slow_but_exact", unless: [.bool(false)])
    }
    let hidden = try config.positive(config.has("n_embed") ? "n_embed" : "hidden_size")
    let heads = try config.positive(config.has("n_head") ? "n_head" : "num_attention_heads")
    var architecture = Architecture(
      family: "bloom",
      vocabularySize: try config.int("vocab_size"),
      hiddenSize: hidden,
      layers: try config.int(config.has("n_layer") ? "n_layer" : "num_hidden_layers"),
      heads: heads,
      keyValueHeads: heads,
      headDim: hidden / heads,
      intermediateSize: hidden.multipliedReportingOverflow(by: 4).partialValue,
      maxPositions: try config.int("seq_length", default: 2048),
      normEpsilon: try config.float("layer_norm_epsilon", default: 1e-5),
      positions: .alibi,
      names: names)
    architecture.norm = .layer
    architecture.headOrder = .byKeyValueHead
    architecture.queryKeyValueBias = true
    architecture.outputBias = true
    architecture.feedForwardBias = true
    architecture.activation = .geluTanh
    architecture.isGated = false
    architecture.tiedHead = try config.bool("tie_word_embeddings", default: true)
    return architecture
  }

  private static let names = TensorNames(
    embedding: "transformer.word_embeddings.weight",
    embeddingNorm: "transformer.word_embeddings_layernorm",
    layer: "transformer.h.",
    attentionNorm: "input_layernorm",
    feedForwardNorm: "post_attention_layernorm",
    attentionInput: ["self_attention.query_key_value"],
    attentionOutput: "self_attention.dense",
    feedForwardInput: ["mlp.dense_h_to_4h"],
    feedForwardOutput: "mlp.dense_4h_to_h",
    finalNorm: "transformer.ln_f",
    head: "lm_head.weight")
}
