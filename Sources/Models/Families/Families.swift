import FireflyBase
import FireflyWeights

/// How the config.json of a family is read.
struct Family: Sendable {
  let read: @Sendable (KeyReader) throws -> Architecture
  /// What the family's class in transformers takes for keys that config.json lacks, where that is not LLaMA's; of sizes only
  /// those that other keys may stand for: the rest must be there.
  let defaults: [String: JSONValue]

  init(
    _ read: @escaping @Sendable (KeyReader) throws -> Architecture, _ defaults: [String: JSONValue] = [:]
  ) {
    self.read = read
    self.defaults = defaults
  }
}

extension Architecture {
  /// Families by `model_type`. Adding one: a file in Families/ and a row here.
  static let families: [String: Family] = [
    "Yi": Family(Yi.architecture),
    "aquila": Family(Llama.architecture),
    "baichuan": Family(Baichuan.architecture),
    "bloom": Family(Bloom.architecture),
    "chatglm": Family(ChatGLM.architecture),
    "deepseek": Family(DeepSeekMoE.architecture),
    "deepseek_v2": Family(DeepSeekV2.architecture, DeepSeekV2.defaults),
    "ernie4_5": Family(Ernie.architecture, Ernie.defaults),
    "gemma": Family(Gemma.architecture, Gemma.defaults),
    "gemma2": Family(Gemma2.architecture, Gemma2.defaults),
    "gemma3_text": Family(Gemma3.architecture, Gemma3.defaults),
    "glm": Family(GLM.architecture, GLM.defaults),
    "glm4": Family(GLM4.architecture, GLM.defaults),
    "gpt_oss": Family(GPTOSS.architecture, GPTOSS.defaults),
    "granite": Family(Granite.architecture),
    "hunyuan_v1_dense": Family(HunYuan.architecture, HunYuan.defaults),
    "internlm": Family(InternLM.architecture),
    "internlm2": Family(InternLM2.architecture),
    "internlm3": Family(InternLM3.architecture, InternLM3.defaults),
    "llama": Family(Llama.architecture),
    "minicpm": Family(MiniCPM.architecture),
    "minicpm3": Family(MiniCPM3.architecture, MiniCPM3.defaults),
    "ministral": Family(Ministral.architecture, Mistral.defaults),
    "ministral3": Family(Ministral3.architecture, Ministral3.defaults),
    "mistral": Family(Mistral.architecture, Mistral.defaults),
    "mixtral": Family(Mixtral.architecture, Mixtral.defaults),
    "olmo2": Family(OLMo2.architecture, OLMo2.defaults),
    "olmo3": Family(OLMo3.architecture, OLMo3.defaults),
    "orion": Family(Orion.architecture),
    "phi3": Family(Phi3.architecture, Phi3.defaults),
    "qwen": Family(Qwen.architecture),
    "qwen2": Family(Qwen2.architecture, Qwen2.defaults),
    "qwen2_moe": Family(Qwen2MoE.architecture, Qwen2MoE.defaults),
    "qwen3": Family(Qwen3.architecture, Qwen3.defaults),
    "qwen3_moe": Family(Qwen3MoE.architecture, Qwen3MoE.defaults),
    "seed_oss": Family(SeedOSS.architecture, SeedOSS.defaults),
    "smollm3": Family(SmolLM3.architecture, SmolLM3.defaults),
    "xverse": Family(Llama.architecture),
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
    let type = try KeyReader(config, source: source).string("model_type")
    guard let family = families[type] else {
      throw FireflyError(
        "unsupported model family", at: "\(source): model_type",
        expected: (familyNames + ModelSource.textPartTypes).sorted().joined(separator: ", "), found: type)
    }
    let reader = KeyReader(config, source: source, defaults: family.defaults)
    reader.pass("model_type")
    var architecture = try family.read(reader)
    architecture.family = type
    try architecture.checkLayerTypes(reader)
    try architecture.validate(source)
    try reader.refuse("is_encoder_decoder", unless: [.bool(false)])
    return (architecture, try reader.finish(configKeys))
  }
}
