import FireflyBase
import FireflyModels

// A run that trains an adapter further: adapter_name_or_path.

extension RunConfig {
  /// This configuration with the settings of the adapter that the run starts from, which decide what is trained; the same
  /// where it starts from none.
  ///
  /// - Throws: `FireflyError` for a folder that holds no adapter or another model's, and for keys that say otherwise than it
  ///   does.
  func takingStartAdapter(_ architecture: Architecture) throws -> RunConfig {
    guard let startAdapter else { return self }
    let adapter = try AdapterFile(startAdapter)
    try adapter.check(for: architecture)
    guard adapter.tokens == nil else {
      throw FireflyError(
        "an adapter that trains rows of some tokens cannot be trained further", at: startAdapter,
        found: "trainable_token_indices",
        fix: "Merge it into the model ('firefly merge'), and train the merged model.")
    }
    // Of experts the pairs share matrices, which no file of single pairs can say again.
    guard !adapter.hasParameters else {
      throw FireflyError(
        "an adapter of parameters cannot be trained further", at: startAdapter, found: "target_parameters",
        fix: "Merge it into the model ('firefly merge'), and train the merged model.")
    }
    let options = adapter.options
    var config = self
    config.loraRank = options.rank
    config.loraAlpha = options.alpha
    config.usesRankStabilisedLoRA = options.rsLoRA
    config.loraRankPattern = options.rankPattern
    config.loraAlphaPattern = options.alphaPattern
    config.modulesToSave = options.modulesToSave
    config.tiesSavedModules = options.tiesSaved
    if source["lora_dropout"] == nil { config.loraDropout = Double("\(options.dropout)") ?? 0 }
    // PEFT's target_modules may be a pattern: then the modules themselves.
    config.loraTargetModules = options.targetModules
    if config.targets(in: architecture) != Set(adapter.modules) { config.loraTargetModules = adapter.modules }

    try agree("lora_rank", with: startAdapter, loraRank, config.loraRank)
    try agree("lora_alpha", with: startAdapter, loraAlpha, config.loraAlpha)
    try agree("use_rslora", with: startAdapter, usesRankStabilisedLoRA, config.usesRankStabilisedLoRA)
    if targets(in: architecture) != Set(adapter.modules) {
      let text = { (names: [String]?) in names?.joined(separator: ", ") ?? "all-linear" }
      try agree(
        "lora_target_modules", with: startAdapter, text(loraTargetModules), text(config.loraTargetModules))
    }
    if saved(in: architecture) != config.saved(in: architecture) {
      try agree(
        "modules_to_save", with: startAdapter, modulesToSave.joined(separator: ", "),
        options.modulesToSave.joined(separator: ", "))
    }
    return config
  }

  /// The linear layers that would get an adapter.
  private func targets(in architecture: Architecture) -> Set<String> {
    Set(pairs(architecture, loraOptions))
  }

  /// The modules that would be trained whole.
  private func saved(in architecture: Architecture) -> Set<String> {
    let slots = Trainable(architecture, loraOptions).slots
    return Set(slots.filter { $0.role == .embedding || $0.role == .head }.map(\.module))
  }

  private func pairs(_ architecture: Architecture, _ options: LoRAOptions) -> [String] {
    Trainable(architecture, options).slots.filter { $0.role == .lowRankA }.map(\.module)
  }

  private func agree<Value: Equatable>(
    _ key: String, with folder: String, _ own: Value, _ adapters: Value
  ) throws {
    guard source[key] != nil, own != adapters else { return }
    throw FireflyError(
      "\"\(key)\" is not that of the adapter that the run starts from", at: folder, expected: "\(adapters)",
      found: "\(own)", fix: "Remove the key: the adapter's own settings hold.")
  }
}
