import FireflyBase
import Foundation

/// HunYuan dense models (Tencent, 2025): LLaMA with norms of queries and keys after these have turned, and a base that
/// `alpha` stretches.
enum HunYuan {
  static let defaults: [String: JSONValue] = ["rms_norm_eps": 1e-5, "pad_token_id": 0]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    // Keys and values that layers share, experts, and models without the norms.
    try config.refuse("use_cla", unless: [.bool(false)])
    try config.refuse("num_experts", unless: [.int(1)])
    try config.refuse("use_qk_norm", unless: [.bool(true)])
    try config.refuse("mlp_bias", unless: [.bool(false)])
    config.pass("attention_head_dim", "cla_share_factor")
    var architecture = try Llama.decoder(config) { headDim, maxPositions in
      try rotary(config, headDim: headDim, maxPositions: maxPositions)
    }
    architecture.headNorm = HeadNorm(
      query: "self_attn.query_layernorm", key: "self_attn.key_layernorm", followsRotation: true)
    return architecture
  }

  /// Scaling that is called dynamic but does not depend on the sequence's length where it has an `alpha`: θ·α^(D/(D − 2)).
  private static func rotary(_ config: KeyReader, headDim: Int, maxPositions: Int) throws -> Rotary {
    guard let parameters = try Rotary.parameters(config), parameters.has("alpha"),
      try parameters.string("rope_type", default: parameters.string("type", default: "default")) == "dynamic"
    else { return try Rotary(config, headDim: headDim, maxPositions: maxPositions) }
    let alpha = try parameters.float("alpha")
    guard alpha > 0 && headDim > 2 else {
      throw FireflyError("must be positive", at: "\(parameters.source): alpha", found: "\(alpha)")
    }
    // They do nothing here.
    parameters.pass("beta_fast", "beta_slow", "factor", "mscale", "mscale_all_dim")
    let outer = try config.float("rope_theta", default: 10_000)
    let theta = try parameters.float("rope_theta", default: outer)
    let stretched = Double(theta) * pow(Double(alpha), Double(headDim) / Double(headDim - 2))
    return Rotary(theta: Float(stretched), dimensions: headDim)
  }
}
