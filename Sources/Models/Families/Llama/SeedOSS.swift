import FireflyBase

/// Seed-OSS (ByteDance, 2025): LLaMA with heads of their own size, and biases on q, k and v.
enum SeedOSS {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.decoder(config, headDim: 128)
    architecture.queryKeyValueBias = try config.bool("attention_bias", default: true)
    architecture.outputBias = try config.bool("attention_out_bias", default: false)
    return architecture
  }
}
