import FireflyBase

/// A kind of model in GGUF files: what llama.cpp calls it, and how its files differ from transformers' checkpoints.
///
/// The reader and the writer know of a kind what its value says; `all` (GGUFArchitecture+Table.swift) lists them.
package struct GGUFArchitecture: Sendable {
  /// `general.architecture`; the metadata's keys begin with it.
  package let name: String
  /// transformers' model_types that are written so; a file that is read becomes the first.
  package let modelTypes: [String]
  /// transformers' class of the first.
  let modelClass: String
  package let tensors: GGUFNames
  /// Whether q and k have llama.cpp's order of rows (`RotaryRows`); otherwise they have transformers'.
  package let reordersRows: Bool
  /// Whether the weights of norms have 1 added, as the model's own code does.
  package var addsOneToNorms = false
  /// Members of config.json that are numbers of the metadata, where either has them.
  package var numbers: [(key: GGUFKey, name: String)] = []
  /// What llama.cpp knows of the model without being told.
  package var given = Given()
  /// Whether config.json's sliding_window is the longest text that llama.cpp gets right: it knows no window here.
  package let endsAtWindow: Bool
  /// Members of config.json that only models of this kind have.
  let options: @Sendable (GGUFFile) -> [String: JSONValue]

  /// Properties of a kind that its files do not hold.
  package struct Given: Sendable {
    /// Of so many layers one after another, all but the last have the window; nil: files of this kind have none.
    package var windowPeriod: Int?
    /// The rotary base of layers with a window; nil: that of the others.
    package var windowedTheta: Double?
    /// The key of config.json under which the number lies whose root scores are divided by in place of a head's size, and
    /// how many layers a model has in which it is the hidden size over the heads: in others it is the head's size.
    package var scoreScalar: (name: String, layers: Int)?
  }

  /// Whether files of this kind may have the key.
  func knows(_ key: GGUFKey) -> Bool {
    switch key {
    case .slidingWindow, .scoreCap, .logitCap: numbers.contains { $0.key == key }
    case .windowedRotaryBase: given.windowedTheta != nil
    default: true
    }
  }

  /// A key of the metadata: `llama.block_count`.
  package func key(_ key: GGUFKey) -> String { "\(name).\(key.rawValue)" }

  /// The architecture that a file names; nil when it is not known.
  static func named(_ name: String) -> GGUFArchitecture? { all.first { $0.name == name } }

  /// The architecture that a model of transformers is written as; nil when it has none.
  package static func of(modelType: String) -> GGUFArchitecture? {
    all.first { $0.modelTypes.contains(modelType) }
  }
}

/// Keys of a model's sizes and rotary scaling in the metadata, where they follow the architecture's name. A file with
/// others is refused. Source: the GGUF specification.
package enum GGUFKey: String, Sendable {
  case blockCount = "block_count"
  case contextLength = "context_length"
  case embeddingLength = "embedding_length"
  case feedForwardLength = "feed_forward_length"
  case vocabularySize = "vocab_size"
  case headCount = "attention.head_count"
  case keyValueHeadCount = "attention.head_count_kv"
  case keyLength = "attention.key_length"
  case valueLength = "attention.value_length"
  case normEpsilon = "attention.layer_norm_rms_epsilon"
  case rotaryDimensions = "rope.dimension_count"
  case rotaryBase = "rope.freq_base"
  /// An older way to write `scalingFactor` of linear scaling.
  case linearScale = "rope.scale_linear"
  case scalingType = "rope.scaling.type"
  case scalingFactor = "rope.scaling.factor"
  case originalContextLength = "rope.scaling.original_context_length"
  case isFineTuned = "rope.scaling.finetuned"
  case attentionFactor = "rope.scaling.attn_factor"
  case yarnBetaFast = "rope.scaling.yarn_beta_fast"
  case yarnBetaSlow = "rope.scaling.yarn_beta_slow"
  case slidingWindow = "attention.sliding_window"
  case windowedRotaryBase = "rope.freq_base_swa"
  case scoreCap = "attn_logit_softcapping"
  case logitCap = "final_logit_softcapping"
  case tensorDataLayout = "tensor_data_layout"

  /// Numbers of YaRN's scaling that may stand in a file, and transformers' names of them in rope_scaling.
  package static let yarnOptions: [(key: GGUFKey, name: String)] = [
    (.attentionFactor, "attention_factor"), (.yarnBetaFast, "beta_fast"), (.yarnBetaSlow, "beta_slow"),
  ]
}
