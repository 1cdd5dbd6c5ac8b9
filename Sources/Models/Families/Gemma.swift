import FireflyBase
import FireflyTensors

/// Gemma (the first): heads of their own size, the embedding times √C, norms with 1 + w, GELU, a tied head.
enum Gemma {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    // Both spellings mean the tanh approximation; so does none at all.
    let gelu: [(name: String, activation: Activation)] = [
      ("gelu_pytorch_tanh", .geluTanh), ("gelu", .geluTanh),
    ]
    _ = try config.activation("hidden_activation", gelu)
    var architecture = try Llama.decoder(config, activations: gelu)
    architecture.headDim = try config.int("head_dim")
    architecture.norm = .rmsOnePlus
    architecture.embeddingScale = Float(max(1, architecture.hiddenSize)).squareRoot()
    architecture.scalesInEmbedding = true
    architecture.tiedHead = try config.bool("tie_word_embeddings", default: true)
    return architecture
  }
}
