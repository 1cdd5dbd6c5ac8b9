import FireflyDoubles
import FireflyBase
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

@testable import FireflyTraining

/// Steps, epochs, learning rates, when something happens, and early stopping against transformers' Trainer
/// (tools/reference/trainer_rules.py).
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

  private static func config(_ settings: [String: JSONValue]) throws -> RunConfig {
    let least: [String: JSONValue] = [
      "output_dir": .string("out"), "model_name_or_path": .string("model"), "train_file": .string("rows"),
      "eval_file": .string("held-out"), "max_seq_length": .int(64), "template_name": .string("qwen"),
      "bf16": .bool(true),
    ]
    return try RunConfig(.object(least.merging(settings) { $1 }), source: "c.json")
  }

  @Test func whatHappensHappensWhereItDoesInTheTrainer() throws {
    let runs = try Self.cases("occasions")
    #expect(runs.count >= 60)
    for run in runs {
      let config = try Self.config(try #require(run["settings"]?.object))
      let order = DataOrder(
        rows: run["rows"]?.int ?? 0, microBatchSize: config.microBatchSize, accumulation: config.accumulation,
        dropsLastBatch: config.dropsLastBatch, seed: 1)
      let total = order.totalSteps(epochs: config.epochs, maxSteps: config.maxSteps)
      #expect(total == run["total_steps"]?.int, "\(run.text())")
      let occasions = Occasions(config, order, totalSteps: total)
      func steps(_ happens: (Int) -> Bool) -> [Int] { (0...total).filter(happens) }
      func expected(_ key: String) -> [Int] { run[key]?.array?.compactMap(\.int) ?? [] }
      #expect(steps { $0 > 0 && occasions.logs(after: $0) } == expected("logs"), "\(run.text())")
      #expect(steps(occasions.evaluates) == expected("evaluates"), "\(run.text())")
      #expect(
        steps { $0 > 0 && occasions.saves(after: $0, isLast: $0 == total, isBest: false) }
          == expected("saves"),
        "\(run.text())")
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
