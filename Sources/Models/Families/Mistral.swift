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
