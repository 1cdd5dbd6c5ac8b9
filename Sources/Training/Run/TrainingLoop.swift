import FireflyBase
import FireflyModels
import FireflyRanks
import FireflyTensors
import FireflyText

/// The steps of a run, one after the other. Every rank goes through them; the first one writes.
struct TrainingLoop {
  private let config: RunConfig
  private let data: Dataset
  private let ranks: Ranks
  private let shares: StepShares
  private let shards: ArenaShards
  private let model: Transformer
  private let objective: any Objective
  private let checkpoint: Checkpoint
  /// The first rank's.
  private let recorder: RunRecorder?
  private let evaluator: Evaluator?
  private let sampler: RunSampler?
  private let learningRate: (Int) -> Double
  private let totalSteps: Int
  private let occasions: Occasions
  private var order: DataOrder
  private var state: RunState
  /// What this process has done.
  private var session = (steps: 0, rows: 0, tokens: 0, targets: 0, evaluationSeconds: 0.0)

  init(
    _ setup: RunSetup, _ model: Transformer, _ pairs: PreferencePairs?, _ evaluationPairs: PreferencePairs?,
    _ state: RunState, _ checkpoint: Checkpoint, _ recorder: RunRecorder?
  ) {
    config = setup.config
    data = setup.dataset
    let samples = setup.dataset.samples
    ranks = setup.ranks
    shares = StepShares(keepsMicroBatches: setup.architecture.experts != nil) { rows in
      pairs?.batch(rows) ?? Batch(rows.map { samples[$0] })
    }
    shards = ArenaShards(ranks, of: model.arena.trainable)
    order = setup.order
    totalSteps = setup.totalSteps
    occasions = Occasions(setup.config, setup.order, totalSteps: setup.totalSteps)
    evaluator = setup.config.evaluation.flatMap { settings in
      setup.evaluationData.map {
        Evaluator(
          settings: settings, data: $0, preference: setup.config.preference.map(DirectPreference.init),
          pairs: evaluationPairs, ranks: setup.ranks)
      }
    }
    sampler = setup.sampler
    self.model = model
    objective =
      config.preference.map(DirectPreference.init) ?? CrossEntropy(reduction: config.lossReduction)
    self.state = state
    self.checkpoint = checkpoint
    self.recorder = recorder
    let peak = config.learningRate
    let factor = config.schedule.factor(
      warmup: config.warmup.resolved(total: totalSteps), total: totalSteps)
    learningRate = { peak * factor($0) }
  }

  mutating func run(stop: StopRequest, progress: (TrainingEvent) -> Void) throws -> TrainingResult {
    let clock = ContinuousClock()
    let start = clock.now
    // Of a run that was stopped before its step's evaluation, or one that starts with an evaluation.
    try evaluate(stop: stop, progress)
    if state.step == 0 { try sample(stop: stop) }
    while state.step < totalSteps && !isOutOfPatience {
      let stepStart = clock.now
      let step = shares.part(order.microBatches(step: state.step), rank: ranks.rank, of: ranks.size)
      let loss = try accumulateGradients(step, progress)
      let norm = try shards.gradientNorm(model.arena) / lossScale
      try checkFiles()
      // A step that moves nothing does not move the learning rate either, as with transformers.
      let rate = learningRate(state.optimizer.step)
      if norm.isFinite {
        try update(rate: rate, norm: norm)
      } else {
        try skip(step, loss, norm)
      }
      state.step += 1

      let report = count(step.extent, loss, norm, rate, seconds: (clock.now - stepStart).seconds)
      recorder?.stepped(report)
      progress(.step(report))
      try log(report, progress)
      try evaluate(stop: stop, progress)
      try sample(stop: stop)
      let isLast = state.step == totalSteps || isOutOfPatience
      let isStopping = try ranks.any(stop.isAsked) && !isLast
      let isBest = state.history.best(config.evaluation?.best)?.step == state.step
      if isStopping || occasions.saves(after: state.step, isLast: isLast, isBest: isBest) {
        let folder = try save()
        try recorder?.saved(folder, state.history)
        progress(.saved(folder.path))
        if isStopping {
          try recorder?.line("stopped by request after step \(state.step)")
          return result(.stopped(checkpoint: folder.path), runtime: (clock.now - start).seconds)
        }
      }
    }
    try sayWhetherEarly(progress)
    let parameters = try shards.gatherParameters(model.arena, pagedIn: config.outputFolder)
    if ranks.isFirst {
      try loadBest(parameters, progress)
      try checkpoint.writeTrained(model, parameters, to: config.outputFolder)
    }
    let result = result(.finished, runtime: (clock.now - start).seconds)
    try recorder?.finished(result, state.history)
    return result
  }

  // MARK: - One step

