import FireflyBase
import FireflyConversion
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyText
import FireflyWeights
import Foundation

/// A run's state between two steps.
struct RunState {
  /// Completed optimizer steps.
  var step: Int
  /// The step of the newest checkpoint that this process has written or started from; nil where there is none.
  var savedStep: Int?
  var optimizer: AdamW
  /// In float16; nil in other types.
  var lossScale: LossScale?
  var history: RunHistory
}

/// Writes and reads checkpoints: the adapter as PEFT has it, or the model's folder, the tokenizer, trainer_state.json, and
/// two files that only resuming needs.
struct Checkpoint {
  let config: RunConfig
  /// The model whose files go along.
  let source: ModelSource
  /// What the conversations are trained with; nil for plain texts.
  let trained: TrainedText?
  let fingerprint: Fingerprint
  let totalSteps: Int
  let order: DataOrder
  /// FLOP that a token counts for in total_flos, by transformers' measure: 6 for each parameter but the embeddings'.
  let flopPerToken: Double

  /// Writes `output_dir/checkpoint-N`, whole or not at all, and then removes those beyond the limit.
  ///
  /// - Parameter moments: those of all parameters.
  func save(_ state: RunState, _ moments: MomentStore, _ model: Transformer) throws -> CheckpointFolder {
    let target = folder(of: state)
    try AtomicFile.writeFolder(target.path) { folder in
      try writeTrained(model, to: folder)
      try write(trainerState(state.history), to: "\(folder)/trainer_state.json")
      try writeOptimizer(
        state.history, moments, model.arena, to: "\(folder)/\(CheckpointFolder.optimizerName)")
      let resume = ResumeState(
        step: state.step, fingerprint: fingerprint, history: state.history, lossScale: state.lossScale,
        files: try sizes(folder))
      try write(resume.json, to: "\(folder)/\(CheckpointFolder.stateName)")
    }
    try CheckpointFolder.prune(
      in: config.outputFolder, keeping: config.saveLimit, best: state.history.bestCheckpoint)
    return target
  }

  func folder(of state: RunState) -> CheckpointFolder {
    CheckpointFolder(path: "\(config.outputFolder)/checkpoint-\(state.step)", step: state.step)
  }

  /// What using the result takes: PEFT's two files and the tokenizer's, or the model's folder; and the settings, which name
  /// the template.
  func writeTrained(_ model: Transformer, to folder: String) throws {
    if model.adapterOptions != nil {
      try writeAdapter(model, to: folder)
    } else {
      try TrainedModelFiles(model, readFrom: source, trained: trained).write(to: folder)
    }
    try write(config.source, to: "\(folder)/train_args.json")
  }

  private func writeAdapter(_ model: Transformer, to folder: String) throws {
    try model.saveAdapter(
      to: folder, baseModel: config.modelPath, tables: try source.tables(beside: model.arena.trainable))
    try TokenizerFiles.write(of: source, trained: trained, to: folder)
  }

  func trainerState(_ history: RunHistory, results: JSONValue? = nil) -> JSONValue {
    history.trainerState(
      config, totalSteps: totalSteps, epoch: order.epoch(after: history.losses.count),
      flop: flop(history), results: results)
  }

  func flop(_ history: RunHistory) -> Double { flopPerToken * Double(history.tokens) }

  func write(_ json: JSONValue, to path: String) throws {
    try AtomicFile.write(json, to: path)
  }

  private func sizes(_ folder: String) throws -> [String: Int] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    return names.reduce(into: [:]) { $0[$1] = CheckpointFolder.size("\(folder)/\($1)") }
  }

  // MARK: - Moments and losses

  private static let lossesName = "losses"

  /// The moments, and of weights in the types of files the float32 values that they follow.
  private func writeOptimizer(
    _ history: RunHistory, _ moments: MomentStore, _ arena: ParameterArena, to path: String
  ) throws {
    var tensors: [(name: String, tensor: Tensor)] = [
      (Checkpoint.lossesName, Tensor(history.losses, [history.losses.count]))
    ]
    for parameter in arena.parameters {
      for file in moments.moments(of: parameter.slot).files {
        tensors.append((file.prefix + parameter.name + file.suffix, file.tensor))
      }
      if arena.trainable.full != nil {
        tensors.append((CheckpointFolder.valuePrefix + parameter.name, parameter.value))
      }
    }
    try SafeTensorsWriter.write(tensors, metadata: ["format": "firefly"], to: path)
  }

  /// Reads a checkpoint's state into the optimizer's moments, as far as `store` has them; what it trained is the model's by
  /// then.
  ///
  /// - Throws: `FireflyError` when it is damaged.
  func restore(
    _ resume: ResumeState, from folder: CheckpointFolder, _ trainable: Trainable, _ options: AdamW.Options,
    into store: MomentStore
  ) throws -> RunState {
    let weights = try WeightStore.open("\(folder.path)/\(CheckpointFolder.optimizerName)")
    for slot in trainable.slots {
      for (range, moments) in store.moments(in: slot.range) {
        for file in moments.files {
          let shape = file.unit == 1 ? slot.shape : [ByteMoment.blocks(of: slot.count)]
          let saved = try weights.tensor(
            file.prefix + slot.name + file.suffix, shape: shape, as: file.tensor.dtype)
          let first = (range.lowerBound - slot.range.lowerBound) / file.unit
          file.tensor.copy(saved.reshaped([saved.count]).slice(first..<first + file.tensor.count))
        }
      }
    }
    var history = resume.history
    history.losses = try weights.tensor(Checkpoint.lossesName, shape: [resume.step], as: .float32).floats
    try readTrainerState(folder, into: &history)
    let updates = resume.step - (resume.lossScale?.skippedSteps ?? 0)
    return RunState(
      step: resume.step, savedStep: resume.step, optimizer: AdamW(options, store: store, step: updates),
      lossScale: resume.lossScale, history: history)
  }

  /// What trainer_state.json has of the history.
  func readTrainerState(_ folder: CheckpointFolder, into history: inout RunHistory) throws {
    let path = "\(folder.path)/trainer_state.json"
    let state = try JSONValue.read(path)
    guard let entries = state["log_history"]?.array else {
      throw FireflyError("the checkpoint is damaged", at: "\(path): log_history", expected: "a list")
    }
    history.log = entries.compactMap(LogRecord.init)
    // The folder may have been moved since.
    history.bestCheckpoint = state["best_model_checkpoint"]?.string.map {
      "\(config.outputFolder)/\(($0 as NSString).lastPathComponent)"
    }
  }
}
