import FireflyBase
import FireflyTensors

/// Gemma 2 (Gemma Team, 2024): Gemma with norms after both halves, a window in every other layer, and capped scores and
/// logits.
enum Gemma2 {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try decoder(config, scoreCap: 50, logitCap: 30) { headDim, maxPositions in
      try Rotary(config, headDim: headDim, maxPositions: maxPositions)
    }
    try architecture.setWindow(config, followsTypes: true) { $0.isMultiple(of: 2) }
    return architecture
  }

  /// What Gemma 3 has as well.
  ///
  /// - Parameters:
  ///   - scoreCap: where config.json does not say; nil: none. `logitCap` likewise.
  ///   - rotary: reads the rotation.
  static func decoder(
    _ config: KeyReader, scoreCap: Float?, logitCap: Float?, rotary: (Int, Int) throws -> Rotary
  ) throws -> Architecture {
    try config.refuse("use_bidirectional_attention", unless: [.bool(false)])
    config.pass("hidden_act")
    var architecture = try withoutActuallyEscaping(rotary) { rotary in
      try Llama.decoder(
        config, activationKey: "hidden_activation", activations: [("gelu_pytorch_tanh", .geluTanh)],
        headDim: 256, rotary: rotary)
    }
    architecture.norm = .rmsOnePlus
    architecture.names.attentionOutputNorm = "post_attention_layernorm"
    architecture.names.feedForwardNorm = "pre_feedforward_layernorm"
    architecture.names.feedForwardOutputNorm = "post_feedforward_layernorm"
    architecture.embeddingScale = Float(max(1, architecture.hiddenSize)).squareRoot()
    architecture.scalesInEmbedding = true
    architecture.tiedHead = try config.bool("tie_word_embeddings", default: true)
    let scalar = try config.positive("query_pre_attn_scalar", default: 256)
    architecture.scoreScale = (Float(max(1, architecture.headDim)) / Float(scalar)).squareRoot()
    architecture.scoreCap = try cap(config, "attn_logit_softcapping", scoreCap)
    architecture.logitCap = try cap(config, "final_logit_softcapping", logitCap)
    return architecture
  }

  /// null means none; a key that is not there, the family's own.
  private static func cap(_ config: KeyReader, _ key: String, _ usual: Float?) throws -> Float? {
    if config.has(key) { return try config.float(key) }
    return config.keys.contains(key) ? nil : usual
  }
}
