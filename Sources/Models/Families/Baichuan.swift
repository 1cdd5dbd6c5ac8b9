import FireflyBase

/// Baichuan-7B and Baichuan2-7B: LLaMA with q, k and v in one layer, W_pack. Baichuan 2 divides the head's rows by their
/// lengths.
enum Baichuan {
  static func architecture(_ config: ConfigReader) throws -> Architecture {
    var architecture = try Llama.architecture(config)
    architecture.names.attentionInput = ["self_attn.W_pack"]
    architecture.normalizedHead = try isSecond(config)
    return architecture
  }

  /// Both generations say "baichuan". The second has a key of its own in config.json, and its own vocabulary.
  private static func isSecond(_ config: ConfigReader) throws -> Bool {
    try config.has("z_loss_weight") || config.int("vocab_size") == 125_696
  }
}
