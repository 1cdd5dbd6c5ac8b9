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
  case embeddingScale = "embedding_scale"
  case residualScale = "residual_scale"
  case scoreScale = "attention.scale"
  case logitScale = "logit_scale"
  case expertCount = "expert_count"
  case expertUsedCount = "expert_used_count"
  case expertSize = "expert_feed_forward_length"
  case sharedExpertSize = "expert_shared_feed_forward_length"
  case tensorDataLayout = "tensor_data_layout"

  /// Numbers of YaRN's scaling that may stand in a file, and transformers' names of them in rope_scaling.
  package static let yarnOptions: [(key: GGUFKey, name: String)] = [
    (.attentionFactor, "attention_factor"), (.yarnBetaFast, "beta_fast"), (.yarnBetaSlow, "beta_slow"),
  ]
}
