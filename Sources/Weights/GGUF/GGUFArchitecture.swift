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
  /// Whether config.json's sliding_window is the longest text that llama.cpp gets right: it knows no window here.
  package let endsAtWindow: Bool
  /// Members of config.json that only models of this kind have.
  let options: @Sendable (GGUFFile) -> [String: JSONValue]

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
  case tensorDataLayout = "tensor_data_layout"

  /// Numbers of YaRN's scaling that may stand in a file, and transformers' names of them in rope_scaling.
  package static let yarnOptions: [(key: GGUFKey, name: String)] = [
    (.attentionFactor, "attention_factor"), (.yarnBetaFast, "beta_fast"), (.yarnBetaSlow, "beta_slow"),
  ]
}
