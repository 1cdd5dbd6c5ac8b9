import FireflyBase

/// GLM-4-9B as transformers has it (`model_type` glm): the first half of each head turns in neighbouring pairs, biases on q,
/// k and v, gate and up in one layer.
enum GLM {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.decoder(config, headDim: 128, rotaryShare: 0.5)
    architecture.queryKeyValueBias = try config.bool("attention_bias", default: true)
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
