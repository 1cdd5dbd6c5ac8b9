/// A trained tensor before it has values: its name, its shape, and where it lies in the arena.
public struct ParameterSlot: Equatable, Sendable {
  /// What it is to its module.
  public enum Role: Equatable, Sendable {
    /// The two of a low-rank pair, A `[r, in]` and B `[out, r]`.
    case lowRankA, lowRankB
    /// A linear layer's `[out, in]` and `[out]`.
    case weight, bias
    /// A norm's, both `[C]`.
    case normWeight, normBias
    /// `[V, C]`; a tied head is the embedding.
    case embedding, head
  }

  /// As in the files: `model.layers.0.self_attn.q_proj.weight`, and of a low-rank pair
  /// `base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight`.
  public let name: String
  public let shape: [Int]
  public let role: Role
  /// The number of its block; nil before and after the blocks.
  public let layer: Int?
  /// The module it belongs to, as the model's files call it: `model.layers.0.self_attn.q_proj`.
  public let module: String
  /// The share of the rows that pass through it.
  public let rowShare: Double
  /// Whether weight decay shrinks it.
  public let isDecayed: Bool
  /// Its elements in the arena.
  public let range: Range<Int>

  public var count: Int { range.count }
}
