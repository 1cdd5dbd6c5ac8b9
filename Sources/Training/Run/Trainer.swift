import FireflyBase
import FireflyCards
import FireflyModels
import FireflyPretrained
import FireflyRanks
import FireflyTensors
import FireflyText
import FireflyWeights

/// Fine-tunes a model as a configuration says: `try Trainer(config: config).run()`.
public struct Trainer: Sendable {
  public let config: RunConfig
  /// In the place of the configuration's.
  private let device: (any Device)?

  public init(config: RunConfig) {
    self.config = config
    device = nil
  }

  /// On this device, whatever the configuration says.
  package init(config: RunConfig, on device: any Device) {
    self.config = config
    self.device = device
  }

  private func setUp(
    _ ranks: Ranks = .alone(), planned: Int? = nil, _ progress: @escaping (TrainingEvent) -> Void
  ) throws -> RunSetup {
    let opened = try device.map { OpenedDevice($0) } ?? (config.device ?? .auto).open()
    return try RunSetup(config, on: opened, ranks, planned: planned ?? ranks.size) {
      progress(.preparing($0, share: $1))
    }.placingPaged()
  }

  /// Checks everything that a run depends on, and writes nothing.
  ///
  /// - Parameters:
  ///   - memoryLimit: bytes that the process may use; nil: what the configuration or the system says.
  ///   - ranks: processes that will share the work, each on a machine of its own; the plan is for each of them.
  /// - Throws: `FireflyError` for the first thing that would stop the run.
  public func plan(
    memoryLimit: Int? = nil, ranks: Int = 1, progress: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws -> RunPlan {
    try plan(setUp(planned: ranks, progress), memoryLimit)
  }

  /// The same of a rank's part, for the ranks that there are.
  package func plan(ranks: Ranks, progress: @escaping (TrainingEvent) -> Void) throws -> RunPlan {
    try plan(setUp(ranks, progress), nil)
  }

  private func plan(_ setup: RunSetup, _ memoryLimit: Int?) throws -> RunPlan {
    let plan = try RunPlan(setup, memoryLimit: memoryLimit ?? setup.memoryLimit, comparesCards: true)
    try OutputFolder(config: config).checkRoom(for: plan.checkpointBytes, paged: plan.pagedBytes)
    return plan
  }

  /// Trains, from the beginning or from a checkpoint, and leaves adapter, checkpoints and records in `output_dir`.
  ///
  /// - Parameters:
  ///   - stop: asks for a checkpoint and the end after the current step.
  ///   - progress: is called on this thread.
  /// - Returns: how the run ended. One that its checkpoint shows to be finished is left as it is.
  /// - Throws: `FireflyError` for bad input, for a run that does not fit into memory, for a disk that is full, and when the
  ///   loss is no longer a number.
  public func run(
    stop: StopRequest = StopRequest(), progress: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws -> TrainingResult {
    try run(.alone(), stop: stop, progress: progress)
  }

  /// The same with others: each rank computes its part of every step, and all end with the same values. The first one
  /// writes, and needs the output folder; where the run is resumed, all do.
  ///
  /// - Throws: as above; `FireflyError` also where the ranks' settings, models or rows differ, and `RankSilent`.
  package func run(
    _ ranks: Ranks, stop: StopRequest, progress: @escaping (TrainingEvent) -> Void
  ) throws -> TrainingResult {
    ranks.patience = config.rankPatience
    let start = try ranks.agree { try RunStart(setUp(ranks, progress)) }
    try ranks.requireEqual(start.facts)
    if let result = start.finished { return result }
    let (setup, plan, checkpoint, resumed) = (start.setup, start.plan, start.checkpoint, start.setup.resumed)
    let recorder = try ranks.agree {
      try plan.requireFit()
      try AtomicFile.makeFolder(config.outputFolder)
      return ranks.isFirst ? try RunRecorder(config, checkpoint, resumedStep: start.saved?.step) : nil
    }
    setup.adviseCard(plan)
    do {
      let model = try ranks.agree {
        if ranks.isFirst { try OutputFolder(config: config).clean(fresh: resumed == nil) }
        return try setup.loadModel(progress: progress)
      }
      let pairs = try setup.preferencePairs(model, stop: stop, progress: progress)
      let evaluationPairs = try setup.evaluationPairs(model, stop: stop, progress: progress)
      let state = try ranks.agree {
        if let resumed { try resumed.readTrained(into: model, setup.trainable) }
        return try checkpoint.start(model, start.saved, resumed, ArenaShards(ranks, of: setup.trainable).own)
      }
      Storage.releaseFreeMemory()  // from here on a step's blocks are what comes and goes
      try recorder?.begin(plan, from: state.step)
      plan.notices.forEach { progress(.notice($0)) }
      progress(.started(plan, from: state.step))
      var loop = TrainingLoop(setup, model, pairs, evaluationPairs, state, checkpoint, recorder)
      return try loop.run(stop: stop, progress: progress)
    } catch {
      try? recorder?.line("stopped: \(error)")
      throw error
    }
  }
}

/// A run before its weights are read: all that can be checked, and where it goes on.
private struct RunStart {
  let setup: RunSetup
  let plan: RunPlan
  let checkpoint: Checkpoint
  /// The state of the checkpoint that the run continues from; nil for a fresh one.
  let saved: ResumeState?
  /// The recorded result of a run that is finished already.
  let finished: TrainingResult?

  init(_ setup: RunSetup) throws {
    let config = setup.config
    self.setup = setup
    plan = try RunPlan(setup, memoryLimit: setup.memoryLimit)
    if setup.ranks.isFirst {
      try OutputFolder(config: config).checkRoom(for: plan.checkpointBytes, paged: plan.pagedBytes)
    }
    let checkpoint = Checkpoint(
      config: config, source: setup.pretrained.source, trained: try setup.trainedText(),
      fingerprint: try setup.fingerprint(), totalSteps: plan.steps, order: setup.order,
      flopPerToken: WorkModel(setup).flopPerToken)
    let saved = try setup.resumed.map { try checkpoint.resumeState(of: $0) }
    finished = try setup.resumed.flatMap { try checkpoint.finishedResult($0, saved) }
    self.checkpoint = checkpoint
    self.saved = saved
  }

  /// What must be the same on all ranks.
  var facts: [(what: String, value: String)] {
    var settings = StableHash()
    settings.add(setup.config.source.text().utf8)
    return checkpoint.fingerprint.values.sorted { $0.key < $1.key }.map { ($0, $1.text()) } + [
      ("configuration", settings.text), ("number of steps", "\(plan.steps)"),
      ("rows to evaluate", setup.evaluationData?.samples.digest ?? "none"),
      ("checkpoint to continue from", saved.map { "step \($0.step)" } ?? "none"),
      ("result", finished == nil ? "none" : "one of a finished run"),
    ]
  }
}

extension RunSetup {
  /// What goes with the result of training: on conversations the template, and the tokenizer where it is not the model's.
  fileprivate func trainedText() throws -> TrainedText? {
    let template = try config.template(pretrained.tokenizer)
    let folder = pretrained.tokenizerPath == pretrained.source.path ? nil : pretrained.tokenizerPath
    guard template != nil || folder != nil else { return nil }
    return TrainedText(template, pretrained.tokenizer, tokenizerFolder: folder)
  }

  /// Reads the weights, and what the run starts from: all of them, a fresh adapter, or adapter_name_or_path's.
  func loadModel(progress: @escaping (TrainingEvent) -> Void) throws -> Transformer {
    let reading = { progress(.preparing("reading weights", share: $0)) }
    let model =
      if let full = trainable.full {
        try Transformer.load(
          pretrained.source, compute: compute, training: full, memory: arenaMemory, device: device,
          progress: reading)
      } else {
        try Transformer.load(
          pretrained.source, compute: compute, quantization: quantization, device: device, progress: reading)
      }
    if let folder = config.startAdapter {
      try model.loadAdapter(
        AdapterFile(folder), dropout: Float(config.loraDropout), onOwnBase: true)
    } else if let adapter = trainable.adapter {
      try model.attachAdapter(adapter, seed: UInt64(config.seed))
    }
    for note in pretrained.tokenizer.notes + model.notes { progress(.notice(note)) }
    return model
  }
}

extension RunSetup {
  private var arenaMemory: ArenaMemory {
    var memory = config.arenaMemory
    if !device.isHost {
      memory.valuesPagedIn = nil
      memory.valuesOnHost = config.full.masterWeights == .paged
    }
    if !ranks.isAlone && dividesValues { memory.shard = ArenaShards(ranks, of: trainable).own }
    return memory
  }
}

extension Checkpoint {
  /// - Throws: `FireflyError` when the checkpoint was made with other settings, rows or another model.
  func resumeState(of folder: CheckpointFolder) throws -> ResumeState {
    let path = "\(folder.path)/\(CheckpointFolder.stateName)"
    let state = try ResumeState(JSONValue.read(path), source: path)
    try fingerprint.check(against: state.fingerprint, checkpoint: folder.path)
    return state
  }

  /// The recorded result of a run that has nothing left to do: all its steps are done, or it was stopped early, and its
  /// records say so. nil for one that goes on.
  func finishedResult(_ folder: CheckpointFolder, _ saved: ResumeState?) throws -> TrainingResult? {
    guard let saved, saved.step >= totalSteps || config.evaluation?.patience != nil else { return nil }
    var history = saved.history
    try readTrainerState(folder, into: &history)
    guard saved.step >= totalSteps || history.isOutOfPatience(config.evaluation) else { return nil }
    let path = "\(config.outputFolder)/train_results.json"
    guard let json = try? JSONValue.read(path), let result = TrainingResult(recorded: json),
      result.steps == saved.step
    else { return nil }
    return result
  }

  /// The state before the first step of this process.
  ///
  /// - Parameter elements: of the arena, that this process updates.
  func start(
    _ model: Transformer, _ saved: ResumeState?, _ folder: CheckpointFolder?, _ elements: [Range<Int>]
  ) throws -> RunState {
    let trainable = model.arena.trainable
    let store = try momentStore(trainable, elements, on: model.device)
    let options = AdamW.Options(
      beta1: config.beta1, beta2: config.beta2, epsilon: config.epsilon, weightDecay: config.weightDecay)
    guard let saved, let folder else {
      return RunState(
        step: 0, optimizer: AdamW(options, store: store),
        lossScale: model.compute == .float16 ? LossScale() : nil, history: RunHistory())
    }
    return try restore(saved, from: folder, trainable, options, into: store)
  }

  private func momentStore(
    _ trainable: Trainable, _ elements: [Range<Int>], on device: any Device
  ) throws -> MomentStore {
    let folder = config.optimizerMemory == .paged && device.isHost ? config.outputFolder : nil
    // Of a card, paged moments are the processor's: `placingPaged` has left those that the card has room for.
    let device: any Device = config.optimizerMemory == .paged ? .cpu : device
    switch (config.momentPrecision, folder) {
    case (.bytes, _):
      return try MomentStore(inBytesFor: trainable, elements, on: device, pagedIn: folder)
    case (.float32, let folder?): return try MomentStore(for: elements, pagedIn: folder)
    case (.float32, nil): return MomentStore(for: elements, on: device)
    }
  }
}
