import FireflyBase

/// What decides a run's numbers, by configuration key: a run may continue only from a checkpoint that agrees.
struct Fingerprint: Equatable {
  let values: [String: JSONValue]

  /// What the keys whose values are hashes stand for.
  private static let contents = [
    "model_name_or_path": "model", "train_file": "set of rows",
    "adapter_name_or_path": "adapter to start from",
  ]
  /// Micro-batches of an epoch's last step where it is shorter than the others.
  private static let shortStep = "batches_of_short_step"

  init(values: [String: JSONValue]) { self.values = values }

  /// - Parameters:
  ///   - compute: the dtype in use.
  ///   - model, rows: hashes of the model and of the training rows.
  ///   - order: of the rows.
  ///   - adapter: the hash of the adapter that the run starts from; nil for a fresh one.
  ///   - holdsBlocks: the frozen layers are a GGUF file's own blocks, and not quantised anew.
  init(
    _ config: RunConfig, compute: String, model: String, rows: String, order: DataOrder, adapter: String?,
    holdsBlocks: Bool
  ) {
    let mode = config.mode.rawValue + (holdsBlocks ? " on the file's own blocks" : "")
    var values: [String: JSONValue] = [
      "task_type": .string(config.task.rawValue), "train_mode": .string(mode),
      "model_name_or_path": .string(model), "train_file": .string(rows), "precision": .string(compute),
      "per_device_train_batch_size": .int(config.microBatchSize),
      "gradient_accumulation_steps": .int(config.accumulation),
      "dataloader_drop_last": .bool(config.dropsLastBatch), "shuffle": .bool(config.shuffle),
      "seed": .int(config.seed), "data_seed": .int(config.dataSeed),
      "loss_reduction": .string(config.lossReduction.rawValue),
      "learning_rate": .double(config.learningRate),
      "lr_scheduler_type": .string(config.schedule.kind.rawValue),
      "weight_decay": .double(config.weightDecay), "adam_beta1": .double(config.beta1),
      "adam_beta2": .double(config.beta2), "adam_epsilon": .double(config.epsilon),
      "max_grad_norm": .double(config.maxGradientNorm ?? 0),
    ]
    // Earlier versions took none, and have no key.
    if let settings = config.source["lr_scheduler_kwargs"], settings.object?.isEmpty == false {
      values["lr_scheduler_kwargs"] = settings
    }
    // Earlier versions had none, and have no key.
    if config.embeddingNoise > 0 { values["neftune_noise_alpha"] = .double(config.embeddingNoise) }
    // Earlier versions had no others than those of 32 bits, and have no key.
    if config.momentPrecision != .float32 { values["optim"] = .string("adamw_8bit") }
    values.merge(Fingerprint.trained(config)) { $1 }
    // Earlier versions have no key.
    if config.checkpointing && config.checkpointPrecision != .float32 {
      values["checkpoint_dtype"] = .string(config.checkpointPrecision.rawValue)
    }
    if let adapter { values["adapter_name_or_path"] = .string(adapter) }
    if let preference = config.preference { values.merge(Fingerprint.values(of: preference)) { $1 } }
    // Earlier versions left such rows out, and have no key.
    if order.stepsPerEpoch > 1, let batches = order.batchesOfShortStep {
      values[Fingerprint.shortStep] = .int(batches)
    }
    if config.schedule != .constant {
      switch config.warmup {
      case .steps(let steps): values["warmup_steps"] = .int(steps)
      case .ratio(let ratio): values["warmup_ratio"] = .double(ratio)
      }
    }
    if config.lengthDecidesRate {
      values["num_train_epochs"] = .double(config.epochs)
      values["max_steps"] = .int(config.maxSteps ?? -1)
    }
    self.values = values
  }

  private static func values(of preference: PreferenceSettings) -> [String: JSONValue] {
    [
      "beta": .double(preference.beta), "label_smoothing": .double(preference.labelSmoothing),
      "loss_type": .string(preference.loss.rawValue), "rpo_alpha": .double(preference.rpoAlpha ?? 0),
      "dpo_reference": .string(preference.reference.rawValue),
      "disable_dropout": .bool(preference.disablesDropout),
    ]
  }

  /// What decides which parameters there are, and how their gradients are summed.
  private static func trained(_ config: RunConfig) -> [String: JSONValue] {
    guard config.mode == .full else {
      var saved: [String: JSONValue] = [:]
      if !config.modulesToSave.isEmpty {
        saved["modules_to_save"] = .array(config.modulesToSave.map(JSONValue.string))
        if config.tiesSavedModules { saved["ensure_weight_tying"] = .bool(true) }
      }
      for key in [AdapterKeys.ranks.name, AdapterKeys.alphas.name] { saved[key] = config.source[key] }
      return [
        "lora_rank": .int(config.loraRank), "lora_alpha": .double(config.loraAlpha),
        "lora_dropout": .double(config.loraDropout), "use_rslora": .bool(config.usesRankStabilisedLoRA),
        "lora_target_modules": config.loraTargetModules.map { .array($0.map(JSONValue.string)) }
          ?? .string("all-linear"),
      ].merging(saved) { $1 }
    }
    let gradients: JSONValue = .string(config.full.gradients.rawValue)
    switch config.full.frozen {
    case .first(let count): return ["freeze_layers": .int(count), "gradient_dtype": gradients]
    case .allButLast(let count): return ["train_last_layers": .int(count), "gradient_dtype": gradients]
    }
  }

  /// - Throws: `FireflyError` naming the first key that differs from the checkpoint's.
  func check(against saved: Fingerprint, checkpoint: String) throws {
    let keys = Set(values.keys).union(saved.values.keys).subtracting([Fingerprint.shortStep])
    // The short step follows from the settings, so it comes last.
    for key in keys.sorted() + [Fingerprint.shortStep] {
      let (old, new) = (saved.values[key], values[key])
      guard old != new, old?.double != new?.double || old?.double == nil else { continue }
      guard key != Fingerprint.shortStep || old != nil else {
        throw FireflyError(
          "the checkpoint is of a version that left out the rows behind an epoch's last whole accumulation",
          at: checkpoint, fix: "Start anew in another output_dir, or finish the run with that version.")
      }
      let content = Fingerprint.contents[key]
      let isContent = content != nil
      throw FireflyError(
        "the checkpoint was made with another \(content.map { "\($0): " } ?? "")\"\(key)\"",
        at: checkpoint, expected: isContent ? nil : old?.text() ?? "none",
        found: isContent ? nil : new?.text() ?? "none",
        fix: "Restore it, or start anew in another output_dir.")
    }
  }
}

extension RunConfig {
  /// Whether the learning rate of a step depends on how many steps there are in all: then a longer run is another run.
  var lengthDecidesRate: Bool {
    if schedule.dependsOnTotal { return true }
    if case .ratio(let ratio) = warmup, schedule != .constant { return ratio > 0 }
    return false
  }
}
