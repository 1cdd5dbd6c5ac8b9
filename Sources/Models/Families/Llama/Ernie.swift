import FireflyBase

/// ERNIE 4.5 without experts (Baidu, 2025): LLaMA whose heads turn in neighbouring pairs, with a tied head.
enum Ernie {
  static let defaults: [String: JSONValue] = [
    "num_key_value_heads": 2, "head_dim": 128, "max_position_embeddings": 131_072, "rms_norm_eps": 1e-5,
    "rope_theta": 500_000, "tie_word_embeddings": true, "pad_token_id": 0,
  ]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.architecture(config)
    architecture.turnNeighbours()
    let hasBiases = try config.bool("use_bias", default: false)
    architecture.queryKeyValueBias = hasBiases
    architecture.outputBias = hasBiases
    architecture.feedForwardBias = hasBiases
    return architecture
  }
}
