import FireflyBase
import FireflyTensors

/// gpt-oss 20B and 120B (OpenAI, 2025): LLaMA's decoder with biases, sinks of attention, a window in every other layer, and
/// in every layer experts whose gate and up are clamped.
enum GPTOSS {
  static let defaults: [String: JSONValue] = [
    "num_key_value_heads": 8, "head_dim": 64, "max_position_embeddings": 131_072, "rms_norm_eps": 1e-5,
    "attention_bias": true, "sliding_window": 128, "rope_theta": 150_000,
    "rope_parameters": [
      "rope_type": "yarn", "factor": 32, "beta_fast": 32, "beta_slow": 1, "truncate": false,
      "original_max_position_embeddings": 4096,
    ],
  ]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    try config.refuse("swiglu_alpha", unless: [.double(1.702)])
    try config.refuse("swiglu_limit", unless: [.int(7), .double(7)])
    // Earlier names of num_experts_per_tok and of rope_scaling's original_max_position_embeddings.
    config.pass("experts_per_token", "initial_context_length")
    try Rotary.requireParameters(config)
    var architecture = try Llama.architecture(config)
    architecture.sinks = "self_attn.sinks"
    architecture.activation = .clamped
    architecture.experts = try experts(config, size: architecture.intermediateSize)
    try architecture.setWindow(config, followsTypes: true) { $0 % 2 == 0 }
    return architecture
  }

  /// The auxiliary loss counts where `output_router_logits` asks for it: the published files have a large coefficient, and
  /// do not.
  private static func experts(_ config: KeyReader, size: Int) throws -> Experts {
    let coefficient = try config.float("router_aux_loss_coef", default: 0.001)
    let isBalanced = try config.bool("output_router_logits", default: false)
    return Experts(
      count: try config.int(config.has("num_local_experts") ? "num_local_experts" : "num_experts"),
      perRow: try config.int("num_experts_per_tok"),
      intermediateSize: size,
      bias: true,
      normalizesWeights: true,
      layers: .init(),
      balance: .init(coefficient: isBalanced ? coefficient : 0, scope: .allLayers),
      names: .init(
        router: "mlp.router", routerTakesAdapter: false, expertsTakeAdapters: false, expert: "mlp.experts.",
        input: ["gate_proj", "up_proj"], output: "down_proj"))
  }
}
