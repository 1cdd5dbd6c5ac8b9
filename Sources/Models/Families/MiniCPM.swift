import FireflyBase
import Foundation

/// MiniCPM (Hu et al., 2024): LLaMA with factors on the embedding, on what each half of a block adds, and on the logits.
enum MiniCPM {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    try config.refuse("num_experts", unless: [.int(0)])
    var architecture = try Llama.architecture(config)
    try setScales(&architecture, config)
    return architecture
  }

  /// The factors and the tied head, which MiniCPM3 has as well.
  static func setScales(_ architecture: inout Architecture, _ config: KeyReader) throws {
    architecture.tiedHead = try config.bool("tie_word_embeddings", default: true)
    architecture.embeddingScale = try config.float("scale_emb", default: 1)
    architecture.residualScale =
      try config.float("scale_depth", default: 1) / Float(max(1, architecture.layers)).squareRoot()
    architecture.logitScale =
      try config.float("dim_model_base", default: 1) / Float(max(1, architecture.hiddenSize))
  }
}
