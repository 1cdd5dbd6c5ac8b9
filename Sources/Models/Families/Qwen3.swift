import FireflyBase

/// Qwen3 (Qwen Team, 2025): Qwen2 without its biases, and with a norm of each head of queries and keys.
enum Qwen3 {
  static let defaults: [String: JSONValue] = Qwen2.defaults.merging(["head_dim": 128]) { $1 }

  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.architecture(config)
    architecture.headNorm = HeadNorm()
    try Qwen2.setUpperWindows(&architecture, config)
    return architecture
  }
}

/// Qwen3-30B-A3B and 235B-A22B: Qwen3 with experts.
enum Qwen3MoE {
  static let defaults: [String: JSONValue] = ["num_key_value_heads": 4, "max_position_embeddings": 32_768]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    // transformers gives its windows to other layers than Qwen3's.
    try config.refuse("use_sliding_window", unless: [.bool(false)])
    config.pass("sliding_window", "max_window_layers")
    var architecture = try Llama.architecture(config)
    architecture.headNorm = HeadNorm()
    architecture.experts = Experts(
      count: try config.int(config.has("num_local_experts") ? "num_local_experts" : "num_experts"),
      perRow: try config.int("num_experts_per_tok"),
      intermediateSize: try config.int("moe_intermediate_size"),
      normalizesWeights: try config.bool("norm_topk_prob", default: false),
      layers: try Qwen2MoE.sparseLayers(config),
      balance: .init(
        coefficient: try config.float("router_aux_loss_coef", default: 0.001), scope: .allLayers),
      names: .init(
        router: "mlp.gate", expert: "mlp.experts.", input: ["gate_proj", "up_proj"], output: "down_proj"))
    return architecture
  }
}
