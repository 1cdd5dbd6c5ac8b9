import FireflyBase
import FireflyTensors

/// Gemma 2 (Gemma Team, 2024): Gemma with norms after both halves, a window in every other layer, and capped scores and
/// logits.
enum Gemma2 {
  static let defaults = shared.merging([
    "max_position_embeddings": 8192, "attn_logit_softcapping": 50, "final_logit_softcapping": 30,
  ]) { $1 }

  /// Those of Gemma 3 as well.
  static let shared: [String: JSONValue] = [
    "num_key_value_heads": 4, "head_dim": 256, "sliding_window": 4096, "tie_word_embeddings": true,
    "pad_token_id": 0,
  ]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try decoder(config) { headDim, maxPositions in
      try Rotary(config, headDim: headDim, maxPositions: maxPositions)
    }
    architecture.scoreCap = try cap(config, "attn_logit_softcapping")
    try architecture.setWindow(config, followsTypes: true) { $0.isMultiple(of: 2) }
    return architecture
  }

  /// What Gemma 3 has as well.
  ///
  /// - Parameter rotary: reads the rotation.
  static func decoder(
    _ config: KeyReader, rotary: (Int, Int) throws -> Rotary
  ) throws -> Architecture {
    try config.refuse("use_bidirectional_attention", unless: [.bool(false)])
    config.pass("hidden_act")
    var architecture = try withoutActuallyEscaping(rotary) { rotary in
      try Llama.decoder(
        config, activationKey: "hidden_activation", activations: [("gelu_pytorch_tanh", .geluTanh)],
        rotary: rotary)
    }
    architecture.norm = .rmsOnePlus
    architecture.names.attentionOutputNorm = "post_attention_layernorm"
    architecture.names.feedForwardNorm = "pre_feedforward_layernorm"
    architecture.names.feedForwardOutputNorm = "post_feedforward_layernorm"
    architecture.embeddingScale = Float(max(1, architecture.hiddenSize)).squareRoot()
    architecture.scalesInEmbedding = true
    let scalar = try config.positive("query_pre_attn_scalar", default: 256)
    architecture.scoreScale = (Float(max(1, architecture.headDim)) / Float(scalar)).squareRoot()
    architecture.logitCap = try cap(config, "final_logit_softcapping")
    return architecture
  }

  private static func cap(_ config: KeyReader, _ key: String) throws -> Float? {
    config.has(key) ? try config.float(key) : nil
  }
}
