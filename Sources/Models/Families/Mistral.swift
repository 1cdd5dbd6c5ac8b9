import FireflyBase

/// Mistral and Zephyr: LLaMA in which a row sees only the last `sliding_window` rows, where that is set.
enum Mistral {
  /// Those of Ministral as well.
  static let defaults: [String: JSONValue] = [
    "num_key_value_heads": 8, "max_position_embeddings": 131_072, "sliding_window": 4096,
  ]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.architecture(config)
    try architecture.setWindow(config)
    return architecture
  }
}

/// Ministral 8B (Mistral AI, 2024), in the spelling of transformers 5: Mistral whose `layer_types` say which layers have the window.
enum Ministral {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.architecture(config)
    try architecture.setWindow(config, followsTypes: true)
    return architecture
  }
}

/// Ministral 3 (Mistral AI, 2025): Mistral with heads of their own size, whose queries grow with their positions where
/// `llama_4_scaling_beta` says so.
enum Ministral3 {
  static let defaults: [String: JSONValue] = [
    "num_key_value_heads": 8, "head_dim": 128, "max_position_embeddings": 262_144, "rms_norm_eps": 1e-5,
    "pad_token_id": 11,
    "rope_parameters": [
      "rope_type": "yarn", "rope_theta": 1_000_000, "factor": 16, "original_max_position_embeddings": 16_384,
      "beta_fast": 32, "beta_slow": 1, "mscale": 1, "mscale_all_dim": 1, "llama_4_scaling_beta": 0.1,
    ],
  ]

  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.decoder(config) { headDim, maxPositions in
      var rotary = try Rotary(config, headDim: headDim, maxPositions: maxPositions)
      rotary.queryGrowth = try growth(config, Rotary.requireParameters(config), maxPositions)
      return rotary
    }
    try architecture.setWindow(config)
    return architecture
  }

  private static func growth(
    _ config: KeyReader, _ parameters: KeyReader, _ maxPositions: Int
  ) throws -> Rotary.QueryGrowth? {
    parameters.pass("max_position_embeddings")
    guard parameters.has("llama_4_scaling_beta") else { return nil }
    return Rotary.QueryGrowth(
      beta: try parameters.float("llama_4_scaling_beta"),
      original: Int(try Rotary.originalLength(config, parameters, maxPositions)))
  }
}

extension Architecture {
  /// Takes the window of `sliding_window`, when it is set.
  ///
  /// - Parameters:
  ///   - followsTypes: whether `layer_types` says in which layers.
  ///   - isWindowed: whether a layer has it, where `layer_types` does not say.
  mutating func setWindow(
    _ config: KeyReader, followsTypes: Bool = false, in isWindowed: (Int) -> Bool = { _ in true }
  ) throws {
    guard config.has("sliding_window") else { return }
    window = try config.int("sliding_window")
    windowedLayers = Set((0..<max(0, layers)).filter(isWindowed))
    guard followsTypes, let types = try config.strings("layer_types") else { return }
    guard types.count == layers else {
      throw FireflyError(
        "wrong number of layers", at: "\(config.source): layer_types", expected: "\(layers)",
        found: "\(types.count)")
    }
    windowedLayers = Set(types.indices.filter { types[$0] == "sliding_attention" })
  }

  /// - Throws: `FireflyError` when `layer_types` says of a layer otherwise than the windows.
  func checkLayerTypes(_ config: KeyReader) throws {
    guard let types = config.value("layer_types")?.array else { return }
    for (layer, type) in types.enumerated() {
      let expected = window(layer) == nil ? "full_attention" : "sliding_attention"
      guard type != .string(expected) else { continue }
      throw FireflyError(
        "unsupported value", at: "\(config.source): layer_types",
        expected: "windows as sliding_window and max_window_layers say",
        found: "\(type.text()) at layer \(layer)")
    }
  }
}
