import FireflyBase

/// Mixtral: Mistral with experts in every layer.
enum Mixtral {
  static let defaults: [String: JSONValue] = [
    "num_key_value_heads": 8, "max_position_embeddings": 131_072, "rms_norm_eps": 1e-5,
    "rope_theta": 1_000_000,
  ]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Mistral.architecture(config)
    // Noise on the router's input while training.
    try config.refuse("router_jitter_noise", unless: [.int(0), .double(0)])
    architecture.experts = Experts(
      count: try config.int("num_local_experts"),
      perRow: try config.int("num_experts_per_tok"),
      intermediateSize: architecture.intermediateSize,
      normalizesWeights: true,
      layers: .init(),
      balance: .init(
        coefficient: try config.float("router_aux_loss_coef", default: 0.001), scope: .allLayers),
      names: .init(
        router: "block_sparse_moe.gate", expert: "block_sparse_moe.experts.", input: ["w1", "w3"],
        output: "w2"))
    return architecture
  }
}
