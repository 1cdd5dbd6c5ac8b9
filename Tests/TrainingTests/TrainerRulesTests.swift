import FireflyDoubles
import FireflyBase
import FireflyTestSupport
import FireflyText
import FireflyTraining
import Foundation
import Testing

/// Steps, epochs, learning rates and early stopping against transformers' Trainer (tools/reference/trainer_rules.py).
@Suite struct TrainerRulesTests {
  private static func cases(_ name: String) throws -> [JSONValue] {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/trainer_rules.json").path
    return try #require(JSONValue.read(path)[name]?.array)
  }

  @Test func anEpochsShortStepIsTrainers() throws {
    let runs = try Self.cases("runs")
    #expect(runs.count == 8)
    for run in runs {
      func int(_ key: String) -> Int { run[key]?.int ?? -1 }
      func doubles(_ key: String) -> [Double] { run[key]?.array?.compactMap(\.double) ?? [] }
      var order = DataOrder(
        rows: int("rows"), microBatchSize: int("micro_batch"), accumulation: int("accumulation"),
        dropsLastBatch: run["drops_last"]?.bool == true, seed: 1)
      let total = order.totalSteps(
        epochs: run["epochs"]?.double ?? 0, maxSteps: int("max_steps") > 0 ? int("max_steps") : nil)
      #expect(total == int("total_steps"), "\(run.text())")
      let epochs = (1...total).map(order.epoch)
      #expect(zip(epochs, doubles("epoch_after")).allSatisfy { abs($0 - $1) < 1e-12 }, "\(epochs)")
      let rate = Schedule.linear.factor(warmup: 1, total: total)
      #expect(
        zip((0..<total).map(rate), doubles("rate_factors")).allSatisfy { abs($0 - $1) < 1e-12 },
        "\(run.text())")
      // Every row of an epoch is seen once; with drop_last, all whole micro-batches.
      let seen = (0..<order.stepsPerEpoch).flatMap { order.microBatches(step: $0).joined() }
      let expected =
        run["drops_last"]?.bool == true ? int("rows") / int("micro_batch") * int("micro_batch") : int("rows")
      #expect(Set(seen).count == expected && seen.count == expected)
    }
  }

  @Test func patienceEndsWhereTheCallbackDoes() throws {
    let stops = try Self.cases("stops")
    #expect(stops.count == 7)
    for stop in stops {
      let values = stop["metrics"]?.array?.compactMap(\.double) ?? []
      let patience = EvaluationSettings.Patience(
        evaluations: stop["patience"]?.int ?? 0, threshold: stop["threshold"]?.double ?? -1)
      let isGreater = stop["greater_is_better"]?.bool == true
      let end = (1...values.count).first {
        patience.isOut(after: Array(values.prefix($0)), greaterIsBetter: isGreater)
      }
      #expect((end ?? values.count) == stop["evaluations"]?.int, "\(stop.text())")
    }
  }

  /// 9 rows in micro-batches of 2, three of them a step: an epoch's second step has three rows.
  @Test func theShortStepIsTrained() throws {
    let tiny = try TinyRun(rows: 9)
    var tokens: [Int] = []
    let config = try tiny.config(
      "out",
      [
        "gradient_accumulation_steps": .int(3), "max_steps": .int(-1), "num_train_epochs": .int(1),
        "save_strategy": .string("no"),
      ])
    let plan = try Trainer(config: config).plan()
    #expect(plan.steps == 2 && plan.stepsPerEpoch == 2)
    #expect(plan.summary.contains("steps: 2, 2 an epoch, each of 3 × 2 rows, the last of an epoch of 2"))
    let result = try Trainer(config: config).run { event in
      if case .step(let report) = event { tokens.append(report.tokens) }
    }
    #expect(result.epoch == 1 && result.sessionRows == 9)
    #expect(tokens.reduce(0, +) == plan.tokens)
  }
}
