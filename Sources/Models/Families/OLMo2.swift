import FireflyBase

/// OLMo 2 (OLMo Team, 2024): LLaMA with norms after its halves instead of before them, and norms of all queries and all keys
/// of a row together.
enum OLMo2 {
  static let defaults: [String: JSONValue] = ["rms_norm_eps": 1e-5, "pad_token_id": 1]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    try decoder(config) { try Rotary(config, headDim: $0, maxPositions: $1) }
  }

  static func decoder(
    _ config: KeyReader, rotary: @escaping (Int, Int) throws -> Rotary
  ) throws -> Architecture {
    var architecture = try Llama.decoder(config, rotary: rotary)
    architecture.headNorm = HeadNorm(span: .projection)
    architecture.names.attentionNorm = nil
    architecture.names.attentionOutputNorm = "post_attention_layernorm"
    architecture.names.feedForwardNorm = nil
    architecture.names.feedForwardOutputNorm = "post_feedforward_layernorm"
    return architecture
  }
}

/// OLMo 3 (OLMo Team, 2025): OLMo 2 with a window in three of four layers; only the others' angles are stretched.
enum OLMo3 {
  private static let theta: Float = 500_000
  static let defaults: [String: JSONValue] = OLMo2.defaults.merging(["sliding_window": 4096]) { $1 }

  static func architecture(_ config: KeyReader) throws -> Architecture {
    // To transformers 4 such a base is that of all layers, to transformers 5 that of those without a window.
    if try config.object("rope_parameters")?.object("sliding_attention")?.has("rope_theta") != true {
      try config.refuse(
        "rope_theta", unless: [.int(Int(theta))],
        fix: "Say it in rope_parameters, for full_attention and for sliding_attention.")
    }
    var windowed: Rotary?
    var architecture = try OLMo2.decoder(config) { headDim, maxPositions in
      let rotaries = try Rotary.byWindow(
        config, headDim: headDim, maxPositions: maxPositions, theta: theta, windowedTheta: theta)
      windowed = rotaries.windowed
      return rotaries.full
    }
    architecture.windowedRotary = windowed
    try architecture.setWindow(config, followsTypes: true) { ($0 + 1) % 4 != 0 }
    return architecture
  }
}
