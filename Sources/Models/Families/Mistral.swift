import FireflyBase

/// Mistral and Zephyr: LLaMA in which a row sees only the last `sliding_window` rows, where that is set.
enum Mistral {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.architecture(config)
    try architecture.setWindow(config)
    return architecture
  }
}

extension Architecture {
  /// Takes the window of `sliding_window`, when it is set, for the layers from `first`.
  mutating func setWindow(_ config: KeyReader, from first: Int = 0) throws {
    if config.has("sliding_window") { window = try config.int("sliding_window") }
    firstWindowedLayer = first
  }

  /// - Throws: `FireflyError` when `layer_types` says of a layer otherwise than the windows.
  func checkLayerTypes(_ config: KeyReader) throws {
    guard let types = config.value("layer_types")?.array else { return }
    for (layer, type) in types.enumerated() {
      let isWindowed = window != nil && layer >= firstWindowedLayer
      guard type != .string(isWindowed ? "sliding_attention" : "full_attention") else { continue }
      throw FireflyError(
        "unsupported value", at: "\(config.source): layer_types",
        expected: "windows as sliding_window and max_window_layers say",
        found: "\(type.text()) at layer \(layer)")
    }
  }
}
