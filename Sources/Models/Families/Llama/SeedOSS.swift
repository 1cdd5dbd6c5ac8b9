import FireflyBase

/// Seed-OSS (ByteDance, 2025): LLaMA with heads of their own size, and biases on q, k and v.
enum SeedOSS {
  static let defaults: [String: JSONValue] = [
    "num_key_value_heads": 8, "head_dim": 128, "max_position_embeddings": 524_288, "attention_bias": true,
    "pad_token_id": 1,
  ]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.architecture(config)
    architecture.outputBias = try config.bool("attention_out_bias", default: false)
    return architecture
  }
}
