import FireflyBase
import FireflyTensors

/// LLaMA, LLaMA-2/3, Ziya, Vicuna, CodeLLaMA, Yi, SmolLM2: `LlamaForCausalLM` of transformers. XVERSE and Aquila
/// compute the same under other names.
enum Llama {
  static func architecture(_ config: KeyReader) throws -> Architecture { try decoder(config) }

  /// Reads config.json in LLaMA's spelling, which most families share.
  ///
  /// - Parameters:
  ///   - activationKey: the key of the MLP's activation.
  ///   - activations: the family's values of it, the default first.
  ///   - rotaryDim: how much of a head turns, where the family has a key of its own for that; then it is the size of a head as
  ///     well.
  ///   - turnsPartly: whether the family has `partial_rotary_factor`; otherwise the key is refused.
  ///   - rotary: the rotation, where the family reads it by itself.
  static func decoder(
    _ config: KeyReader, activationKey: String = "hidden_act",
    activations: [(name: String, activation: Activation)] = silu, rotaryDim: Int? = nil,
    turnsPartly: Bool = false,
    rotary: ((_ headDim: Int, _ maxPositions: Int) throws -> Rotary)? = nil
  ) throws -> Architecture {
    let hidden = try config.int("hidden_size")
    let heads = try config.positive("num_attention_heads")
    let headDim = try rotaryDim ?? config.int("head_dim", default: hidden / heads)
    let maxPositions = try config.int("max_position_embeddings", default: 2048)
    var architecture = Architecture(
      family: "llama",
      vocabularySize: try config.int("vocab_size"),
      hiddenSize: hidden,
      layers: try config.int("num_hidden_layers"),
      heads: heads,
      keyValueHeads: try config.int("num_key_value_heads", default: heads),
      headDim: headDim,
      intermediateSize: try config.int("intermediate_size"),
      maxPositions: maxPositions,
      normEpsilon: try config.float("rms_norm_eps", default: 1e-6),
      positions: .rotary(
        try rotary?(headDim, maxPositions)
          ?? Rotary(config, headDim: headDim, maxPositions: maxPositions, turnsPartly: turnsPartly)),
      names: names)
    architecture.activation = try config.activation(activationKey, activations)
    architecture.tiedHead = try config.bool("tie_word_embeddings", default: false)
    // Old folders have −1, which counts from the end of the table.
    let padding = config.value("pad_token_id")?.int
    architecture.paddingToken = padding.map { $0 < 0 ? $0 + architecture.vocabularySize : $0 }
    architecture.queryKeyValueBias = try config.bool("attention_bias", default: false)
    architecture.outputBias = architecture.queryKeyValueBias
    architecture.feedForwardBias = try config.bool("mlp_bias", default: false)
    return architecture
  }

  static let silu: [(name: String, activation: Activation)] = [("silu", .silu), ("swish", .silu)]

  static let names = TensorNames(
    embedding: "model.embed_tokens.weight",
    layer: "model.layers.",
    attentionNorm: "input_layernorm",
    feedForwardNorm: "post_attention_layernorm",
    attentionInput: ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
    attentionOutput: "self_attn.o_proj",
    feedForwardInput: ["mlp.gate_proj", "mlp.up_proj"],
    feedForwardOutput: "mlp.down_proj",
    finalNorm: "model.norm",
    head: "lm_head.weight")
}
