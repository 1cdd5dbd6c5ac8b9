import FireflyBase
import FireflyTensors

/// Gemma (the first): heads of their own size, the embedding times √C, norms with 1 + w, GELU, a tied head.
enum Gemma {
  static let defaults: [String: JSONValue] = [
    "num_key_value_heads": 16, "head_dim": 256, "max_position_embeddings": 8192,
    "tie_word_embeddings": true, "pad_token_id": 0,
  ]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    // Both spellings mean the tanh approximation; so does none at all.
    let gelu: [(name: String, activation: Activation)] = [
      ("gelu_pytorch_tanh", .geluTanh), ("gelu", .geluTanh),
    ]
    _ = try config.activation("hidden_activation", gelu)
    var architecture = try Llama.decoder(config, activations: gelu)
    architecture.norm = .rmsOnePlus
    architecture.embeddingScale = Float(max(1, architecture.hiddenSize)).squareRoot()
    architecture.scalesInEmbedding = true
    return architecture
  }
}
