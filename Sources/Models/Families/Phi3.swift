import FireflyBase

/// Phi-3 and Phi-3.5 mini and medium, Phi-4: LLaMA with q, k and v in one layer, gate and up in another.
enum Phi3 {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.decoder(config, partialRotary: true)
    architecture.names.attentionInput = ["self_attn.qkv_proj"]
    architecture.names.feedForwardInput = ["mlp.gate_up_proj"]
    try architecture.setWindow(config)
    return architecture
  }
}
