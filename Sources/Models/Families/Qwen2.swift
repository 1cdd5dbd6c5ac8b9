import FireflyBase

/// Qwen1.5, Qwen2, Qwen2.5: LLaMA with biases on q, k and v, and a sliding window in the upper layers where
/// `use_sliding_window` says so.
enum Qwen2 {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.architecture(config)
    architecture.queryKeyValueBias = true
    architecture.outputBias = false
    if try config.bool("use_sliding_window", default: false) {
      try architecture.setWindow(config, from: config.int("max_window_layers", default: 28))
    } else {
      config.pass("sliding_window", "max_window_layers")
    }
    return architecture
  }
}
