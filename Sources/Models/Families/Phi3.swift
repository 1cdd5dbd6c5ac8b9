import FireflyBase

/// Phi-3 and Phi-3.5 mini and medium, Phi-4: LLaMA with q, k and v in one layer, gate and up in another.
enum Phi3 {
  static let defaults: [String: JSONValue] = [
    "max_position_embeddings": 4096, "original_max_position_embeddings": 4096, "rms_norm_eps": 1e-5,
    "pad_token_id": 32_000,
  ]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.decoder(config, turnsPartly: true)
    architecture.names.attentionInput = ["self_attn.qkv_proj"]
    architecture.names.feedForwardInput = ["mlp.gate_up_proj"]
    try architecture.setWindow(config)
    return architecture
  }
}
