import FireflyBase

/// InternLM (the first): LLaMA with biases on all four attention layers where `bias` says so.
enum InternLM {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.architecture(config)
    architecture.queryKeyValueBias = try config.bool("bias", default: true)
    architecture.outputBias = architecture.queryKeyValueBias
    if let rotary = try config.object("rotary") {
      architecture.positions = .rotary(
        try self.rotary(rotary, headDim: architecture.headDim, maxPositions: architecture.maxPositions))
    }
    return architecture
  }

  /// Rotary scaling in InternLM's own spelling: `{"base": 10000, "type": "origin" or "dynamic"}`.
  private static func rotary(_ config: KeyReader, headDim: Int, maxPositions: Int) throws -> Rotary {
    try config.refuse("type", unless: [.string("origin"), .string("dynamic")])
    let isDynamic = try config.string("type", default: "origin") == "dynamic"
    let factor = try config.float("scaling_factor", default: 1)
    return Rotary(
      theta: try config.float("base", default: 10_000), dimensions: headDim,
      scaling: isDynamic ? .dynamic(factor: factor, limit: Float(maxPositions)) : .none)
  }
}

/// InternLM 3: LLaMA with heads of their own size, and biases where `qkv_bias` and `bias` say so.
enum InternLM3 {
  static let defaults: [String: JSONValue] = [
    "num_key_value_heads": 2, "head_dim": 128, "max_position_embeddings": 32_768, "rms_norm_eps": 1e-5,
    "pad_token_id": 2,
  ]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.architecture(config)
    architecture.queryKeyValueBias = try config.bool("qkv_bias", default: architecture.queryKeyValueBias)
    let others = try config.bool("bias", default: architecture.feedForwardBias)
    architecture.outputBias = others
    architecture.feedForwardBias = others
    return architecture
  }
}

/// InternLM 2 and 2.5: LLaMA's function under its own names, q, k and v in one layer with the heads of a key-value group
/// together.
enum InternLM2 {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.architecture(config)
    architecture.queryKeyValueBias = try config.bool("bias", default: true)
    architecture.outputBias = architecture.queryKeyValueBias
    architecture.headOrder = .byKeyValueHead
    architecture.names = TensorNames(
      embedding: "model.tok_embeddings.weight",
      layer: "model.layers.",
      attentionNorm: "attention_norm",
      feedForwardNorm: "ffn_norm",
      attentionInput: ["attention.wqkv"],
      attentionOutput: "attention.wo",
      feedForwardInput: ["feed_forward.w1", "feed_forward.w3"],
      feedForwardOutput: "feed_forward.w2",
      finalNorm: "model.norm",
      head: "output.weight")
    return architecture
  }
}
