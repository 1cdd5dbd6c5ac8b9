/// Multi-head latent attention (DeepSeek-AI, 2024): keys and values of all heads come from one short vector a row, and
/// queries may come from another. Only a part of each head turns with its position; that part of the keys is one for all
/// heads, straight from the input.
package struct LatentHeads: Equatable, Sendable {
  /// Length of the vector that queries come from; nil: they come from the input.
  package var queryRank: Int?
  /// Length of the vector that keys and values come from.
  package var keyValueRank: Int  // R
  /// Elements of a query's or key's head that do not turn.
  package var plainDim: Int  // N
  /// Those that do, after the others.
  package var rotaryDim: Int  // P
  /// Size of a value's head.
  package var valueDim: Int  // DV
  /// ε of the norms of both vectors, whatever the model's other norms have.
  package var normEpsilon: Float
  package var names: Names

  /// Modules within the layer, as PEFT calls them; `TensorNames.attentionInput` has those that read the input.
  package struct Names: Equatable, Sendable {
    package var queryNorm: String
    /// From the normed short vector to queries.
    package var queryUp: String
    package var keyValueNorm: String
    /// From the normed short vector to each head's key, but for what turns, and its value.
    package var keyValueUp: String
  }

  /// Size of a query's or key's head.
  package var headDim: Int { plainDim + rotaryDim }
  /// Elements of a row that the cache holds: the normed short vector and the turned part of the keys.
  package var cachedSize: Int { keyValueRank + rotaryDim }

  /// The norms of the short vectors and their sizes.
  package var norms: [(name: String, size: Int)] {
    (queryRank.map { [(names.queryNorm, $0)] } ?? []) + [(names.keyValueNorm, keyValueRank)]
  }
}
