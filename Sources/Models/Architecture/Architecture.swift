import FireflyBase
import FireflyTensors

/// What distinguishes one decoder from another, as data: one `Transformer` serves every family.
///
/// Sizes are counts of elements; names are those of the checkpoint (Hugging Face spelling). A family sets what it has
/// and leaves the rest at LLaMA's.
public struct Architecture: Equatable, Sendable {
  /// `model_type` of config.json.
  public var family: String

  // MARK: Sizes
  public var vocabularySize: Int  // V
  public var hiddenSize: Int  // C
  public var layers: Int
  public var heads: Int  // H
  public var keyValueHeads: Int  // KV, divides H
  /// Size of a head of queries and keys.
  public var headDim: Int  // D
  public var intermediateSize: Int  // F
  /// The longest sequence the model was made for, in tokens.
  public var maxPositions: Int

  // MARK: A block
  public var norm = NormKind.rms
  /// ε of the norms.
  public var normEpsilon: Float
  public var positions: PositionEncoding
  /// A row sees at most this many keys, its own included, in the layers from `firstWindowedLayer`; nil: all before it.
  public var window: Int?
  public var firstWindowedLayer = 0
  public var headOrder = HeadOrder.sideBySide
  /// Keys and values by way of a short vector; nil: straight from the input.
  public var latent: LatentHeads?
  /// Factor on the scores beside 1/√D.
  public var scoreScale: Float = 1
  /// Biases on q, k, v; on o; on the MLP's layers.
  public var queryKeyValueBias = false
  public var outputBias = false
  public var feedForwardBias = false
  public var activation = Activation.silu
  /// Whether the MLP has a gate.
  public var isGated = true
  /// Factor on what a block's two halves add to the residual stream.
  public var residualScale: Float = 1

  /// Experts in place of some or all layers' MLPs.
  public var experts: Experts?

  // MARK: Around the blocks
  /// Factor on the embedding, rounded to the compute dtype as transformers does.
  public var embeddingScale: Float = 1
  /// A token whose row of the table gets no gradient where it stands in a text: `pad_token_id` where transformers gives it to
  /// the embedding as `padding_idx`. As a tied head's row it has one.
  public var paddingToken: Int?
  /// Factor on the logits.
  public var logitScale: Float = 1
  /// The head is the embedding table.
  public var tiedHead = false
  /// The head's rows are divided by their lengths.
  public var normalizedHead = false
  public var names: TensorNames

  /// Whether sequences may share a trunk (`Transformer.accumulateGradients`): not where its rows depend on the length of
  /// what follows, nor where the routers' auxiliary loss counts rows, nor with latent attention, which lays out no branches.
  public var sharesTrunks: Bool {
    (experts?.balance.coefficient ?? 0) == 0 && !(rotary?.dependsOnLength ?? false) && latent == nil
  }

  /// Rows of one key or value: KV·D.
  public var keyValueSize: Int { keyValueHeads * headDim }
  /// Rows of the queries: H·D.
  public var querySize: Int { heads * headDim }
  /// Size of a head of values.
  public var valueDim: Int { latent?.valueDim ?? headDim }
  /// Columns of what attention gives its output projection.
  public var attendedSize: Int { heads * valueDim }
  /// Columns of each thing that a layer's cache holds a row of for each token: keys and values, or what they are made of.
  var cacheWidths: [Int] { latent.map { [$0.cachedSize] } ?? [keyValueSize, keyValueSize] }
  /// Elements that the caches of all layers hold for a token.
  public var cachedSize: Int { layers * cacheWidths.reduce(0, +) }
  /// The rotation of queries and keys; nil where positions enter another way.
  public var rotary: Rotary? {
    if case .rotary(let rotary) = positions { rotary } else { nil }
  }
}

/// What stands before a block's halves and the head.
public enum NormKind: Equatable, Sendable {
  /// x / rms(x) ⊙ w (Zhang and Sennrich, 2019).
  case rms
  /// x / rms(x) ⊙ (1 + w): Gemma's.
  case rmsOnePlus
  /// (x − mean) / deviation ⊙ w + bias (Ba et al., 2016).
  case layer
}

/// How attention knows where a row stands.
public enum PositionEncoding: Equatable, Sendable {
  case rotary(Rotary)
  /// Linear biases on the scores (Press, Smith and Lewis, 2022).
  case alibi
}

/// How q, k and v lie in the outputs of the attention's input projections.
public enum HeadOrder: Equatable, Sendable {
  /// All rows of q, then those of k, then those of v.
  case sideBySide
  /// For each key-value head its queries, its key, its value.
  case byKeyValueHead
}

