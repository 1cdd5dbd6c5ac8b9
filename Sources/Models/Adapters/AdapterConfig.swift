import FireflyBase

/// adapter_config.json as PEFT writes it: every key of it is followed, known to change nothing here, told or refused.
struct AdapterConfig {
  private(set) var options: LoRAOptions
  /// The modules that have pairs, by PEFT's rules.
  let targets: AdapterTargets
  /// The tokens whose rows it trains by themselves; nil: none.
  let tokens: TokenIndices?
  /// A line for each key that has no effect here.
  let notes: [String]

  /// - Parameter path: the file.
  /// - Throws: `FireflyError` for what is not supported, by its name.
  init(_ path: String) throws {
    let keys = KeyReader(try JSONValue.read(path), source: path)
    try AdapterConfig.refuse(keys)
    options = LoRAOptions(
      rank: try keys.int("r"), alpha: Double(try keys.float("lora_alpha")),
      dropout: try keys.float("lora_dropout", default: 0),
      rsLoRA: try keys.bool("use_rslora", default: false))
    options.modulesToSave = try keys.strings("modules_to_save") ?? []
    options.tiesSaved =
      try keys.bool("ensure_weight_tying", default: false) && AdapterConfig.ties(options.modulesToSave)
    tokens = try TokenIndices(keys)
    let order = try PatternOrder(path)
    options.rankPattern = try AdapterConfig.patterns("rank_pattern", keys, order) { $0.int }
    options.alphaPattern = try AdapterConfig.patterns("alpha_pattern", keys, order) { $0.double }
    targets = try AdapterTargets(keys, saved: options.modulesToSave)
    options.targetModules = targets.names
    notes = try keys.finish(AdapterConfig.keys)
  }

  /// Whether PEFT ties what these modules are: it knows the two of them by LLaMA's names alone.
  static func ties(_ saved: [String]) -> Bool {
    saved.contains { LoRAOptions.matches($0, "embed_tokens") || LoRAOptions.matches($0, head) }
  }

  static let head = "lm_head"

  private static func patterns<Value>(
    _ key: String, _ keys: KeyReader, _ order: PatternOrder, _ convert: (JSONValue) -> Value?
  ) throws -> ModulePatterns<Value> {
    var patterns = ModulePatterns<Value>()
    guard let values = try keys.object(key) else { return patterns }
    for name in order.members[key] ?? [] {
      guard let value = values.value(name), let converted = convert(value) else {
        throw FireflyError(
          "unsupported pattern", at: values.source, expected: "module names with numbers",
          found: "\(name): \(values.value(name)?.text() ?? "null")")
      }
      try patterns.append(name, converted, at: values.source)
    }
    return patterns
  }
}

// MARK: - What is not followed

extension AdapterConfig {
  /// With these PEFT changes the base when it loads the adapter, or has changed it before training.
  private static let changeBase =
    "PEFT does more than add this adapter to the model. Save it as plain LoRA with PEFT's "
  private static let conversion =
    changeBase
    + "save_pretrained(…, path_initial_model_for_weight_conversion=…), or merge it with merge_and_unload()."
  private static let merging = changeBase + "convert_to_lora(), or merge it with merge_and_unload()."

  /// Refuses by name what changes the function in a way that is not done here.
  private static func refuse(_ keys: KeyReader) throws {
    try keys.refuse("peft_type", unless: [.string("LORA")])
    // Of a model without biases, whichever it is says nothing: `AdapterFile` refuses the biases themselves.
    try keys.refuse("bias", unless: ["none", "all", "lora_only"].map(JSONValue.string))
    try refuseStart(keys)
    for key in ["use_dora", "lora_bias", "use_qalora", "use_bdlora"] {
      try keys.refuse(key, unless: [.bool(false), .array([]), .object([:])], fix: merging)
    }
    for key in [
      "layer_replication", "megatron_config", "alora_invocation_tokens",
      "arrow_config", "kasa_config", "monteclora_config",
    ] {
      try keys.refuse(key, unless: [.array([]), .object([:])], fix: merging)
    }
  }

  /// How A and B began matters where the base was changed for it.
  private static func refuseStart(_ keys: KeyReader) throws {
    let key = "init_lora_weights"
    guard case .string(let start)? = keys.value(key) else {
      return try keys.refuse(key, unless: [.bool(true), .bool(false)])
    }
    let plain = ["gaussian", "eva", "orthogonal", "mica"]
    if !plain.contains(start.lowercased()) {
      try keys.refuse(
        key, unless: [.bool(true), .bool(false)] + plain.map(JSONValue.string), fix: conversion)
    }
  }

  /// The other keys of PEFT 0.21's LoraConfig, and of older ones.
  static let keys = KeyTable(
    harmless: [
      // Who made it.
      "auto_mapping", "base_model_name_or_path", "peft_version", "revision", "task_type",
      // How it is trained: with what a run says here.
      "inference_mode", "runtime_config", "merge_weights", "velora_config",
      // How A and B began.
      "corda_config", "eva_config", "loftq_config", "lora_ga_config",
      // Settings of what is switched off.
      "megatron_core", "qalora_group_size",
    ],
    // PEFT takes it for false too where layers are no Conv1D.
    told: ["fan_in_fan_out": [.bool(false)]],
    refusesStrangers: true)
}

/// The names of the patterns as they stand in the file: JSON values keep no order.
private struct PatternOrder {
  private(set) var members: [String: [String]] = [:]

  init(_ path: String) throws {
    let file = try MappedFile(path)
    try withExtendedLifetime(file) {
      var reader = try JSONReader(file.bytes, source: path)
      try reader.forEachMember { key, reader in
        try take(String(decoding: key, as: UTF8.self), &reader)
      }
    }
  }

  private mutating func take(_ key: String, _ reader: inout JSONReader) throws {
    guard try ["rank_pattern", "alpha_pattern"].contains(key) && reader.next() == UInt8(ascii: "{") else {
      return try reader.skip()
    }
    var names: [String] = []
    try reader.forEachMember { name, reader in
      let name = String(decoding: name, as: UTF8.self)
      if !names.contains(name) { names.append(name) }
      try reader.skip()
    }
    members[key] = names
  }
}
