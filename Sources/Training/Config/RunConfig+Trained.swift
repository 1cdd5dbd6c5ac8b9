import FireflyBase
import FireflyModels
import FireflyTensors

extension RunConfig {
  /// The adapter that is trained.
  var loraOptions: LoRAOptions {
    LoRAOptions(
      rank: loraRank, alpha: loraAlpha, dropout: Float(loraDropout), targetModules: loraTargetModules,
      rsLoRA: usesRankStabilisedLoRA, rankPattern: loraRankPattern, alphaPattern: loraAlphaPattern,
      modulesToSave: modulesToSave, tiesSaved: tiesSavedModules)
  }

  /// What the run trains; `validate` says whether it can.
  func trainable(_ architecture: Architecture) -> Trainable {
    mode == .full ? Trainable(architecture, fullOptions(architecture)) : Trainable(architecture, loraOptions)
  }

  private func fullOptions(_ architecture: Architecture) -> FullOptions {
    FullOptions(frozenLayers: min(max(full.frozen.count(of: architecture.layers), 0), architecture.layers))
  }

  /// - Throws: `FireflyError` naming the key that does not fit the model.
  func validateTrained(for architecture: Architecture) throws {
    guard mode == .full else { return try loraOptions.validate(for: architecture) }
    if case .allButLast(let count) = full.frozen, count > architecture.layers {
      throw FireflyError(
        "the model has fewer layers", at: "train_last_layers", expected: "1…\(architecture.layers)",
        found: "\(count)")
    }
    try FullOptions(frozenLayers: full.frozen.count(of: architecture.layers)).validate(for: architecture)
  }

  /// On a card master weights lie in the card's memory: files that the system can write out are the processor's.
  func held(on device: any Device, _ notices: inout [String]) -> RunConfig {
    if device.isHost { return self }
    var config = self
    config.full.masterWeights = .memory
    if mode == .full && full.masterWeights == .paged {
      notices.append("\"master_weights\": \"paged\" is for the processor: on a card they lie in its memory")
    }
    return config
  }

  var checkpointType: DType { checkpointPrecision == .bfloat16 ? .bfloat16 : .float32 }

  /// How values and gradients are held in full-parameter training.
  var arenaMemory: ArenaMemory {
    ArenaMemory(
      gradients: full.gradients == .bfloat16 ? .bfloat16 : .float32,
      valuesPagedIn: full.masterWeights == .paged ? outputFolder : nil)
  }
}
