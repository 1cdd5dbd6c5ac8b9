import FireflyBase

/// LLaMA with latent attention, as DeepSeek-V2 and MiniCPM3 spell it.
enum LatentDecoder {
  /// - Parameter valueDim: the size of a value's head where config.json has no `v_head_dim`; nil: it must have it.
  static func architecture(_ config: KeyReader, valueDim: Int? = nil) throws -> Architecture {
    for key in ["attention_bias", "mlp_bias"] { try config.refuse(key, unless: [.bool(false)]) }
    let turning = try config.int("qk_rope_head_dim")
    var architecture = try Llama.decoder(config, rotaryDim: turning)
    guard architecture.keyValueHeads == architecture.heads else {
      throw FireflyError(
        "latent attention has a key to every head", at: "\(config.source): num_key_value_heads",
        expected: "\(architecture.heads)", found: "\(architecture.keyValueHeads)")
    }
    let latent = LatentHeads(
      queryRank: config.has("q_lora_rank") ? try config.int("q_lora_rank") : nil,
      keyValueRank: try config.int("kv_lora_rank"),
      plainDim: try config.int("qk_nope_head_dim"),
      rotaryDim: turning,
      valueDim: try config.int("v_head_dim", default: valueDim),
      // `rms_norm_eps` is not handed to these norms in either family's code: they keep its default.
      normEpsilon: 1e-6,
      names: .init(
        queryNorm: "self_attn.q_a_layernorm", queryUp: "self_attn.q_b_proj",
        keyValueNorm: "self_attn.kv_a_layernorm", keyValueUp: "self_attn.kv_b_proj"))
    let query = latent.queryRank == nil ? "self_attn.q_proj" : "self_attn.q_a_proj"
    architecture.names.attentionInput = [query, "self_attn.kv_a_proj_with_mqa"]
    architecture.headDim = latent.headDim
    architecture.latent = latent
    return architecture
  }
}
