import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyTraining

/// How a training step is cut into tasks: what tools/scaling_model reads.
package struct TaskReport: Sendable {
  package let json: JSONValue

  /// Records the fastest of some steps, with the threads there are.
  ///
  /// - Throws: as `TrainingBench`.
  package init(_ shape: BenchShape, _ workload: TrainingBench.Workload) throws {
    let step = try TrainingStep(shape, workload, on: CPU.shared)
    for _ in 0..<2 { step.run() }
    let traces = (0..<5).map { _ in TaskTrace.record { step.run() } }
    guard let trace = traces.min(by: { $0.seconds < $1.seconds }) else { preconditionFailure("no step") }
    json = .object([
      "shape": .string(shape.name), "tokens": .int(workload.lengths.reduce(0, +)),
      "processor": .string(MachineLimits.processorName()), "threads": .int(Parallel.threads),
      "seconds": .double(trace.seconds), "handover_seconds": .double(TaskReport.handover()),
      "regions": .array(
        trace.regions.map { region in
          .object([
            "serial": .double(region.serialSeconds), "seconds": .double(region.seconds),
            "tasks": .array(region.taskSeconds.map { .double($0) }),
          ])
        }),
    ])
  }

  /// Seconds that a region takes whose tasks do nothing, one for each thread; the median.
  private static func handover() -> Double {
    Stopwatch.middle(
      (0..<1001).map { _ in Stopwatch.time { Parallel.run(Parallel.threads) { _ in } } })
  }
}
