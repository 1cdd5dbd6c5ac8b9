import FireflyBase

/// Granite 3 and 4 without experts (IBM, 2024): LLaMA with factors on the embedding, the scores, what each half of a block
/// adds, and the logits.
enum Granite {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.architecture(config)
    architecture.embeddingScale = try config.float("embedding_multiplier", default: 1)
    architecture.residualScale = try config.float("residual_multiplier", default: 1)
    architecture.logitScale = 1 / (try config.float("logits_scaling", default: 1))
    // In place of 1/√D.
    let factor = try config.float("attention_multiplier", default: 1)
    architecture.scoreScale = factor * Float(max(1, architecture.headDim)).squareRoot()
    return architecture
  }
}
