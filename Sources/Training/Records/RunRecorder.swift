import FireflyBase
import Foundation

/// Keeps a run's records in `output_dir`: train.log, TensorBoard events, trainer_state.json, loss.svg.
final class RunRecorder {
  private let config: RunConfig
  private let checkpoint: Checkpoint
  private let log: RunLog
  private let events: EventFile?
  private let progress: ProgressFile

  /// - Parameter resumedStep: the step a continued run starts at; nil for a fresh one.
  init(_ config: RunConfig, _ checkpoint: Checkpoint, resumedStep: Int?) throws {
    self.config = config
    self.checkpoint = checkpoint
    log = try RunLog("\(config.outputFolder)/train.log", appending: resumedStep != nil)
    events =
      config.logsTensorBoard
      ? try EventFile(
        folder: RunRecorder.eventFolder(config, resumed: resumedStep != nil), resumedStep: resumedStep)
      : nil
    progress = try ProgressFile(folder: config.outputFolder, resumedStep: resumedStep)
    try checkpoint.write(config.source, to: "\(config.outputFolder)/train_args.json")
  }

  /// A continued run goes on in the newest folder, so that TensorBoard shows one curve.
  private static func eventFolder(_ config: RunConfig, resumed: Bool) -> String {
    if let folder = config.tensorBoardFolder { return folder }
    let runs = "\(config.outputFolder)/runs"
    let manager = FileManager.default
    let date = { (name: String) -> Date in
      (try? manager.attributesOfItem(atPath: "\(runs)/\(name)"))?[.modificationDate] as? Date ?? .distantPast
    }
    let earlier = resumed ? (try? manager.contentsOfDirectory(atPath: runs)) ?? [] : []
    return "\(runs)/\(earlier.max { date($0) < date($1) } ?? eventFolderName(Date()))"
  }

  func line(_ text: String) throws { try log.line(text) }

  func begin(_ plan: RunPlan, from step: Int) throws {
    try log.line(step == 0 ? "training begins" : "training continues after step \(step)")
    for text in plan.summary { try log.line("  \(text)") }
    for text in plan.notices { try log.line("note: \(text)") }
  }

  func stepped(_ report: StepReport) { progress.count(report) }

  func logged(_ entry: LogEntry, totalSteps: Int, peakMemoryBytes: Int?) throws {
    try log.line(entry.line(totalSteps: totalSteps))
    try progress.write(entry, totalSteps: totalSteps, peakMemoryBytes: peakMemoryBytes)
    try events?.write(
      [
        ("train/loss", entry.loss), ("train/grad_norm", entry.gradientNorm),
        ("train/learning_rate", entry.learningRate), ("train/epoch", entry.epoch),
      ] + (entry.balanceLoss.map { [("train/aux_loss", $0)] } ?? [])
        + (entry.lossScale.map { [("train/loss_scale", $0)] } ?? [])
        + (entry.preference?.scalars.map { ("train/\($0.key)", $0.value) } ?? []), step: entry.step)
  }

  func answered(_ answers: [RunSampler.Answer]) throws { try progress.write(answers) }

  func evaluated(_ entry: EvaluationEntry, totalSteps: Int) throws {
    try log.line(entry.line(totalSteps: totalSteps))
    try progress.write(entry, totalSteps: totalSteps)
    // TensorBoard's names: eval/loss for eval_loss.
    let scalars = entry.scalars.map { (tag: "eval/" + $0.key.dropFirst("eval_".count), value: $0.value) }
    try events?.write(scalars, step: entry.step)
  }

  func saved(_ folder: CheckpointFolder, _ history: RunHistory) throws {
    try log.line("saved \(folder.path)")
    try write(history)
  }

  /// trainer_state.json and loss.svg as they stand.
  func write(_ history: RunHistory, results: JSONValue? = nil) throws {
    try checkpoint.write(
      checkpoint.trainerState(history, results: results), to: "\(config.outputFolder)/trainer_state.json")
    let title = "\((config.outputFolder as NSString).lastPathComponent): training loss"
    try LossCurve(title: title, losses: history.losses.map(Double.init), rewards: history.rewards).write(
      to: "\(config.outputFolder)/loss.svg")
  }

  func finished(_ result: TrainingResult, _ history: RunHistory) throws {
    try events?.write(result.scalars.map { ("train/\($0.key)", $0.value) }, step: result.steps)
    try write(history, results: result.json)
    try progress.finish(step: result.steps)
    for name in ["train_results.json", "all_results.json"] {
      try checkpoint.write(result.json, to: "\(config.outputFolder)/\(name)")
    }
    try log.line("training is done: \(result.summary)")
  }
}

extension LogEntry {
  /// As train.log and a pipe show it.
  package func line(totalSteps: Int) -> String {
    "step \(step)/\(totalSteps)  epoch \(Readable.fixed(epoch, 2))  loss \(Readable.fixed(loss, 4))  "
      + (balanceLoss.map { "aux_loss \(Readable.fixed($0, 4))  " } ?? "")
      + (preference.map { "\($0.line())  " } ?? "")
      + "grad_norm \(Readable.fixed(gradientNorm, 3))  lr \(Readable.scientific(learningRate))"
      + (lossScale.map { "  loss_scale \(Readable.fixed($0, 0))" } ?? "")
      + (skippedSteps.map { $0 > 0 ? "  skipped \($0)" : "" } ?? "")
  }
}