  /// Forward and backward of this rank's part of the step; adds the ranks' gradients up while the last backward goes on.
  ///
  /// - Returns: the whole step's loss.
  private func accumulateGradients(
    _ step: StepBatches, _ progress: (TrainingEvent) -> Void
  ) throws -> StepLoss {
    model.zeroGradients()
    let pass = Pass(
      seed: UInt64(config.seed), step: UInt64(state.step), training: true,
      embeddingNoise: Float(config.embeddingNoise), checkpointing: config.checkpointing,
      checkpointType: config.checkpointType, lossScale: Float(lossScale))
    var own = StepLoss(loss: 0)
    var lost: LossNotFinite?
    let sum = GradientSum(shards, model.arena)
    func follow(_ done: Int) {
      if done == step.parts.count - 1 { model.onBackward = sum.completed }
    }
    defer { model.onBackward = nil }
    do {
      follow(0)
      own = try objective.accumulateGradients(step, on: model, pass) {
        progress(.microBatch($0, of: step.parts.count))
        follow($0)
      }
    } catch let error as LossNotFinite {
      lost = error
    }
    try sum.finish()
    guard try !ranks.any(lost != nil) else {
      let lines = try ranks.gather(lost?.batch.lines ?? []).joined()
      let value = try ranks.sum([lost?.value ?? 0])[0]
      throw try notANumber("the loss", loss: value, norm: .nan, lines: Array(lines))
    }
    return try own.sum(over: ranks)
  }

  /// What the gradients are multiplied by.
  private var lossScale: Double { state.lossScale?.value ?? 1 }

  private mutating func update(rate: Double, norm: Double) throws {
    state.optimizer.update(
      model.arena, learningRate: rate,
      gradientScale: clipScale(norm: norm, limit: config.maxGradientNorm) / Float(lossScale))
    try shards.gatherValues(model.arena)
    model.parametersChanged()
    state.lossScale?.grow()
  }

  /// A step whose gradients are infinite or NaN moves nothing; a smaller loss scale may help the next one.
  ///
  /// - Throws: `FireflyError` where there is no loss scale, or none that helps.
  private mutating func skip(_ step: StepBatches, _ loss: StepLoss, _ norm: Double) throws {
    state.lossScale?.back()
    guard let scale = state.lossScale, !scale.isExhausted else {
      let lines = try ranks.gather(step.parts.flatMap(\.batch.lines)).joined()
      let what = state.lossScale == nil ? "the gradient" : "even with a loss scale of 1, the gradient"
      throw try notANumber(what, loss: loss.loss, norm: norm, lines: Array(lines))
    }
    try recorder?.line(
      "step \(state.step + 1) moved nothing: its gradient is \(Readable.fixed(norm, 0)) in float16; the loss scale is now "
        + Readable.fixed(scale.value, 0))
  }

  private mutating func count(
    _ extent: BatchExtent, _ loss: StepLoss, _ norm: Double, _ rate: Double, seconds: Double
  ) -> StepReport {
    state.history.add(loss, tokens: extent.tokens, targets: extent.targets)
    session.steps += 1
    session.rows += extent.rows
    session.tokens += extent.tokens
    session.targets += extent.targets
    return StepReport(
      step: state.step, totalSteps: totalSteps, epoch: epoch, loss: loss.loss, gradientNorm: norm,
      learningRate: rate, tokens: extent.tokens, targets: extent.targets, seconds: seconds)
  }

  /// When a file of the model's has lost bytes that were read, what came of them is nothing; what was trained before is saved.
  private mutating func checkFiles() throws {
    do {
      try ranks.agree { try LostFile.check() }
    } catch var error as FireflyError {
      if state.step > 0, state.savedStep != state.step {
        _ = try LostFile.accepted { try save() }
      }
      error.fix = "Bring it back and continue with --resume."
      throw error
    }
  }

  /// A checkpoint of the last step, by the first rank.
  private mutating func save() throws -> CheckpointFolder {
    state.history.willSave(at: state.step, in: config)
    let moments = try shards.gatherMoments(state.optimizer.store, pagedIn: config.outputFolder)
    let parameters = try shards.gatherParameters(model.arena, pagedIn: config.outputFolder)
    let folder = try moments.map { try checkpoint.save(state, $0, parameters, model) }
    state.savedStep = state.step
    return folder ?? checkpoint.folder(of: state)
  }

  private var epoch: Double { order.epoch(after: state.step) }

  // MARK: - Evaluation

