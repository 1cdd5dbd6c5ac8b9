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

  /// On a card master weights lie in the card's memory where products read them themselves.
  func held(
    on device: any Device, _ architecture: Architecture, compute: DType, _ notices: inout [String]
  ) -> RunConfig {
    guard !device.isHost, mode == .full, full.masterWeights == .paged,
      !architecture.readsCopies(compute)
    else { return self }
    var config = self
    config.full.masterWeights = .memory
    notices.append(
      "\"master_weights\": \"paged\" has no effect here: on a card, products in float32, mixtures of experts and heads of rows of length 1 read the weights themselves"
    )
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

extension Architecture {
  /// Whether products read copies of what is trained of the weights, so that the float32 values may lie elsewhere: a router, and
  /// a head whose rows are divided by their lengths, read the values themselves.
  func readsCopies(_ compute: DType) -> Bool { compute != .float32 && experts == nil && !normalizedHead }
}
