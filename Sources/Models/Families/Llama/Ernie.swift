import FireflyBase

/// ERNIE 4.5 without experts (Baidu, 2025): LLaMA whose heads turn in neighbouring pairs, with a tied head.
enum Ernie {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.decoder(config, headDim: 128, theta: 500_000)
    architecture.normEpsilon = try config.float("rms_norm_eps", default: 1e-5)
    architecture.turnNeighbours()
    architecture.tiedHead = try config.bool("tie_word_embeddings", default: true)
    let hasBiases = try config.bool("use_bias", default: false)
    architecture.queryKeyValueBias = hasBiases
    architecture.outputBias = hasBiases
    architecture.feedForwardBias = hasBiases
    return architecture
  }
}
