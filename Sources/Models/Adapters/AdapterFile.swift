import FireflyBase
import FireflyHub
import FireflyTensors
import FireflyWeights
import Foundation

// An adapter folder of PEFT: adapter_config.json beside adapter_model.safetensors (or .bin), whose tensors are
// `base_model.model.<module>.lora_A.weight` [r, in] and `….lora_B.weight` [out, r].

/// A PEFT folder, checked.
package struct AdapterFile {
  package let folder: String
  package let options: LoRAOptions
  let store: WeightStore
  /// Modules that have an A and a B.
  package let modules: [String]
  /// Modules that are there whole, for those of the base.
  package let saved: [String]

  /// - Parameter name: a path, or an adapter's name on a hub.
  package init(_ name: String) throws {
    let folder = try LocalModels().path(of: name, for: .adapter)
    self.folder = folder
    options = try AdapterFile.options(folder)
    store = try AdapterFile.weights(in: folder)
    let whole = AdapterFile.saved(store.names, options)
    saved = whole
    modules = try AdapterFile.modules(
      store.names.filter { !whole.contains(AdapterFile.module($0)) }, store.path)
    if let missing = options.modulesToSave.first(where: { name in
      !whole.contains { LoRAOptions.matches($0, name) }
    }) {
      throw FireflyError(
        "the adapter's weights lack a module of \"modules_to_save\"", at: store.path,
        expected: "\(missing).weight")
    }
  }

  /// The tensors of a PEFT folder, as they are.
  ///
  /// - Throws: `FireflyError` when they are missing or damaged.
  package static func weights(in folder: String) throws -> WeightStore {
    let paths = ModelFiles.adapterWeights.map { "\(folder)/\($0)" }
    guard let path = paths.first(where: FileManager.default.fileExists) else {
      throw FireflyError(
        "the adapter's weights are missing", at: folder,
        expected: ModelFiles.adapterWeights.joined(separator: ", or of older PEFT "))
    }
    return try WeightStore.open(path)
  }

  /// The tensor's module, if it is one that is there whole.
  private static func module(_ name: String) -> String {
    String(name.dropFirst(LoRAOptions.filePrefix.count).dropLast(".weight".count))
  }

  private static func saved(_ names: [String], _ options: LoRAOptions) -> [String] {
    names.filter { $0.hasPrefix(LoRAOptions.filePrefix) && $0.hasSuffix(".weight") }.map(module)
      .filter { options.saves($0) }
  }

  /// A module's whole weight in float32, by its full name in the file.
  package func tensor(_ name: String, shape: [Int]) throws -> Tensor {
    try store.tensor(name, shape: shape, as: .float32)
  }

  /// The weight of one of `saved`.
  package func savedWeight(_ module: String, shape: [Int]) throws -> Tensor {
    try tensor(LoRAOptions.filePrefix + module + ".weight", shape: shape)
  }

  private static func modules(_ names: [String], _ path: String) throws -> [String] {
    var parts: [String: Set<String>] = [:]
    for name in names {
      let suffix = [".lora_A.weight", ".lora_B.weight"].first { name.hasSuffix($0) }
      guard name.hasPrefix(LoRAOptions.filePrefix), let suffix else {
        throw FireflyError(
          "unsupported tensor in an adapter", at: path,
          expected: "\(LoRAOptions.filePrefix)….lora_A.weight or ….lora_B.weight",
          found: name)
      }
      parts[String(name.dropFirst(LoRAOptions.filePrefix.count).dropLast(suffix.count)), default: []].insert(
        suffix)
    }
    if let lonely = parts.first(where: { $0.value.count != 2 }) {
      throw FireflyError(
        "an adapter needs lora_A and lora_B", at: "\(path): \(lonely.key)",
        found: lonely.value.sorted().joined(separator: ", "))
    }
    guard !parts.isEmpty else { throw FireflyError("the adapter holds no tensors", at: path) }
    return parts.keys.sorted()
  }

  private static func options(_ folder: String) throws -> LoRAOptions {
    let path = "\(folder)/\(ModelFiles.adapterConfig)"
    let config = ConfigReader(try JSONValue.read(path), source: path)
    try config.refuse("peft_type", unless: [.string("LORA")])
    try config.refuse("bias", unless: [.string("none")])
    for key in ["use_dora", "fan_in_fan_out", "lora_bias", "use_qalora", "use_bdlora"] {
      try config.refuse(key, unless: [.bool(false)])
    }
    for key in ["layer_replication", "trainable_token_indices", "target_parameters"] {
      try config.refuse(key, unless: [.array([]), .object([:])])
    }
    var options = LoRAOptions(
      rank: try config.int("r"), alpha: Double(try config.float("lora_alpha")),
      dropout: try config.float("lora_dropout", default: 0),
      rsLoRA: try config.bool("use_rslora", default: false))
    options.targetModules = config.config["target_modules"]?.array?.compactMap(\.string)
    options.modulesToSave = config.config["modules_to_save"]?.array?.compactMap(\.string) ?? []
    options.rankPattern = try pattern("rank_pattern", config) { $0.int }
    options.alphaPattern = try pattern("alpha_pattern", config) { $0.double }
    return options
  }

  private static func pattern<T>(
    _ key: String, _ config: ConfigReader, _ convert: (JSONValue) -> T?
  ) throws -> [String: T] {
    guard let map = try config.object(key)?.config.object else { return [:] }
    return try Dictionary(
      uniqueKeysWithValues: map.map { name, value in
        guard let converted = convert(value), !name.contains(where: "*+?()[]|^$\\".contains) else {
          throw FireflyError(
            "unsupported pattern", at: "\(config.source): \(key)", expected: "module names with numbers",
            found: "\(name): \(value.text())")
        }
        return (name, converted)
      })
  }

  /// A module's A [r, in] and B [out, r] in float32, and the scale of their product.
  package func pair(
    _ module: String, inputs: Int, outputs: Int
  ) throws -> (a: Tensor, b: Tensor, scale: Float) {
    let rank = options.rank(of: module)
    let name = LoRAOptions.filePrefix + module
    return (
      try store.tensor(name + ".lora_A.weight", shape: [rank, inputs], as: .float32),
      try store.tensor(name + ".lora_B.weight", shape: [outputs, rank], as: .float32),
      options.scale(of: module)
    )
  }
}

