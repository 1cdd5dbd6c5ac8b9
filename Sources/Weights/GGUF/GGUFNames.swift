/// Names of a model's tensors in GGUF files and in transformers' checkpoints.
/// Source: llama.cpp's gguf-py, tensor_mapping.py.
package struct GGUFNames: Sendable {
  /// GGUF's name and transformers' of a module.
  typealias Pair = (gguf: String, checkpoint: String)

  /// The modules that stand once in the model.
  let once: [Pair]
  /// The modules that every layer has.
  let perLayer: [Pair]

  static let embedding = "token_embd"
  static let head = "output"
  /// The gate of the shared expert, one row.
  package static let sharedGate = "ffn_gate_inp_shexp"

  /// LLaMA's, which many families share.
  static let llama = GGUFNames(
    once: [
      (embedding, "model.embed_tokens"), ("output_norm", "model.norm"), (head, "lm_head"),
    ],
    perLayer: [
      ("attn_norm", "input_layernorm"), ("ffn_norm", "post_attention_layernorm"),
      ("attn_q", "self_attn.q_proj"), ("attn_k", "self_attn.k_proj"), ("attn_v", "self_attn.v_proj"),
      ("attn_output", "self_attn.o_proj"),
      ("ffn_gate", "mlp.gate_proj"), ("ffn_up", "mlp.up_proj"), ("ffn_down", "mlp.down_proj"),
    ])

  /// With norms of queries and keys.
  static let qwen3 = GGUFNames(once: llama.once, perLayer: llama.perLayer + headNorms)

  /// With norms after both halves.
  static let gemma2 = GGUFNames(
    once: llama.once,
    perLayer: llama.perLayer.filter { $0.gguf != "ffn_norm" } + [
      ("post_attention_norm", "post_attention_layernorm"), ("ffn_norm", "pre_feedforward_layernorm"),
      ("post_ffw_norm", "post_feedforward_layernorm"),
    ])

  static let gemma3 = GGUFNames(once: llama.once, perLayer: gemma2.perLayer + headNorms)

  /// LLaMA's with a router in the place of the MLP.
  static let mixtral = GGUFNames(
    once: llama.once, perLayer: llama.withoutMLP + [("ffn_gate_inp", "block_sparse_moe.gate")])

  static let qwen3MoE = GGUFNames(
    once: llama.once, perLayer: llama.withoutMLP + headNorms + [("ffn_gate_inp", "mlp.gate")])

  /// With an expert that every row goes through, and its gate.
  static let qwen2MoE = GGUFNames(
    once: llama.once,
    perLayer: llama.withoutMLP + [
      ("ffn_gate_inp", "mlp.gate"), (sharedGate, "mlp.shared_expert_gate"),
      ("ffn_gate_shexp", "mlp.shared_expert.gate_proj"), ("ffn_up_shexp", "mlp.shared_expert.up_proj"),
      ("ffn_down_shexp", "mlp.shared_expert.down_proj"),
    ])

  /// With norms after the halves alone, and norms of all queries and all keys.
  static let olmo2 = GGUFNames(
    once: llama.once,
    perLayer: llama.linears + headNorms + [
      ("post_attention_norm", "post_attention_layernorm"), ("post_ffw_norm", "post_feedforward_layernorm"),
    ])

  /// LLaMA's with another name of the second norm.
  static let seedOSS = GGUFNames(
    once: llama.once,
    perLayer: llama.linears + [
      ("attn_norm", "input_layernorm"), ("post_attention_norm", "post_attention_layernorm"),
    ])

  static let hunYuan = GGUFNames(
    once: llama.once,
    perLayer: llama.perLayer + [
      ("attn_q_norm", "self_attn.query_layernorm"), ("attn_k_norm", "self_attn.key_layernorm"),
    ])

  /// With q, k and v in one matrix, gate and up in another.
  static let phi3 = GGUFNames(
    once: llama.once,
    perLayer: [
      ("attn_norm", "input_layernorm"), ("ffn_norm", "post_attention_layernorm"),
      ("attn_qkv", "self_attn.qkv_proj"), ("attn_output", "self_attn.o_proj"),
      ("ffn_up", "mlp.gate_up_proj"), ("ffn_down", "mlp.down_proj"),
    ])

  /// With gate and up in one matrix, and norms after both halves.
  static let glm4 = GGUFNames(
    once: llama.once,
    perLayer: llama.linears.filter { $0.gguf != "ffn_gate" && $0.gguf != "ffn_up" } + [
      ("ffn_up", "mlp.gate_up_proj"), ("attn_norm", "input_layernorm"),
      ("post_attention_norm", "post_self_attn_layernorm"), ("ffn_norm", "post_attention_layernorm"),
      ("post_ffw_norm", "post_mlp_layernorm"),
    ])

  private var withoutMLP: [Pair] { perLayer.filter { !$0.checkpoint.hasPrefix("mlp.") } }

  /// What is no norm of a layer.
  private var linears: [Pair] { perLayer.filter { !$0.gguf.hasSuffix("norm") } }

  private static let headNorms: [Pair] = [
    ("attn_q_norm", "self_attn.q_norm"), ("attn_k_norm", "self_attn.k_norm"),
  ]

  /// Whether a tensor is a norm's weight.
  ///
  /// - Parameter name: GGUF's name of a tensor.
  package static func isNorm(_ name: String) -> Bool { name.hasSuffix("norm.weight") }

  /// The tensor that the logits are products with.
  package static func headWeight(isTied: Bool) -> String { (isTied ? embedding : head) + ".weight" }

  /// How many heads a tensor has whose rows turn with the position; nil for another tensor.
  ///
  /// - Parameter name: GGUF's name of a tensor.
  package static func turningHeads(_ name: String, heads: Int, keyValueHeads: Int) -> Int? {
    if name.contains(".attn_q.") { return heads }
    return name.contains(".attn_k.") ? keyValueHeads : nil
  }

  /// `blk.3.attn_q.weight` → `model.layers.3.self_attn.q_proj.weight`; nil for no tensor of such a model.
  package func checkpointName(of name: String) -> String? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard let kind = parts.last else { return nil }
    if parts.count == 2 { return once.first { $0.gguf == parts[0] }.map { "\($0.checkpoint).\(kind)" } }
    guard parts.count == 4, parts[0] == "blk", let layer = Int(parts[1]) else { return nil }
    return perLayer.first { $0.gguf == parts[2] }.map { "model.layers.\(layer).\($0.checkpoint).\(kind)" }
  }

  /// `model.layers.3.self_attn.q_proj.weight` → `blk.3.attn_q.weight`; nil for no tensor of such a model.
  package func ggufName(of name: String) -> String? {
    guard let dot = name.lastIndex(of: ".") else { return nil }
    let (module, kind) = (name[..<dot], name[dot...])
    if let pair = once.first(where: { $0.checkpoint == module }) { return pair.gguf + kind }
    let parts = module.split(separator: ".", maxSplits: 3).map(String.init)
    guard parts.count == 4, parts[0] == "model", parts[1] == "layers", let layer = Int(parts[2]) else {
      return nil
    }
    return perLayer.first { $0.checkpoint == parts[3] }.map { "blk.\(layer).\($0.gguf)\(kind)" }
  }
}
