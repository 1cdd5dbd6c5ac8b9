import FireflyBase
import FireflyTraining

/// What `firefly plan` says of a run, for programs.
package struct PlanReport {
  private let plan: RunPlan
  private let estimate: RunEstimate

  package init(_ plan: RunPlan, _ estimate: RunEstimate) {
    self.plan = plan
    self.estimate = estimate
  }

  package var json: JSONValue {
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
      "cards": .array(
        plan.cards.map { fit in
          .object([
            "change": fit.change.map(JSONValue.string) ?? .null, "bytes": .int(fit.bytes),
            "host_bytes": .int(fit.hostBytes), "sizes_gb": .array(fit.sizes.map(JSONValue.int)),
          ])
        }),
      "ranks": .int(plan.ranks), "wire_bytes_per_step": .int(plan.wireBytes),
      "wire_seconds_per_step": .double(estimate.wireSecondsPerStep),
      "notices": .array(plan.notices.map(JSONValue.string)),
    ])
  }
}
