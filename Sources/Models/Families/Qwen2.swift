import FireflyBase

/// Qwen1.5, Qwen2, Qwen2.5: LLaMA with biases on q, k and v.
enum Qwen2 {
  static func architecture(_ config: ConfigReader) throws -> Architecture {
    try config.refuse("use_sliding_window", unless: [.bool(false)])
    var architecture = try Llama.architecture(config)
    architecture.queryKeyValueBias = true
    architecture.outputBias = false
    return architecture
  }
}
