/// A trained tensor before it has values: its name, its shape, and where it lies in the arena.
package struct ParameterSlot: Equatable, Sendable {
  /// What it is to its module.
  package enum Role: Equatable, Sendable {
    /// The two of a low-rank pair, A `[r, in]` and B `[out, r]`.
    case lowRankA, lowRankB
    /// A linear layer's `[out, in]` and `[out]`.
    case weight, bias
    /// A norm's, both `[C]`.
    case normWeight, normBias
    /// Attention's, `[H]`.
    case sinks
    /// `[V, C]`; a tied head is the embedding.
    case embedding, head
  }

  /// As in the files: `model.layers.0.self_attn.q_proj.weight`, and of a low-rank pair
  /// `base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight`.
  package let name: String
  package let shape: [Int]
  package let role: Role
  /// The number of its block; nil before and after the blocks.
  package let layer: Int?
  /// The module it belongs to, as the model's files call it: `model.layers.0.self_attn.q_proj`.
  package let module: String
  /// The share of the rows that pass through it.
  package let rowShare: Double
  /// Whether weight decay shrinks it.
  package let isDecayed: Bool
  /// Its elements in the arena.
  package let range: Range<Int>

  package var count: Int { range.count }
}
