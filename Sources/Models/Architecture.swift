import FireflyBase
import FireflyWeights

/// What distinguishes one decoder from another, as data: one `Transformer` serves every family.
///
/// Sizes are counts of elements; names are those of the checkpoint (Hugging Face spelling).
public struct Architecture: Equatable, Sendable {
  /// `model_type` of config.json.
  public var family: String
  public var vocabularySize: Int  // V
  public var hiddenSize: Int  // C
  public var layers: Int
  public var heads: Int  // H
  public var keyValueHeads: Int  // KV, divides H
  public var headDim: Int  // D
  public var intermediateSize: Int  // F
  /// ε of the norms.
  public var normEpsilon: Float
  public var rotary: Rotary
  /// The longest sequence the model was made for, in tokens.
  public var maxPositions: Int
  /// The head is the embedding table.
  public var tiedHead: Bool
  /// Biases on q, k, v; on o; on the MLP's three.
  public var queryKeyValueBias: Bool
  public var outputBias: Bool
  public var feedForwardBias: Bool
  public var names: TensorNames

  /// Rows of one key or value: KV·D.
  public var keyValueSize: Int { keyValueHeads * headDim }
  /// Rows of the queries: H·D.
  public var querySize: Int { heads * headDim }
}

/// Where the family keeps its tensors; `layer` is a prefix completed by the layer's number.
public struct TensorNames: Equatable, Sendable {
  public var embedding: String
  public var layer: String
  public var attentionNorm: String
  public var feedForwardNorm: String
  public var query: String
  public var key: String
  public var value: String
  public var attentionOutput: String
  public var gate: String
  public var up: String
  public var down: String
  public var finalNorm: String
  public var head: String

  /// Module names of one layer's linears, in the order of the computation.
  public var linears: [String] { [query, key, value, attentionOutput, gate, up, down] }
}

extension Architecture {
  /// Families by `model_type`. Adding one: a file in Families/ and a row here.
  static let families: [String: @Sendable (ConfigReader) throws -> Architecture] = [
    "llama": Llama.architecture
  ]

  /// Reads config.json; an unsupported family, key or value is refused by its name.
  public init(config: JSONValue, source: String) throws {
    let reader = ConfigReader(config, source: source)
    let type = try reader.string("model_type")
    guard let family = Architecture.families[type] else {
      throw FireflyError(
        "unsupported model family", at: "\(source): model_type",
        expected: Architecture.families.keys.sorted().joined(separator: ", "), found: type)
    }
    try reader.refuseUnsupportedQuantization()
    self = try family(reader)
    try validate(source)
  }

  private func validate(_ source: String) throws {
    func require(_ holds: Bool, _ what: String, _ found: String) throws {
      guard holds else { throw FireflyError(what, at: source, found: found) }
    }
    let sizes = [vocabularySize, hiddenSize, layers, heads, keyValueHeads, headDim, intermediateSize]
    try require(
      sizes.allSatisfy { $0 > 0 && $0 <= 1 << 24 }, "sizes must be positive and below 2^24", "\(sizes)")
    try require(
      heads % keyValueHeads == 0, "num_attention_heads must be a multiple of num_key_value_heads",
      "\(heads) and \(keyValueHeads)")
    try require(headDim % 2 == 0, "head_dim must be even", "\(headDim)")
    try require(normEpsilon > 0, "the norm's epsilon must be positive", "\(normEpsilon)")
  }
}