/// Where the family keeps its tensors.
///
/// Norms and linear layers are modules, without `.weight`; of a layer's, the name within the layer: what PEFT calls it.
/// Linear layers that read the same input stand in one list; a fused one stands alone in it.
public struct TensorNames: Equatable, Sendable {
  /// The tensor.
  public var embedding: String
  /// A norm after the embedding; nil where there is none.
  public var embeddingNorm: String?
  /// The prefix of a layer's tensors, completed by its number.
  public var layer: String
  public var attentionNorm: String
  public var feedForwardNorm: String
  /// q, k and v, or the one that is all three.
  public var attentionInput: [String]
  public var attentionOutput: String
  /// gate and up, or the one that is both; without a gate, up.
  public var feedForwardInput: [String]
  public var feedForwardOutput: String
  public var finalNorm: String
  /// The tensor.
  public var head: String

  /// The name of the model without its head, with a dot. A checkpoint of that alone leaves it out everywhere.
  var base: String { String(layer.prefix { $0 != "." }) + "." }

  /// The prefix of a layer's tensors.
  package func prefix(_ index: Int) -> String { "\(layer)\(index)." }
}

extension Architecture {
  /// - Throws: `FireflyError` for sizes that cannot be, naming the file.
  func validate(_ source: String) throws {
    func require(_ holds: Bool, _ what: String, _ found: String) throws {
      guard holds else { throw FireflyError(what, at: source, found: found) }
    }
    let sizes = [vocabularySize, hiddenSize, layers, heads, keyValueHeads, headDim, intermediateSize]
    try require(
      sizes.allSatisfy { $0 > 0 && $0 <= 1 << 24 }, "sizes must be positive and below 2^24", "\(sizes)")
    try require(layers <= 4096, "a model may have 4096 layers", "\(layers)")
    try require(
      heads % keyValueHeads == 0, "the attention heads must be a multiple of the key-value heads",
      "\(heads) and \(keyValueHeads)")
    let turning = latent?.rotaryDim ?? headDim
    try require(turning % 2 == 0, "the size of a head must be even", "\(turning)")
    if let latent { try validate(latent, require) }
    try require(maxPositions > 0, "the number of positions must be positive", "\(maxPositions)")
    if let window { try require(window > 0, "sliding_window must be positive", "\(window)") }
    try require(normEpsilon > 0, "the norm's epsilon must be positive", "\(normEpsilon)")
    if let experts { try validate(experts, require) }
    for scale in [embeddingScale, residualScale, logitScale, scoreScale] {
      try require(scale.isFinite && scale > 0, "a scale must be positive", "\(scale)")
    }
  }

  private func validate(
    _ latent: LatentHeads, _ require: (Bool, String, String) throws -> Void
  ) throws {
    let sizes = [
      latent.queryRank ?? 1, latent.keyValueRank, latent.plainDim, latent.rotaryDim, latent.valueDim,
    ]
    try require(
      sizes.allSatisfy { $0 > 0 && $0 <= 1 << 24 },
      "the sizes of latent attention must be positive and below 2^24",
      "\(sizes)")
  }

  private func validate(
    _ experts: Experts, _ require: (Bool, String, String) throws -> Void
  ) throws {
    let sizes = [experts.intermediateSize, experts.sharedSize ?? 1]
    try require(
      sizes.allSatisfy { $0 > 0 && $0 <= 1 << 24 }, "the experts' sizes must be positive and below 2^24",
      "\(sizes)")
    try require(
      experts.count > 0 && experts.count <= 4096, "there must be 1 to 4096 experts", "\(experts.count)")
    try require(
      experts.perRow > 0 && experts.perRow <= experts.count,
      "a row can go to 1 to all of the experts", "\(experts.perRow) of \(experts.count)")
    if let groups = experts.groups {
      try require(
        groups.count > 0 && experts.count % groups.count == 0 && groups.chosen > 0
          && groups.chosen <= groups.count,
        "the experts must fall into equal groups, of which a row can go to 1 to all",
        "\(experts.count) experts, \(groups.chosen) of \(groups.count) groups")
      try require(
        experts.perRow <= groups.chosen * (experts.count / groups.count),
        "the chosen groups must have as many experts as a row goes through",
        "\(experts.perRow) of \(groups.chosen) groups of \(experts.count / groups.count)")
    }
    try require(
      experts.scale.isFinite && experts.scale > 0, "the experts' scale must be positive", "\(experts.scale)")
    try require(
      experts.balance.coefficient.isFinite && experts.balance.coefficient >= 0,
      "the auxiliary loss's coefficient must not be negative", "\(experts.balance.coefficient)")
  }
}
