import FireflyBase
import FireflyTensors

/// What distinguishes one decoder from another, as data: one `Transformer` serves every family.
///
/// Sizes are counts of elements; names are those of the checkpoint (Hugging Face spelling). A family sets what it has
/// and leaves the rest at LLaMA's.
package struct Architecture: Equatable, Sendable {
  /// `model_type` of config.json.
  package var family: String
  /// It is the text part of a model of texts and images, within which adapters name their modules.
  package var isTextPart = false

  // MARK: Sizes
  package var vocabularySize: Int  // V
  package var hiddenSize: Int  // C
  package var layers: Int
  package var heads: Int  // H
  package var keyValueHeads: Int  // KV, divides H
  /// Size of a head of queries and keys.
  package var headDim: Int  // D
  package var intermediateSize: Int  // F
  /// The longest sequence the model was made for, in tokens.
  package var maxPositions: Int

  // MARK: A block
  package var norm = NormKind.rms
  /// ε of the norms.
  package var normEpsilon: Float
  package var positions: PositionEncoding
  /// How heads turn in the layers with a window; nil: as in the others.
  package var windowedRotary: Rotary?
  /// Layers whose heads do not turn.
  package var unturnedLayers: Set<Int> = []
  /// A row sees at most this many keys, its own included, in `windowedLayers`; nil: all before it.
  package var window: Int?
  package var windowedLayers: Set<Int> = []
  package var headOrder = HeadOrder.sideBySide
  /// Keys and values by way of a short vector; nil: straight from the input.
  package var latent: LatentHeads?
  /// Norms of queries and keys; nil: there are none.
  package var headNorm: HeadNorm?
  /// Factor on the scores beside 1/√D.
  package var scoreScale: Float = 1
  /// Scores become cap·tanh(score / cap); nil: they stay as they are.
  package var scoreCap: Float?
  /// A layer's tensor `[H]` of one more score a head, whose share of a softmax goes nowhere; nil: there is none.
  package var sinks: String?
  /// Biases on q, k, v; on o; on the MLP's layers.
  package var queryKeyValueBias = false
  package var outputBias = false
  package var feedForwardBias = false
  package var activation = Activation.silu
  /// Whether the MLP has a gate.
  package var isGated = true
  /// Factor on what a block's two halves add to the residual stream.
  package var residualScale: Float = 1

  /// Experts in place of some or all layers' MLPs.
  package var experts: Experts?

  // MARK: Around the blocks
  /// Factor on the embedding, rounded to the compute dtype as transformers does.
  package var embeddingScale: Float = 1
  /// Whether transformers' embedding has that factor in itself, so that noise on its output is not scaled.
  package var scalesInEmbedding = false
  /// A token whose row of the table gets no gradient where it stands in a text: `pad_token_id` where transformers gives it to
  /// the embedding as `padding_idx`. As a tied head's row it has one.
  package var paddingToken: Int?
  /// Factor on the logits.
  package var logitScale: Float = 1
  /// Then logits become cap·tanh(logit / cap); nil: they stay as they are.
  package var logitCap: Float?
  /// The head is the embedding table.
  package var tiedHead = false
  /// The head's rows are divided by their lengths.
  package var normalizedHead = false
  package var names: TensorNames

  /// Whether sequences may share a trunk (`Transformer.accumulateGradients`): not where its rows depend on the length of
  /// what follows, nor where the routers' auxiliary loss counts rows, nor with latent attention, which lays out no branches.
  package var sharesTrunks: Bool {
    (experts?.balance.coefficient ?? 0) == 0 && !rotaries.contains(where: \.dependsOnLength) && latent == nil
  }

  /// Rows of one key or value: KV·D.
  package var keyValueSize: Int { keyValueHeads * headDim }
  /// Rows of the queries: H·D.
  package var querySize: Int { heads * headDim }
  /// Size of a head of values.
  package var valueDim: Int { latent?.valueDim ?? headDim }
  /// Columns of what attention gives its output projection.
  package var attendedSize: Int { heads * valueDim }
  /// Columns of each thing that a layer's cache holds a row of for each token: keys and values, or what they are made of.
  var cacheWidths: [Int] { latent.map { [$0.cachedSize] } ?? [keyValueSize, keyValueSize] }
  /// Elements that the caches of all layers hold for a token.
  package var cachedSize: Int { layers * cacheWidths.reduce(0, +) }
}

/// What stands before a block's halves or after them, and before the head.
package enum NormKind: Equatable, Sendable {
  /// x / rms(x) ⊙ w (Zhang and Sennrich, 2019).
  case rms
  /// x / rms(x) ⊙ (1 + w): Gemma's.
  case rmsOnePlus
  /// (x − mean) / deviation ⊙ w + bias (Ba et al., 2016).
  case layer
}

/// How attention knows where a row stands.
package enum PositionEncoding: Equatable, Sendable {
  case rotary(Rotary)
  /// Linear biases on the scores (Press, Smith and Lewis, 2022).
  case alibi
}

/// How q, k and v lie in the outputs of the attention's input projections.
package enum HeadOrder: Equatable, Sendable {
  /// All rows of q, then those of k, then those of v.
  case sideBySide
  /// For each key-value head its queries, its key, its value.
  case byKeyValueHead
}

/// Where the family keeps its tensors.
///
/// Norms and linear layers are modules, without `.weight`; of a layer's, the name within the layer: what PEFT calls it.
/// Linear layers that read the same input stand in one list; a fused one stands alone in it.
package struct TensorNames: Equatable, Sendable {
  /// The tensor.
  package var embedding: String
  /// A norm after the embedding; nil where there is none.
  package var embeddingNorm: String?
  /// The prefix of a layer's tensors, completed by its number.
  package var layer: String
  /// Before the attention; nil: it reads the residual stream as it is.
  package var attentionNorm: String?
  /// Of what the attention gives, before that is added; nil: there is none.
  package var attentionOutputNorm: String?
  /// The same of the MLP.
  package var feedForwardNorm: String?
  package var feedForwardOutputNorm: String?
  /// q, k and v, or the one that is all three.
  package var attentionInput: [String]
  package var attentionOutput: String
  /// gate and up, or the one that is both; without a gate, up.
  package var feedForwardInput: [String]
  package var feedForwardOutput: String
  package var finalNorm: String
  /// The tensor.
  package var head: String

  /// The name of the model without its head, with a dot. A checkpoint of that alone leaves it out everywhere.
  var base: String { String(layer.prefix { $0 != "." }) + "." }

  /// The module of a weight.
  func module(_ tensor: String) -> String { String(tensor.dropLast(".weight".count)) }

  /// The prefix of a layer's tensors.
  package func prefix(_ index: Int) -> String { "\(layer)\(index)." }

  /// A block's norms of the residual stream's width, in the order of the computation.
  var blockNorms: [String] {
    [attentionNorm, attentionOutputNorm, feedForwardNorm, feedForwardOutputNorm].compactMap { $0 }
  }
  /// Those of what the halves give.
  package var outputNorms: [String] { [attentionOutputNorm, feedForwardOutputNorm].compactMap { $0 } }
}