  /// Evaluates where it is time to and it has not been done; a stop breaks it off, to be done when the run goes on.
  private mutating func evaluate(stop: StopRequest, _ progress: (TrainingEvent) -> Void) throws {
    guard let evaluator, !state.history.isEvaluated(at: state.step),
      occasions.evaluates(after: state.step)
    else { return }
    do {
      let entry = try evaluator.evaluate(
        model, step: state.step, epoch: epoch, stop: stop, progress: progress)
      try checkFiles()
      session.evaluationSeconds += entry.seconds
      state.history.log.append(.evaluation(entry))
      try recorder?.evaluated(entry, totalSteps: totalSteps)
      progress(.evaluated(entry))
    } catch is Evaluator.Stopped {
      try recorder?.line("the evaluation after step \(state.step) was broken off by the stop")
    }
  }

  private var isOutOfPatience: Bool { state.history.isOutOfPatience(config.evaluation) }

  private func sayWhetherEarly(_ progress: (TrainingEvent) -> Void) throws {
    guard state.step < totalSteps, let patience = config.evaluation?.patience else { return }
    let text =
      "stopped early after step \(state.step) of \(totalSteps): early_stopping_patience \(patience.evaluations)"
    try recorder?.line(text)
    progress(.notice(text))
  }

  /// Answers the run's prompts where it is time to.
  private func sample(stop: StopRequest) throws {
    guard let sampler, sampler.isDue(at: state.step, totalSteps: totalSteps) else { return }
    let answers = try sampler.answers(model, step: state.step, ranks) { stop.isAsked }
    try recorder?.answered(answers)
  }

  /// Gives the model, or the parameters that are to be written, what the best checkpoint has trained, where that is asked for.
  private func loadBest(_ parameters: [Parameter]?, _ progress: (TrainingEvent) -> Void) throws {
    guard let settings = config.evaluation?.best, settings.isLoadedAtEnd else { return }
    let noun = model.adapterOptions == nil ? "model" : "adapter"
    guard let best = state.history.best(settings), let folder = state.history.bestCheckpoint else {
      progress(.notice("there was no evaluation, so the last step's \(noun) is kept"))
      return
    }
    let checkpoint = try CheckpointFolder.named(folder)
    try checkpoint.readTrained(into: model, model.arena.trainable, parameters)
    let text =
      "the \(noun) is that of \(folder), \(best.metric.rawValue) \(Readable.fixed(best.value, 4))"
    try recorder?.line(text)
    progress(.notice(text))
  }

  private mutating func log(_ report: StepReport, _ progress: (TrainingEvent) -> Void) throws {
    guard occasions.logs(after: report.step) else { return }
    let entry = state.history.log(
      step: report.step, epoch: report.epoch, gradientNorm: report.gradientNorm,
      learningRate: report.learningRate, lossScale: state.lossScale)
    try recorder?.logged(entry, totalSteps: totalSteps, peakMemoryBytes: peakBytes)
    progress(.logged(entry))
  }

  // MARK: - The end

  private func result(_ outcome: TrainingResult.Outcome, runtime: Double) -> TrainingResult {
    TrainingResult(
      outcome: outcome, steps: state.step, epoch: epoch, trainLoss: state.history.meanLoss, runtime: runtime,
      sessionSteps: session.steps, sessionRows: session.rows, sessionTokens: session.tokens,
      sessionTargets: session.targets, flop: checkpoint.flop(state.history),
      evaluationSeconds: session.evaluationSeconds,
      best: state.history.best(config.evaluation?.best), peakMemoryBytes: peakBytes)
  }

  /// Of the card's memory, where the run computes on one.
  private var peakBytes: Int? {
    let device = model.device
    return device.isHost ? ProcessMemory.peakBytes : device.peakBytes
  }

  /// Records a step that went wrong as it was, and says what to do. Nothing has been updated with it.
  private func notANumber(_ what: String, loss: Double, norm: Double, lines: [Int]) throws
    -> FireflyError
  {
    let step = state.step + 1
    let rate = learningRate(state.optimizer.step)
    let entry = LogEntry(
      step: step, epoch: order.epoch(after: step), loss: loss, gradientNorm: norm,
      learningRate: rate)
    var history = state.history
    history.log.append(.training(entry))
    try recorder?.logged(entry, totalSteps: totalSteps, peakMemoryBytes: peakBytes)
    try recorder?.write(history)
    let last = CheckpointFolder.complete(in: config.outputFolder).last
    let from = last.map { "continue from checkpoint-\($0.step) with --resume, or start anew" } ?? "start anew"
    return ranks.together(
      FireflyError(
        "\(what) of step \(step) is \(Readable.fixed(loss.isFinite ? norm : loss, 0))",
        at: data.report.places(lines),
        expected: "a finite number",
        fix: "Look at these rows; then \(from), with a lower learning_rate (now "
          + "\(Readable.scientific(config.learningRate))), with max_grad_norm, or with \"precision\": \"float32\"."
      ))
  }
}
