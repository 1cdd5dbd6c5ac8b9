import FireflyBase
import FireflyWeights

extension AdapterConfig {
  /// adapter_config.json of a trained adapter: the keys that every PEFT since 0.4 reads, newer ones only where they
  /// differ from their defaults. Nil where no adapter is trained.
  ///
  /// - Parameter inWhole: the base is a model of texts and images, whose text part the adapter is for.
  static func text(_ trainable: Trainable, baseModel: String, inWhole: Bool) throws -> String? {
    guard var options = trainable.adapter else { return nil }
    let pairs = trainable.slots.filter { $0.role == .lowRankA }
    let leaves = Set(pairs.compactMap { $0.module.split(separator: ".").last.map(String.init) })
    let targets = options.targetModules ?? leaves.sorted()
    // Where the embedding has another name (BLOOM's), PEFT ties it for the head's sake.
    let saved = options.modulesToSave + (options.tiesSaved && !ties(options.modulesToSave) ? [head] : [])
    if inWhole { try options.resolvePatterns(pairs.map { ($0.module, TextPart.wholeName(of: $0.module)) }) }
    var config: [String: JSONValue] = [
      "auto_mapping": .null, "base_model_name_or_path": .string(baseModel), "bias": .string("none"),
      "fan_in_fan_out": .bool(false), "inference_mode": .bool(true), "init_lora_weights": .bool(true),
      "layers_pattern": .null, "layers_to_transform": .null, "lora_alpha": number(options.alpha),
      "lora_dropout": .double(Double("\(options.dropout)") ?? 0),
      "modules_to_save": options.modulesToSave.isEmpty ? .null : .array(saved.map(JSONValue.string)),
      "peft_type": .string("LORA"), "r": .int(options.rank), "revision": .null,
      "target_modules": inWhole
        ? .string(expression(targets)) : .array(targets.map(JSONValue.string)),
      "task_type": .string("CAUSAL_LM"),
    ]
    if options.rsLoRA { config["use_rslora"] = .bool(true) }
    if options.tiesSaved { config["ensure_weight_tying"] = .bool(true) }
    var members = config.mapValues { $0.text(indent: 2).replacing("\n", with: "\n  ") }
    if !options.rankPattern.isEmpty {
      members["rank_pattern"] = text(options.rankPattern, JSONValue.int)
    }
    if !options.alphaPattern.isEmpty {
      members["alpha_pattern"] = text(options.alphaPattern, number)
    }
    let lines = members.sorted { $0.key < $1.key }.map { "  \(JSONValue.string($0.key).text()): \($0.value)" }
    return "{\n" + lines.joined(separator: ",\n") + "\n}"
  }

  /// The targets within the text part alone: what reads images has modules of the same names.
  private static func expression(_ targets: [String]) -> String {
    let within = targets.map { $0.hasPrefix("model.") ? String($0.dropFirst("model.".count)) : $0 }
    let names = within.sorted().map { $0.replacing(".", with: "\\.") }.joined(separator: "|")
    return ".*\\.language_model\\.(.*\\.)?(\(names))" + (targets.contains("lm_head") ? "|lm_head" : "")
  }

  /// An object whose members keep their order, which decides where two patterns fit a module.
  private static func text<Value>(_ patterns: ModulePatterns<Value>, _ json: (Value) -> JSONValue) -> String {
    let lines = patterns.entries.map { entry in
      "    \(JSONValue.string(entry.pattern).text()): \(json(entry.value).text())"
    }
    return "{\n" + lines.joined(separator: ",\n") + "\n  }"
  }

  private static func number(_ value: Double) -> JSONValue {
    Int(exactly: value).map(JSONValue.int) ?? .double(value)
  }
}
