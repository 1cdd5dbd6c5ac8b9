/// How files of a kind keep experts: a layer's lie one after another in one tensor, [experts, rows, columns], biases in
/// another, [experts, rows].
package struct GGUFExperts: Sendable {
  /// What stands before an expert's number in transformers' names, within the layer: `mlp.experts.`.
  let prefix: String
  /// GGUF's names, and what stands behind the number.
  let parts: [GGUFNames.Pair]
  /// Members of config.json: the number of experts, how many a row goes through, and where they are not the layer's MLP
  /// size, the sizes of an expert and of the shared one.
  package let count: String
  package var used = "num_experts_per_tok"
  package var size: String?
  package var sharedSize: String?
  package var sharedCount: String?
  /// How many layers before the others have no experts; nil: none.
  package var firstLayer: String?
  /// Whether the weights of a row's experts are made to sum to 1, which llama.cpp takes for granted.
  package let normalizesWeights: Bool

  static let mixtral = GGUFExperts(
    prefix: "block_sparse_moe.experts.",
    parts: [("ffn_gate_exps", "w1"), ("ffn_up_exps", "w3"), ("ffn_down_exps", "w2")],
    count: "num_local_experts", normalizesWeights: true)

  static let qwen3 = GGUFExperts(
    prefix: "mlp.experts.", parts: projections, count: "num_experts", size: "moe_intermediate_size",
    normalizesWeights: true)

  static let gptOSS = GGUFExperts(
    prefix: "mlp.experts.", parts: projections, count: "num_local_experts", size: "intermediate_size",
    normalizesWeights: true)

  static let qwen2 = GGUFExperts(
    prefix: "mlp.experts.", parts: projections, count: "num_experts", size: "moe_intermediate_size",
    sharedSize: "shared_expert_intermediate_size", normalizesWeights: false)

  static let deepSeek = GGUFExperts(
    prefix: "mlp.experts.", parts: projections, count: "n_routed_experts", size: "moe_intermediate_size",
    sharedCount: "n_shared_experts", firstLayer: "first_k_dense_replace", normalizesWeights: false)

  private static let projections: [GGUFNames.Pair] = [
    ("ffn_gate_exps", "gate_proj"), ("ffn_up_exps", "up_proj"), ("ffn_down_exps", "down_proj"),
  ]

  /// The sizes that the metadata has, and config.json's names of them.
  package var sizes: [(key: GGUFKey, name: String)] {
    [(.expertCount, count), (.expertUsedCount, used)]
      + [(GGUFKey.expertSize, size), (.sharedExpertSize, sharedSize), (.sharedExpertCount, sharedCount)]
      .compactMap { key, name in
        name.map { (key, $0) }
      }
  }

  /// `model.layers.3.mlp.experts.5.up_proj.weight` → `blk.3.ffn_up_exps.weight` and 5; nil for no expert's tensor.
  package func place(of name: String) -> (ggufName: String, expert: Int)? {
    let start = "model.layers."
    guard name.hasPrefix(start) else { return nil }
    let parts = name.dropFirst(start.count).split(separator: ".", maxSplits: 1)
    guard parts.count == 2, let layer = Int(parts[0]), parts[1].hasPrefix(prefix) else { return nil }
    let rest = parts[1].dropFirst(prefix.count).split(separator: ".")
    guard rest.count == 3, let expert = Int(rest[0]),
      let pair = self.parts.first(where: { $0.checkpoint == rest[1] })
    else { return nil }
    return ("blk.\(layer).\(pair.gguf).\(rest[2])", expert)
  }

  /// The tensors of a layer's experts, each with its part of the bytes; nil for another tensor.
  func split(_ info: TensorInfo) -> [TensorInfo]? {
    let parts = info.name.split(separator: ".").map(String.init)
    guard parts.count == 4, let layer = Int(parts[1]), info.shape.count == (parts[3] == "bias" ? 2 : 3),
      let pair = self.parts.first(where: { $0.gguf == parts[2] })
    else { return nil }
    let bytes = info.range.count / info.shape[0]
    return (0..<info.shape[0]).map { expert in
      let start = info.range.lowerBound + expert * bytes
      return TensorInfo(
        name: "model.layers.\(layer).\(prefix)\(expert).\(pair.checkpoint).\(parts[3])", type: info.type,
        shape: Array(info.shape.dropFirst()), path: info.path, range: start..<start + bytes)
    }
  }
}