// MARK: - Writing

extension AdapterFile {
  /// adapter_config.json of a trained adapter: the keys that every PEFT since 0.4 reads, newer ones only where they
  /// differ from their defaults. Nil where no adapter is trained.
  static func config(_ trainable: Trainable, baseModel: String) -> JSONValue? {
    guard let options = trainable.adapter else { return nil }
    let pairs = trainable.slots.filter { $0.role == .lowRankA }
    let leaves = Set(pairs.compactMap { $0.module.split(separator: ".").last.map(String.init) })
    let targets = options.targetModules ?? leaves.sorted()
    var config: [String: JSONValue] = [
      "auto_mapping": .null, "base_model_name_or_path": .string(baseModel), "bias": .string("none"),
      "fan_in_fan_out": .bool(false), "inference_mode": .bool(true), "init_lora_weights": .bool(true),
      "layers_pattern": .null, "layers_to_transform": .null, "lora_alpha": number(options.alpha),
      "lora_dropout": .double(Double("\(options.dropout)") ?? 0),
      "modules_to_save": options.modulesToSave.isEmpty
        ? .null : .array(options.modulesToSave.map(JSONValue.string)),
      "peft_type": .string("LORA"), "r": .int(options.rank), "revision": .null,
      "target_modules": .array(targets.map(JSONValue.string)), "task_type": .string("CAUSAL_LM"),
    ]
    if options.rsLoRA { config["use_rslora"] = .bool(true) }
    if !options.rankPattern.isEmpty {
      config["rank_pattern"] = .object(options.rankPattern.mapValues(JSONValue.int))
    }
    if !options.alphaPattern.isEmpty {
      config["alpha_pattern"] = .object(options.alphaPattern.mapValues(number))
    }
    return .object(config)
  }

  private static func number(_ value: Double) -> JSONValue {
    Int(exactly: value).map(JSONValue.int) ?? .double(value)
  }
}
