import FireflyBase

/// DeepSeek-V2, V2.5 and V2-Lite (DeepSeek-AI, 2024): latent attention, and DeepSeek-MoE's experts, of which a row may be
/// limited to a few groups.
enum DeepSeekV2 {
  static let defaults: [String: JSONValue] = [
    "q_lora_rank": 1536, "v_head_dim": 128, "n_routed_experts": 64, "n_shared_experts": 2,
  ]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    // DeepSeek's own code divides the weights then, transformers' does not.
    try config.refuse("norm_topk_prob", unless: [.bool(false)])
    var architecture = try LatentDecoder.architecture(config)
    if case .rotary(var rotary) = architecture.positions {
      rotary.interleaved = true
      architecture.positions = .rotary(rotary)
      if rotary.scaling != .none { architecture.scoreScale = try scoreScale(config) }
    }
    architecture.experts = try DeepSeekMoE.experts(config)
    architecture.experts?.groups = try groups(config)
    return architecture
  }

  /// YaRN's correction of the scores: those of queries and keys that are both longer by `mscale_all_dim`'s.
  private static func scoreScale(_ config: KeyReader) throws -> Float {
    guard let parameters = try Rotary.parameters(config) else { return 1 }
    let all = try parameters.float("mscale_all_dim", default: 0)
    let ofRotary = try parameters.float("mscale", default: 0)
    // transformers and DeepSeek's own code do not agree on what one without the other means.
    guard (all == 0) == (ofRotary == 0) else {
      throw FireflyError(
        "mscale and mscale_all_dim go together", at: parameters.source, expected: "both or none",
        found: "\(ofRotary) and \(all)")
    }
    guard all != 0 else { return 1 }
    let scale = Rotary.yarnScale(try parameters.float("factor"), all)
    return scale * scale
  }

  private static func groups(_ config: KeyReader) throws -> Experts.Groups? {
    let limited = "group_limited_greedy"
    try config.refuse("topk_method", unless: [.string("greedy"), .string(limited)])
    guard try config.string("topk_method", default: "greedy") == limited else {
      config.pass("n_group", "topk_group")
      return nil
    }
    return Experts.Groups(count: try config.positive("n_group"), chosen: try config.int("topk_group"))
  }
}
