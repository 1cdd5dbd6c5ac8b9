import FireflyBase

/// Qwen1.5, Qwen2, Qwen2.5: LLaMA with biases on q, k and v, and a sliding window in the upper layers where
/// `use_sliding_window` says so.
enum Qwen2 {
  static let defaults: [String: JSONValue] = [
    "num_key_value_heads": 32, "max_position_embeddings": 32_768, "sliding_window": 4096,
  ]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.architecture(config)
    architecture.queryKeyValueBias = true
    architecture.outputBias = false
    try setUpperWindows(&architecture, config)
    return architecture
  }

  /// The window in the layers from `max_window_layers`, or as `layer_types` says, where `use_sliding_window` is set.
  static func setUpperWindows(_ architecture: inout Architecture, _ config: KeyReader) throws {
    guard try config.bool("use_sliding_window", default: false) else {
      return config.pass("sliding_window", "max_window_layers")
    }
    let first = try config.int("max_window_layers", default: 28)
    try architecture.setWindow(config, followsTypes: true) { $0 >= first }
  }
}
