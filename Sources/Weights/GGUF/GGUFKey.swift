import Foundation

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
  case layerNormEpsilon = "attention.layer_norm_epsilon"
  case rotaryDimensions = "rope.dimension_count"
  case rotaryBase = "rope.freq_base"
  /// An older way to write `scalingFactor` of linear scaling.
  case linearScale = "rope.scale_linear"
  case scalingType = "rope.scaling.type"
  case scalingFactor = "rope.scaling.factor"
  case originalContextLength = "rope.scaling.original_context_length"
  case isFineTuned = "rope.scaling.finetuned"
  /// YaRN's attention_factor over `usualAttentionFactor`, with which llama.cpp multiplies it.
  case attentionFactor = "rope.scaling.attn_factor"
  /// The same as transformers has it; llama.cpp's converter writes it, and llama.cpp does not use it.
  case wholeAttentionFactor = "rope.scaling.yarn_attn_factor"
  case yarnBetaFast = "rope.scaling.yarn_beta_fast"
  case yarnBetaSlow = "rope.scaling.yarn_beta_slow"
  case slidingWindow = "attention.sliding_window"
  case slidingWindowPattern = "attention.sliding_window_pattern"
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
  /// How many shared experts one MLP stands for.
  case sharedExpertCount = "expert_shared_count"
  case expertWeightScale = "expert_weights_scale"
  /// How many layers before those with experts have none.
  case leadingDenseCount = "leading_dense_block_count"
  case queryRank = "attention.q_lora_rank"
  case keyValueRank = "attention.kv_lora_rank"
  /// YaRN's mscale_all_dim; of DeepSeek-V2 a tenth of it.
  case yarnLogFactor = "rope.scaling.yarn_log_multiplier"
  /// β of queries that grow with their positions.
  case temperatureScale = "attention.temperature_scale"
  case tensorDataLayout = "tensor_data_layout"

  /// Numbers of YaRN's scaling that may stand in a file, and transformers' names of them in rope_scaling.
  package static let yarnOptions: [(key: GGUFKey, name: String)] = [
    (.wholeAttentionFactor, "attention_factor"), (.yarnBetaFast, "beta_fast"), (.yarnBetaSlow, "beta_slow"),
  ]

  /// YaRN's attention_factor where none is given (Peng et al., 2023).
  ///
  /// - Parameter factor: by how much positions are stretched.
  package static func usualAttentionFactor(_ factor: Double) -> Double {
    factor > 1 ? 1 + 0.1 * log(factor) : 1
  }
}
