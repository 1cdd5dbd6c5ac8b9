import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyText

/// The steps of a run, one after the other.
struct TrainingLoop {
  private let config: RunConfig
  private let data: Dataset
  /// The rows of these numbers as one batch.
  private let batch: ([Int]) -> Batch
  private let model: Transformer
  private let objective: any Objective
  private let checkpoint: Checkpoint
  private let recorder: RunRecorder
  private let evaluator: Evaluator?
  private let sampler: RunSampler?
  private let learningRate: (Int) -> Double
  private let totalSteps: Int
  private var order: DataOrder
  private var state: RunState
  /// What this process has done.
  private var session = (steps: 0, rows: 0, tokens: 0, targets: 0, evaluationSeconds: 0.0)

  init(
    _ setup: RunSetup, _ model: Transformer, _ pairs: PreferencePairs?, _ evaluationPairs: PreferencePairs?,
    _ state: RunState, _ checkpoint: Checkpoint, _ recorder: RunRecorder
  ) {
    config = setup.config
    data = setup.dataset
    let samples = setup.dataset.samples
    batch = { rows in pairs?.batch(rows) ?? Batch(rows.map { samples[$0] }) }
    order = setup.order
    totalSteps = setup.totalSteps
    evaluator = setup.config.evaluation.flatMap { settings in
      setup.evaluationData.map {
        Evaluator(
          settings: settings, data: $0, preference: setup.config.preference.map(DirectPreference.init),
          pairs: evaluationPairs)
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
      let batches = order.microBatches(step: state.step).map(batch)
      let loss = try accumulateGradients(batches, progress)
      let norm = gradientNorm(model.arena)
      try checkFiles()
      guard norm.isFinite else { throw try notANumber("the gradient", loss: loss.loss, norm: norm, batches) }

      let rate = learningRate(state.step)
      state.optimizer.update(
        model.arena, learningRate: rate, gradientScale: clipScale(norm: norm, limit: config.maxGradientNorm))
      model.parametersChanged()
      state.step += 1

      let report = count(batches, loss, norm, rate, seconds: (clock.now - stepStart).seconds)
      recorder.stepped(report)
      progress(.step(report))
      try log(report, progress)
      try evaluate(stop: stop, progress)
      try sample(stop: stop)
      let isStopping = stop.isAsked && state.step < totalSteps && !isOutOfPatience
      if isStopping || saves(at: state.step) {
        state.history.willSave(at: state.step, in: config)
        let folder = try checkpoint.save(state, model)
        try recorder.saved(folder, state.history)
        progress(.saved(folder.path))
        if isStopping {
          try recorder.line("stopped by request after step \(state.step)")
          return result(.stopped(checkpoint: folder.path), runtime: (clock.now - start).seconds)
        }
      }
    }
    try sayWhetherEarly(progress)
    try loadBest(progress)
    try checkpoint.writeTrained(model, to: config.outputFolder)
    let result = result(.finished, runtime: (clock.now - start).seconds)
    try recorder.finished(result, state.history)
    return result
  }

  // MARK: - One step

  /// Forward and backward of each micro-batch.
  private func accumulateGradients(
    _ batches: [Batch], _ progress: (TrainingEvent) -> Void
  ) throws -> StepLoss {
    model.zeroGradients()
    let pass = Pass(
      seed: UInt64(config.seed), step: UInt64(state.step), training: true,
      checkpointing: config.checkpointing)
    do {
      return try objective.accumulateGradients(batches, on: model, pass) {
        progress(.microBatch($0, of: batches.count))
      }
    } catch let error as LossNotFinite {
      throw try notANumber("the loss", loss: error.value, norm: .nan, [error.batch])
    }
  }

  private mutating func count(
    _ batches: [Batch], _ loss: StepLoss, _ norm: Double, _ rate: Double, seconds: Double
  ) -> StepReport {
    let tokens = batches.reduce(0) { $0 + $1.tokens.count }
    let targets = batches.reduce(0) { $0 + $1.targetCount }
    state.history.add(loss, tokens: tokens, targets: targets)
    session.steps += 1
    session.rows += batches.reduce(0) { $0 + $1.lines.count }
    session.tokens += tokens
    session.targets += targets
    return StepReport(
      step: state.step, totalSteps: totalSteps, epoch: epoch, loss: loss.loss, gradientNorm: norm,
      learningRate: rate, tokens: tokens, targets: targets, seconds: seconds)
  }

  /// When a file of the model's has lost bytes that were read, what came of them is nothing; what was trained before is saved.
  private mutating func checkFiles() throws {
    do {
      try LostFile.check()
    } catch var error as FireflyError {
      if state.step > 0, CheckpointFolder.complete(in: config.outputFolder).last?.step != state.step {
        state.history.willSave(at: state.step, in: config)
        _ = try LostFile.accepted { try checkpoint.save(state, model) }
      }
      error.fix = "Bring it back and continue with --resume."
      throw error
    }
  }

  private var epoch: Double { order.epoch(after: state.step) }

  // MARK: - Evaluation

  /// Evaluates where it is time to and it has not been done; a stop breaks it off, to be done when the run goes on.
  private mutating func evaluate(stop: StopRequest, _ progress: (TrainingEvent) -> Void) throws {
    guard let evaluator, !state.history.isEvaluated(at: state.step),
      evaluator.settings.isDue(
        at: state.step, stepsPerEpoch: order.stepsPerEpoch, totalSteps: totalSteps)
    else { return }
    do {
      let entry = try evaluator.evaluate(
        model, step: state.step, epoch: epoch, stop: stop, progress: progress)
      try checkFiles()
      session.evaluationSeconds += entry.seconds
      state.history.log.append(.evaluation(entry))
      try recorder.evaluated(entry, totalSteps: totalSteps)
      progress(.evaluated(entry))
    } catch is Evaluator.Stopped {
      try recorder.line("the evaluation after step \(state.step) was broken off by the stop")
    }
  }

  private var isOutOfPatience: Bool { state.history.isOutOfPatience(config.evaluation) }

  private func sayWhetherEarly(_ progress: (TrainingEvent) -> Void) throws {
    guard state.step < totalSteps, let patience = config.evaluation?.patience else { return }
    let text =
      "stopped early after step \(state.step) of \(totalSteps): early_stopping_patience \(patience.evaluations)"
    try recorder.line(text)
    progress(.notice(text))
  }

  /// Answers the run's prompts where it is time to.
  private func sample(stop: StopRequest) throws {
    guard let sampler, sampler.isDue(at: state.step, totalSteps: totalSteps) else { return }
    try recorder.answered(sampler.answers(model, step: state.step) { stop.isAsked })
  }

  /// Gives the model what the best checkpoint has trained, where that is asked for.
  private func loadBest(_ progress: (TrainingEvent) -> Void) throws {
    guard let settings = config.evaluation?.best, settings.isLoadedAtEnd else { return }
    let noun = model.adapterOptions == nil ? "model" : "adapter"
    guard let best = state.history.best(settings), let folder = state.history.bestCheckpoint else {
      progress(.notice("there was no evaluation, so the last step's \(noun) is kept"))
      return
    }
    let checkpoint = try CheckpointFolder.named(folder)
    try checkpoint.readTrained(into: model, model.arena.trainable)
    let text =
      "the \(noun) is that of \(folder), \(best.metric.rawValue) \(Readable.fixed(best.value, 4))"
    try recorder.line(text)
    progress(.notice(text))
  }

  // MARK: - When

  private mutating func log(_ report: StepReport, _ progress: (TrainingEvent) -> Void) throws {
    guard
      isDue(config.loggingInterval, config.loggingEvery, at: report.step)
        || (config.logsFirstStep && report.step == 1 && config.loggingInterval != .no)
    else { return }
    let entry = state.history.log(
      step: report.step, epoch: report.epoch, gradientNorm: report.gradientNorm,
      learningRate: report.learningRate)
    try recorder.logged(entry, totalSteps: totalSteps)
    progress(.logged(entry))
  }

  /// The last step always has a checkpoint, unless there are none.
  private func saves(at step: Int) -> Bool {
    config.saveInterval != .no
      && (step == totalSteps || isOutOfPatience
        || isDue(config.saveInterval, config.saveEvery, at: step))
  }

  private func isDue(_ interval: Interval, _ every: StepCount, at step: Int) -> Bool {
    interval.isDue(at: step, every: every, stepsPerEpoch: order.stepsPerEpoch, totalSteps: totalSteps)
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
    let device = model.arena.values.device
    return device.isHost ? ProcessMemory.peakBytes : device.peakBytes
  }

  /// Records a step that went wrong as it was, and says what to do. Nothing has been updated with it.
  private func notANumber(_ what: String, loss: Double, norm: Double, _ batches: [Batch]) throws
    -> FireflyError
  {
    let step = state.step + 1
    let rate = learningRate(state.step)
    let entry = LogEntry(
      step: step, epoch: order.epoch(after: step), loss: loss, gradientNorm: norm,
      learningRate: rate)
    var history = state.history
    history.log.append(.training(entry))
    try recorder.logged(entry, totalSteps: totalSteps)
    try recorder.write(history)
    let last = CheckpointFolder.complete(in: config.outputFolder).last
    let from = last.map { "continue from checkpoint-\($0.step) with --resume, or start anew" } ?? "start anew"
    return FireflyError(
      "\(what) of step \(step) is \(loss.isFinite ? norm : loss)",
      at: data.report.places(batches.flatMap(\.lines)),
      expected: "a finite number",
      fix: "Look at these rows; then \(from), with a lower learning_rate (now "
        + "\(Readable.scientific(config.learningRate))), with max_grad_norm, or with \"precision\": \"float32\"."
    )
  }
}
