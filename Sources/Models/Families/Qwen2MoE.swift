import FireflyBase

/// Qwen1.5-MoE and Qwen2-57B-A14B: Qwen2 with experts and a shared expert whose result a sigmoid gates.
enum Qwen2MoE {
  static let defaults: [String: JSONValue] = ["num_key_value_heads": 16, "max_position_embeddings": 32_768]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    // transformers gives its windows to other layers than Qwen2's.
    try config.refuse("use_sliding_window", unless: [.bool(false)])
    var architecture = try Qwen2.architecture(config)
    architecture.queryKeyValueBias = try config.bool("qkv_bias", default: true)
    architecture.experts = Experts(
      count: try config.int("num_experts"),
      perRow: try config.int("num_experts_per_tok"),
      intermediateSize: try config.int("moe_intermediate_size"),
      normalizesWeights: try config.bool("norm_topk_prob", default: false),
      sharedSize: try config.int("shared_expert_intermediate_size"),
      layers: try sparseLayers(config),
      balance: .init(
        coefficient: try config.float("router_aux_loss_coef", default: 0.001), scope: .allLayers),
      names: .init(
        router: "mlp.gate", expert: "mlp.experts.", input: ["gate_proj", "up_proj"], output: "down_proj",
        shared: "mlp.shared_expert.", sharedGate: "mlp.shared_expert_gate"))
    return architecture
  }

  /// Every `decoder_sparse_step`-th layer, but for those in `mlp_only_layers`.
  static func sparseLayers(_ config: KeyReader) throws -> Experts.Layers {
    Experts.Layers(
      every: try config.positive("decoder_sparse_step", default: 1), phase: 1,
      dense: Set(config.has("mlp_only_layers") ? try config.ints("mlp_only_layers") : []))
  }
}
