/// Names of a LLaMA-like model's tensors in GGUF files and in transformers' checkpoints.
/// Source: llama.cpp's gguf-py, tensor_mapping.py.
package enum GGUFNames {
  /// GGUF's name and transformers' of what stands once in the model.
  private static let once = [
    ("token_embd", "model.embed_tokens"), ("output_norm", "model.norm"), ("output", "lm_head"),
  ]
  /// Of what every layer has.
  private static let perLayer = [
    ("attn_norm", "input_layernorm"), ("ffn_norm", "post_attention_layernorm"),
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"), ("attn_v", "self_attn.v_proj"), ("attn_output", "self_attn.o_proj"),
    ("ffn_gate", "mlp.gate_proj"), ("ffn_up", "mlp.up_proj"), ("ffn_down", "mlp.down_proj"),
  ]

  /// `blk.3.attn_q.weight` → `model.layers.3.self_attn.q_proj.weight`; nil for no tensor of such a model.
  package static func checkpointName(of name: String) -> String? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard let kind = parts.last else { return nil }
    if parts.count == 2 { return once.first { $0.0 == parts[0] }.map { "\($0.1).\(kind)" } }
    guard parts.count == 4, parts[0] == "blk", let layer = Int(parts[1]) else { return nil }
    return perLayer.first { $0.0 == parts[2] }.map { "model.layers.\(layer).\($0.1).\(kind)" }
  }

  /// `model.layers.3.self_attn.q_proj.weight` → `blk.3.attn_q.weight`; nil for no tensor of such a model.
  package static func ggufName(of name: String) -> String? {
    guard let dot = name.lastIndex(of: ".") else { return nil }
    let (module, kind) = (name[..<dot], name[dot...])
    if let pair = once.first(where: { $0.1 == module }) { return pair.0 + kind }
    let parts = module.split(separator: ".", maxSplits: 3).map(String.init)
    guard parts.count == 4, parts[0] == "model", parts[1] == "layers", let layer = Int(parts[2]) else {
      return nil
    }
    return perLayer.first { $0.1 == parts[3] }.map { "blk.\(layer).\($0.0)\(kind)" }
  }
}
