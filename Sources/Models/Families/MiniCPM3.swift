import FireflyBase

/// MiniCPM3 (OpenBMB, 2024): MiniCPM's factors and latent attention, whose angles LongRoPE stretches.
enum MiniCPM3 {
  static let defaults: [String: JSONValue] = [
    "num_key_value_heads": 40, "q_lora_rank": 768, "max_position_embeddings": 32_768, "rms_norm_eps": 1e-5,
  ]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    // transformers scales the scores by it, the model's own code does not.
    try Rotary.parameters(config)?.refuse("mscale_all_dim", unless: [.int(0)])
    let hidden = try config.int("hidden_size")
    let ofHead = hidden / (try config.positive("num_attention_heads"))
    var architecture = try LatentDecoder.architecture(config, valueDim: ofHead)
    // What a missing one means differs between transformers and the model's own code.
    for key in ["scale_emb", "scale_depth", "dim_model_base"] { _ = try config.float(key) }
    try MiniCPM.setScales(&architecture, config)
    return architecture
  }
}
