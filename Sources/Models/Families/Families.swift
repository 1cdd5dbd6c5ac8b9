import FireflyBase
import FireflyWeights

extension Architecture {
  /// Families by `model_type`. Adding one: a file in Families/ and a row here.
  static let families: [String: @Sendable (KeyReader) throws -> Architecture] = [
    "Yi": Yi.architecture,
    "aquila": Llama.architecture,
    "baichuan": Baichuan.architecture,
    "bloom": Bloom.architecture,
    "chatglm": ChatGLM.architecture,
    "deepseek": DeepSeekMoE.architecture,
    "deepseek_v2": DeepSeekV2.architecture,
    "ernie4_5": Ernie.architecture,
    "gemma": Gemma.architecture,
    "gemma2": Gemma2.architecture,
    "gemma3_text": Gemma3.architecture,
    "glm": GLM.architecture,
    "glm4": GLM4.architecture,
    "gpt_oss": GPTOSS.architecture,
    "granite": Granite.architecture,
    "hunyuan_v1_dense": HunYuan.architecture,
    "internlm": InternLM.architecture,
    "internlm2": InternLM2.architecture,
    "internlm3": InternLM3.architecture,
    "llama": Llama.architecture,
    "minicpm": MiniCPM.architecture,
    "minicpm3": MiniCPM3.architecture,
    "ministral": Ministral.architecture,
    "ministral3": Ministral3.architecture,
    "mistral": Mistral.architecture,
    "mixtral": Mixtral.architecture,
    "olmo2": OLMo2.architecture,
    "olmo3": OLMo3.architecture,
    "orion": Orion.architecture,
    "phi3": Phi3.architecture,
    "qwen": Qwen.architecture,
    "qwen2": Qwen2.architecture,
    "qwen2_moe": Qwen2MoE.architecture,
    "qwen3": Qwen3.architecture,
    "qwen3_moe": Qwen3MoE.architecture,
    "seed_oss": SeedOSS.architecture,
    "smollm3": SmolLM3.architecture,
    "xverse": Llama.architecture,
  ]

  /// The `model_type`s that can be read, sorted.
  package static var familyNames: [String] { families.keys.sorted() }

  /// Reads config.json; an unsupported family, key or value is refused by its name.
  package init(config: JSONValue, source: String) throws {
    self = try Architecture.read(config, source: source).architecture
  }

  /// - Returns: the architecture, and a note for each key that has no effect here.
  static func read(
    _ config: JSONValue, source: String
  ) throws -> (architecture: Architecture, notes: [String]) {
    let reader = KeyReader(config, source: source)
    let type = try reader.string("model_type")
    guard let family = families[type] else {
      throw FireflyError(
        "unsupported model family", at: "\(source): model_type",
        expected: (familyNames + ModelSource.textPartTypes).sorted().joined(separator: ", "), found: type)
    }
    var architecture = try family(reader)
    architecture.family = type
    try architecture.checkLayerTypes(reader)
    try architecture.validate(source)
    try reader.refuse("is_encoder_decoder", unless: [.bool(false)])
    return (architecture, try reader.finish(configKeys))
  }
}
