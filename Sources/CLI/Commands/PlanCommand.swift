import FireflyBase
import FireflyBench
import FireflyTraining

/// `firefly plan CONFIG`.
enum PlanCommand {
  private static let ranks = Option.integer(
    "--ranks", "N", in: 1...4096,
    "Plans for N machines like this one, with a process on each (default: 1).")
  private static let bandwidth = Option.number(
    "--bandwidth", "GBIT", in: 0.01...10000,
    "What the network between them carries, in Gbit a second (default: 10).")
  private static let json = Flag("--json", "One JSON object.")

  static let verb = Verb(
    "plan", summary: "Says what a training run will take: memory, time and disk, before it starts.",
    details: """
      Reads the rows and the model's header, measures a block of the model's shape with random weights for a second or \
      two, and neither loads weights nor writes anything. When the run does not fit into memory, says what to change and what that comes to.
      """,
    positionals: [RunOptions.config],
    options: [RunOptions.set.declaration, ranks.declaration, bandwidth.declaration, json.declaration],
    run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    let settings = try RunOptions.run(arguments)
    let progress = ProgressLine("reading rows")
    let plan = try Trainer(config: settings).plan(ranks: arguments[ranks] ?? 1) {
      if case .preparing(_, let share) = $0 { progress.update(share) }
    }
    progress.clear()
    let estimate = try RunEstimate(plan, gigabits: arguments[bandwidth] ?? 10)
    let output = Output()
    if arguments[json] {
      try output.line(PlanReport(plan, estimate).json.text(indent: 2))
    } else {
      for line in plan.summary { try output.sentence(line) }
      try output.sentence(
        "disk: \(Readable.bytes(plan.pagedBytes)) for paged memory, and the checkpoints that are kept")
      try output.sentence(
        "time, about: \(Readable.duration(estimate.seconds)), \(Readable.fixed(estimate.secondsPerStep, 1)) s a step"
          + (plan.ranks > 1
            ? ", \(Readable.fixed(estimate.wireSecondsPerStep, 1)) s of it on the network" : "")
      )
      for notice in plan.notices { try output.sentence("note: \(notice)") }
    }
    try output.flush()
  }
}
