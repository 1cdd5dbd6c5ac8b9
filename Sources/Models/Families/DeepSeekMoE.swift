import FireflyBase

/// DeepSeek-MoE-16B (Dai et al., 2024) and DeepSeek-LLM under its own code: LLaMA with dense layers first, then many small
/// experts and a few shared ones, which are one MLP of their sizes together.
enum DeepSeekMoE {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.architecture(config)
    architecture.experts = try experts(config)
    return architecture
  }

  /// nil where config.json has none: DeepSeek-LLM.
  static func experts(_ config: KeyReader) throws -> Experts? {
    guard config.has("n_routed_experts") else { return nil }
    try config.refuse("scoring_func", unless: [.string("softmax")])
    let normalizes = try config.bool("norm_topk_prob", default: false)
    let scale = try config.float("routed_scaling_factor", default: 1)
    let size = try config.int("moe_intermediate_size")
    let shared = size * (try config.int("n_shared_experts", default: 0))
    let bySequence = try config.bool("seq_aux", default: true)
    return Experts(
      count: try config.int("n_routed_experts"),
      perRow: try config.int("num_experts_per_tok"),
      intermediateSize: size,
      normalizesWeights: normalizes,
      scale: normalizes ? 1 : scale,
      sharedSize: shared == 0 ? nil : shared,
      layers: .init(
        first: try config.int("first_k_dense_replace", default: 0),
        every: try config.positive("moe_layer_freq", default: 1)),
      balance: .init(
        coefficient: try config.float("aux_loss_alpha", default: 0.001),
        scope: bySequence ? .sequence : .layer),
      names: .init(
        router: "mlp.gate", routerTakesAdapter: false, expert: "mlp.experts.",
        input: ["gate_proj", "up_proj"],
        output: "down_proj", shared: "mlp.shared_experts."))
  }
}
