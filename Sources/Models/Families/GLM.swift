import FireflyBase

/// GLM-4-9B as transformers has it (`model_type` glm): the first half of each head turns in neighbouring pairs, biases on q,
/// k and v, gate and up in one layer.
enum GLM {
  static let defaults: [String: JSONValue] = [
    "num_key_value_heads": 2, "head_dim": 128, "max_position_embeddings": 131_072,
    "rms_norm_eps": 1.562_5e-7, "partial_rotary_factor": 0.5, "attention_bias": true,
    "pad_token_id": 151_329,
  ]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.decoder(config, turnsPartly: true)
    architecture.outputBias = false
    architecture.turnNeighbours()
    architecture.names.feedForwardInput = ["mlp.gate_up_proj"]
    return architecture
  }
}

/// GLM-4-0414 and GLM-Z1: GLM with norms after both halves.
enum GLM4 {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try GLM.architecture(config)
    architecture.names.attentionOutputNorm = "post_self_attn_layernorm"
    architecture.names.feedForwardOutputNorm = "post_mlp_layernorm"
    return architecture
  }
}
