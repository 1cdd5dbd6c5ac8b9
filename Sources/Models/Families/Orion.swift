import FireflyBase

/// Orion-14B: LLaMA with LayerNorm.
enum Orion {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.architecture(config)
    architecture.norm = .layer
    return architecture
  }
}
