import FireflyBase
import FireflyTraining
import Foundation

/// Training's progress on standard error: a bar on a terminal, a line for each log entry otherwise.
final class TrainDisplay {
  private let bar: Bool
  private var progress: StepProgress?
  private var totalSteps = 0
  private var lastDrawing = ContinuousClock.now - .seconds(1)

  /// - Parameter bar: redraw one line.
  init(bar: Bool) { self.bar = bar }

  func show(_ event: TrainingEvent) {
    switch event {
    case .notice(let text): Messages.line("note: \(text)")
    case .preparing(let what, let share): draw("\(what) \(Int(share * 100)) %", always: share == 1)
    case .started(let plan, let step): start(plan, step)
    case .microBatch(let done, let count):
      if count > 1, let line = progress?.line(microBatch: done, of: count, width: width) { draw(line) }
    case .step(let report):
      progress?.add(report)
      if let line = progress?.line(width: width) { draw(line, always: report.step == totalSteps) }
    case .logged(let entry):
      if !bar { Messages.line(entry.line(totalSteps: totalSteps) + (progress.map { "  \($0.pace)" } ?? "")) }
    case .evaluating(let share): draw("evaluating \(Int(share * 100)) %")
    case .evaluated(let entry): Messages.line(entry.line(totalSteps: totalSteps))
    case .saved(let folder): Messages.line("saved \(folder)")
    case .ended: break
    }
  }

  /// Ends the redrawn line.
  func close() { Messages.clearProgress() }

  private func start(_ plan: RunPlan, _ step: Int) {
    close()
    totalSteps = plan.steps
    progress = StepProgress(totalSteps: plan.steps, from: step)
    for line in plan.summary { Messages.line(line) }
  }

  /// Redraws the line, at most ten times a second unless `always`.
  private func draw(_ line: String, always: Bool = false) {
    guard bar, always || ContinuousClock.now - lastDrawing >= .milliseconds(100) else { return }
    lastDrawing = .now
    Messages.progress(line)
  }

  private var width: Int { Terminal.columns(STDERR_FILENO) ?? 80 }
}
