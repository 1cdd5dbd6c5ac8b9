import FireflyBase
import FireflyBench
import FireflyTraining

/// `firefly plan CONFIG`.
enum PlanCommand {
  private static let json = Flag("--json", "One JSON object.")

  static let verb = Verb(
    "plan", summary: "Says what a training run will take: memory, time and disk, before it starts.",
    details: """
      Reads the rows and the model's header, measures a block of the model's shape with random weights for a second or \
      two, and neither loads weights nor writes anything. When the run does not fit into memory, says what to change and what that comes to.
      """,
    positionals: [RunOptions.config], options: [RunOptions.set.declaration, json.declaration], run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    let settings = try RunOptions.run(arguments)
    let progress = ProgressLine("reading rows")
    let plan = try Trainer(config: settings).plan {
      if case .preparing(_, let share) = $0 { progress.update(share) }
    }
    progress.clear()
    let estimate = try RunEstimate(plan)
    let output = Output()
    if arguments[json] {
      try output.line(PlanReport(plan, estimate).json.text(indent: 2))
    } else {
      for line in plan.summary { try output.sentence(line) }
      try output.sentence(
        "disk: \(Readable.bytes(plan.pagedBytes)) for paged memory, and the checkpoints that are kept")
      try output.sentence(
        "time, about: \(Readable.duration(estimate.seconds)), \(Readable.fixed(estimate.secondsPerStep, 1)) s a step"
      )
      for notice in plan.notices { try output.sentence("note: \(notice)") }
    }
    try output.flush()
  }
}
