/// Norms of queries and of keys between their projections and the scores, of the kind and the ε of the block's.
package struct HeadNorm: Equatable, Sendable {
  /// Modules within the layer.
  package var query = "self_attn.q_norm"
  package var key = "self_attn.k_norm"
  package var span = Span.head
  /// They take queries and keys that have turned already.
  package var followsRotation = false

  /// What is divided by its root mean square.
  package enum Span: Equatable, Sendable {
    /// Each head by itself, all with one weight: `[D]` (Henry et al., 2020).
    case head
    /// All heads of a row together: `[H·D]`, of keys `[KV·D]`.
    case projection
  }
}
