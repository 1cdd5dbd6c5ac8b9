import FireflyBase

/// SmolLM3 (Hugging Face, 2025): LLaMA in which the heads of every fourth layer do not turn.
enum SmolLM3 {
  static let defaults: [String: JSONValue] = [
    "num_key_value_heads": 4, "max_position_embeddings": 32_768, "rope_theta": 2_000_000,
    "tie_word_embeddings": true, "pad_token_id": 128_004,
  ]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.architecture(config)
    let unturned = try unturnedLayers(config, layers: architecture.layers)
    architecture.unturnedLayers = unturned
    if try config.bool("use_sliding_window", default: false) {
      try architecture.setWindow(config, followsTypes: true) { unturned.contains($0) }
    } else {
      config.pass("sliding_window")
    }
    config.pass("max_window_layers")
    return architecture
  }

  /// `no_rope_layers` has a 1 for each layer that turns, in spite of its name.
  private static func unturnedLayers(_ config: KeyReader, layers: Int) throws -> Set<Int> {
    let interval = try config.positive("no_rope_layer_interval", default: 4)
    guard config.has("no_rope_layers") else {
      return Set((0..<max(0, layers)).filter { ($0 + 1) % interval == 0 })
    }
    let turns = try config.ints("no_rope_layers")
    guard turns.count >= layers else {
      throw FireflyError(
        "wrong number of layers", at: "\(config.source): no_rope_layers", expected: "\(layers)",
        found: "\(turns.count)")
    }
    return Set((0..<max(0, layers)).filter { turns[$0] == 0 })
  }
}
