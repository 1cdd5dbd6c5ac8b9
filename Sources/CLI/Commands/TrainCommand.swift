import FireflyBase
import FireflyRanks
import FireflyTraining
import Foundation

/// `firefly train CONFIG`.
enum TrainCommand {
  private static let resume = Flag("--resume", "Continues from the newest complete checkpoint of output_dir.")
  private static let resumeFrom = Option.text(
    "--resume-from", "DIR", "Continues from this checkpoint's folder.")
  private static let dryRun = Flag(
    "--dry-run", "Checks everything, prints the plan, and writes and trains nothing.")

  static let verb = Verb(
    "train",
    summary:
      "Fine-tunes a model on conversations, preference pairs (DPO) or texts: QLoRA, LoRA or all weights.",
    details: """
      Ctrl-C saves a checkpoint after the current step and stops (status 130); a second one stops at once. \
      The run then goes on with --resume, bit for bit as if it had not been interrupted.
      """,
    positionals: [RunOptions.config],
    options: [
      RunOptions.set.declaration, resume.declaration, resumeFrom.declaration, dryRun.declaration,
      DeviceOption.device.declaration,
    ], run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    try arguments.refuse([resume.declaration, resumeFrom.declaration], together: "both say where to start")
    if arguments[dryRun] {
      try Together.run { ranks in
        let config = try ranks.agree { try settings(arguments) }
        let display = TrainDisplay(bar: Messages.isTerminal && !config.disablesBar)
        let plan = try ranks.agree {
          try Trainer(config: config).plan(ranks: ranks) { if ranks.isFirst { display.show($0) } }
        }
        try ranks.agree { if ranks.isFirst { try printPlan(plan, display) } }
      }
    } else {
      var status: Int32 = 0
      try Together.run { ranks in
        status = try train(Trainer(config: ranks.agree { try settings(arguments) }), ranks)
      }
      if status != 0 { exit(status) }
    }
  }

  private static func settings(_ arguments: Arguments) throws -> RunConfig {
    var settings = try RunOptions.run(arguments)
    if arguments[resume] { settings.resume = .latest }
    if let folder = arguments[resumeFrom] { settings.resume = .checkpoint(folder) }
    settings.device = DeviceOption.choice(arguments) ?? settings.device
    return settings
  }

  private static func printPlan(_ plan: RunPlan, _ display: TrainDisplay) throws {
    display.close()
    let output = Output()
    for line in plan.summary { try output.sentence(line) }
    for notice in plan.notices { try output.sentence("note: \(notice)") }
    try output.flush()
    try plan.requireFit()
    try output.sentence("everything is in order; nothing was written")
    try output.flush()
  }

  /// - Returns: the status to exit with.
  private static func train(_ trainer: Trainer, _ ranks: Ranks) throws -> Int32 {
    let display = TrainDisplay(bar: Messages.isTerminal && !trainer.config.disablesBar)
    let interrupts = TrainInterrupts(tells: ranks.isAlone)
    let result = try interrupts.during {
      try trainer.run(ranks, stop: interrupts.request) { if ranks.isFirst { display.show($0) } }
    }
    guard ranks.isFirst else { return 0 }
    display.close()
    Messages.line(result.summary)
    switch result.outcome {
    case .alreadyFinished:
      Messages.line(
        "the run was finished already, after step \(result.steps): nothing was changed. A higher num_train_epochs or "
          + "max_steps continues it, where its learning rate does not depend on its length.")
      let output = Output()
      try output.line(trainer.config.outputFolder)
      try output.flush()
    case .finished:
      let output = Output()
      try output.line(trainer.config.outputFolder)
      try output.flush()
    case .stopped(let checkpoint):
      Messages.line("stopped after step \(result.steps); saved \(checkpoint). Continue with --resume.")
      return interrupts.exitStatus
    }
    return 0
  }
}
