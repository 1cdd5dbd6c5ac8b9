import FireflyBase

extension Architecture {
  /// Families by `model_type`. Adding one: a file in Families/ and a row here.
  static let families: [String: @Sendable (ConfigReader) throws -> Architecture] = [
    "Yi": Yi.architecture,
    "aquila": Llama.architecture,
    "baichuan": Baichuan.architecture,
    "bloom": Bloom.architecture,
    "chatglm": ChatGLM.architecture,
    "gemma": Gemma.architecture,
    "deepseek": DeepSeekMoE.architecture,
    "deepseek_v2": DeepSeekV2.architecture,
    "internlm": InternLM.architecture,
    "internlm2": InternLM2.architecture,
    "llama": Llama.architecture,
    "minicpm": MiniCPM.architecture,
    "minicpm3": MiniCPM3.architecture,
    "mistral": Mistral.architecture,
    "mixtral": Mixtral.architecture,
    "orion": Orion.architecture,
    "phi3": Phi3.architecture,
    "qwen": Qwen.architecture,
    "qwen2": Qwen2.architecture,
    "qwen2_moe": Qwen2MoE.architecture,
    "xverse": Llama.architecture,
  ]

  /// The `model_type`s that can be read, sorted.
  public static var familyNames: [String] { families.keys.sorted() }

  /// Reads config.json; an unsupported family, key or value is refused by its name.
  public init(config: JSONValue, source: String) throws {
    let reader = ConfigReader(config, source: source)
    let type = try reader.string("model_type")
    guard let family = Architecture.families[type] else {
      throw FireflyError(
        "unsupported model family", at: "\(source): model_type",
        expected: Architecture.familyNames.joined(separator: ", "), found: type)
    }
    self = try family(reader)
    self.family = type
    try validate(source)
  }
}
