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
      try output.line(PlanCommand.json(plan, estimate).text(indent: 2))
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

  private static func json(_ plan: RunPlan, _ estimate: RunEstimate) -> JSONValue {
    let memory = Dictionary(plan.memory.map { ($0.part, JSONValue.int($0.bytes)) }) { first, _ in first }
    return .object([
      "steps": .int(plan.steps), "rows": .int(plan.rows), "tokens": .int(plan.tokens),
      "targets": .int(plan.targets), "trainable_parameters": .int(plan.trainableParameters),
      "frozen_parameters": .int(plan.frozenParameters),
      "peak_memory_bytes": .int(plan.memoryBytes), "memory": .object(memory),
      "memory_limit_bytes": plan.memoryLimit.map(JSONValue.int) ?? .null,
      "advice": .array(plan.advice.map(JSONValue.string)), "checkpoint_bytes": .int(plan.checkpointBytes),
      "paged_bytes": .int(plan.pagedBytes), "flop": .double(plan.work.flop),
      "seconds": .double(estimate.seconds), "seconds_per_step": .double(estimate.secondsPerStep),
      "notices": .array(plan.notices.map(JSONValue.string)),
    ])
  }
}
