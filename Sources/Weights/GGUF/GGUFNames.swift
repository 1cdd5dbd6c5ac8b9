/// Names of a model's tensors in GGUF files and in transformers' checkpoints.
/// Source: llama.cpp's gguf-py, tensor_mapping.py.
package struct GGUFNames: Sendable {
  /// GGUF's name and transformers' of a module.
  typealias Pair = (gguf: String, checkpoint: String)

  /// The modules that stand once in the model.
  let once: [Pair]
  /// The modules that every layer has.
  let perLayer: [Pair]
  /// What stands before a layer's number in transformers' names; its first part may be missing.
  var layer = "model.layers."
  /// Tensors of a layer that transformers has as a parameter of its own: GGUF's name with its kind, and the parameter's.
  var bare: [Pair] = []
  /// A layer's module with q, k and v together, which are tensors of their own in the file; nil: none is cut.
  var cut: String?

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

  /// The first Qwen's, with q, k and v in one matrix.
  static let qwen = GGUFNames(
    once: [(embedding, "transformer.wte"), ("output_norm", "transformer.ln_f"), (head, "lm_head")],
    perLayer: [
      ("attn_norm", "ln_1"), ("ffn_norm", "ln_2"), ("attn_qkv", "attn.c_attn"),
      ("attn_output", "attn.c_proj"),
      ("ffn_gate", "mlp.w2"), ("ffn_up", "mlp.w1"), ("ffn_down", "mlp.c_proj"),
    ], layer: "transformer.h.")

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

  /// With sinks of attention.
  static let gptOSS = GGUFNames(
    once: llama.once,
    perLayer: llama.withoutMLP.filter { $0.gguf != "ffn_norm" } + [
      ("post_attention_norm", "post_attention_layernorm"), ("ffn_gate_inp", "mlp.router"),
    ], bare: [("attn_sinks.weight", "self_attn.sinks")])

  /// With an expert that every row goes through, and its gate.
  static let qwen2MoE = GGUFNames(
    once: llama.once,
    perLayer: llama.withoutMLP + [
      ("ffn_gate_inp", "mlp.gate"), (sharedGate, "mlp.shared_expert_gate"),
      ("ffn_gate_shexp", "mlp.shared_expert.gate_proj"), ("ffn_up_shexp", "mlp.shared_expert.up_proj"),
      ("ffn_down_shexp", "mlp.shared_expert.down_proj"),
    ])

  /// With layers that have LLaMA's MLP, and layers that have experts and one that every row goes through.
  static let deepSeek = GGUFNames(
    once: llama.once,
    perLayer: llama.perLayer + [
      ("ffn_gate_inp", "mlp.gate"), ("ffn_gate_shexp", "mlp.shared_experts.gate_proj"),
      ("ffn_up_shexp", "mlp.shared_experts.up_proj"), ("ffn_down_shexp", "mlp.shared_experts.down_proj"),
    ])

  /// With latent attention.
  static let deepSeek2 = GGUFNames(
    once: llama.once,
    perLayer: deepSeek.perLayer.filter { $0.gguf != "attn_k" && $0.gguf != "attn_v" } + latent)

  static let miniCPM3 = GGUFNames(
    once: llama.once,
    perLayer: llama.perLayer.filter { !["attn_q", "attn_k", "attn_v"].contains($0.gguf) } + latent)

  private static let latent: [Pair] = [
    ("attn_q_a", "self_attn.q_a_proj"), ("attn_q_a_norm", "self_attn.q_a_layernorm"),
    ("attn_q_b", "self_attn.q_b_proj"), ("attn_kv_a_mqa", "self_attn.kv_a_proj_with_mqa"),
    ("attn_kv_a_norm", "self_attn.kv_a_layernorm"), ("attn_kv_b", "self_attn.kv_b_proj"),
  ]

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

  /// GLM-4's without these norms.
  static let glm = GGUFNames(
    once: llama.once,
    perLayer: llama.perLayer.filter { $0.gguf != "ffn_gate" && $0.gguf != "ffn_up" } + [
      ("ffn_up", "mlp.gate_up_proj")
    ])

  static let chatGLM = GGUFNames(
    once: [
      (embedding, "transformer.embedding.word_embeddings"),
      ("output_norm", "transformer.encoder.final_layernorm"), (head, "transformer.output_layer"),
    ], perLayer: fused, layer: "transformer.encoder.layers.")

  static let bloom = GGUFNames(
    once: [
      (embedding, "transformer.word_embeddings"),
      ("token_embd_norm", "transformer.word_embeddings_layernorm"), ("output_norm", "transformer.ln_f"),
      (head, "lm_head"),
    ], perLayer: fused, layer: "transformer.h.")

  /// With LLaMA's tensors in the file.
  static let baichuan = GGUFNames(once: llama.once, perLayer: llama.perLayer, cut: "self_attn.W_pack")

  static let internLM2 = GGUFNames(
    once: [(embedding, "model.tok_embeddings"), ("output_norm", "model.norm"), (head, "output")],
    perLayer: [
      ("attn_norm", "attention_norm"), ("ffn_norm", "ffn_norm"), ("attn_output", "attention.wo"),
      ("ffn_gate", "feed_forward.w1"), ("ffn_up", "feed_forward.w3"), ("ffn_down", "feed_forward.w2"),
    ], cut: "attention.wqkv")

  /// Layers of ChatGLM and BLOOM.
  private static let fused: [Pair] = [
    ("attn_norm", "input_layernorm"), ("ffn_norm", "post_attention_layernorm"),
    ("attn_qkv", "self_attention.query_key_value"), ("attn_output", "self_attention.dense"),
    ("ffn_up", "mlp.dense_h_to_4h"), ("ffn_down", "mlp.dense_4h_to_h"),
  ]

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
    if let pair = bare.first(where: { $0.gguf == "\(parts[2]).\(kind)" }) {
      return "\(self.layer)\(layer).\(pair.checkpoint)"
    }
    return perLayer.first { $0.gguf == parts[2] }.map { "\(self.layer)\(layer).\($0.checkpoint).\(kind)" }
  }

  /// `model.layers.3.self_attn.q_proj.weight` → `blk.3.attn_q.weight`; nil for no tensor of such a model.
  package func ggufName(of name: String) -> String? {
    if let (layer, part) = inLayer(name), let pair = bare.first(where: { $0.checkpoint == part }) {
      return "blk.\(layer).\(pair.gguf)"
    }
    guard let dot = name.lastIndex(of: ".") else { return nil }
    let (module, kind) = (String(name[..<dot]), name[dot...])
    if let pair = once.first(where: { $0.checkpoint == module || $0.checkpoint.hasSuffix("." + module) }) {
      return pair.gguf + kind
    }
    guard let (layer, part) = inLayer(module) else { return nil }
    return perLayer.first { $0.checkpoint == part }.map { "blk.\(layer).\($0.gguf)\(kind)" }
  }

  /// `model.layers.3.self_attn.W_pack.weight` → `blk.3.attn_q.weight` and those of k and v; nil for a tensor that is not cut.
  package func cutNames(of name: String) -> [String]? {
    guard let cut, let dot = name.lastIndex(of: "."), let (layer, part) = inLayer(String(name[..<dot])),
      part == cut
    else { return nil }
    return ["attn_q", "attn_k", "attn_v"].map { "blk.\(layer).\($0)\(name[dot...])" }
  }

  /// A module's layer and its name within it.
  private func inLayer(_ module: String) -> (layer: Int, part: String)? {
    let short = layer.drop { $0 != "." }.dropFirst()
    guard let prefix = [layer, String(short)].first(where: module.hasPrefix) else { return nil }
    let parts = module.dropFirst(prefix.count).split(separator: ".", maxSplits: 1)
    guard parts.count == 2, let number = Int(parts[0]) else { return nil }
    return (number, String(parts[1]))
  }
}
