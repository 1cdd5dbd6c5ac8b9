import FireflyBase

/// Baichuan and Baichuan 2: LLaMA with q, k and v in one layer, W_pack. The 7B models have rotary positions, the 13B ones
/// ALiBi; Baichuan 2 divides the head's rows by their lengths.
enum Baichuan {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.architecture(config)
    architecture.names.attentionInput = ["self_attn.W_pack"]
    architecture.normalizedHead = try isSecond(config)
    if hasALiBi(config, architecture) {
      architecture.positions = .alibi
      architecture.maxPositions = try config.int("model_max_length", default: 4096)
    }
    return architecture
  }

  /// All Baichuan models say "baichuan". The 13B models have no `max_position_embeddings`, and their hidden size.
  private static func hasALiBi(_ config: KeyReader, _ architecture: Architecture) -> Bool {
    !config.has("max_position_embeddings") || architecture.hiddenSize == 5120
  }

  /// The second generation has a key of its own in config.json, and its own vocabulary.
  private static func isSecond(_ config: KeyReader) throws -> Bool {
    try config.has("z_loss_weight") || config.int("vocab_size") == 125_696
  }
}
