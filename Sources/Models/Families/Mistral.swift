import FireflyBase

/// Mistral and Zephyr: LLaMA in which a row sees only the last `sliding_window` rows, where that is set.
enum Mistral {
  static func architecture(_ config: ConfigReader) throws -> Architecture {
    try config.refuse("sliding_window", unless: [])
    return try Llama.architecture(config)
  }
}
