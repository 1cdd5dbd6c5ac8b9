import FireflyBase
import FireflyDoubles
import FireflyTestSupport
import FireflyTraining
import Foundation
import Testing

@Suite struct ScheduleTests {
  /// Golden test j of the specification.
  @Test func constantWithWarmupStartsAtZero() {
    let factor = Schedule.constantWithWarmup.factor(warmup: 3000, total: 15_000)
    #expect(1e-4 * factor(0) == 0)
    #expect(1e-4 * factor(1) == 1e-4 / 3000)
    #expect(factor(2999) == 2999.0 / 3000)
    #expect(factor(3000) == 1)
    #expect(factor(14_999) == 1)
  }

  /// The learning rates that transformers 5.23 logged: cosine, 2 steps of warm-up, 12 in all, 1e-3 (hf_trainer_qlora_run).
  @Test func cosineIsTransformers() {
    let logged = [
      0.0, 0.0005, 0.001, 0.0009755282581475768, 0.0009045084971874737, 0.0007938926261462366,
      0.0006545084971874737, 0.0005, 0.00034549150281252633, 0.00020610737385376348, 9.549150281252633e-05,
      2.4471741852423235e-05,
    ]
    let factor = Schedule.cosine().factor(warmup: 2, total: 12)
    for (step, expected) in logged.enumerated() {
      let error = abs(1e-3 * factor(step) - expected)
      #expect(!(error > 1e-15) && !error.isNaN, "step \(step)")
    }
  }

  @Test func linearFallsToZero() {
    let factor = Schedule.linear.factor(warmup: 2, total: 10)
    #expect(factor(0) == 0 && factor(1) == 0.5 && factor(2) == 1 && factor(6) == 0.5)
    #expect(factor(9) == 0.125 && factor(10) == 0)
  }

  @Test func constantIgnoresTheWarmup() {
    let factor = Schedule.constant.factor(warmup: 100, total: 10)
    #expect(factor(0) == 1 && factor(9) == 1)
  }

  /// Every schedule as a configuration says it, step for step as transformers' own (tools/reference/schedule_fixtures.py).
  @Test func everyScheduleWithItsSettingsIsTransformers() throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/schedules.json")
      .path
    let cases = try #require(JSONValue.read(path)["cases"]?.array)
    #expect(cases.count == 75)
    for json in cases {
      let (peak, total) = (json["learning_rate"]?.double ?? 0, json["total"]?.int ?? 0)
      let config = try Self.config(json["name"], json["settings"], learningRate: peak)
      let factor = config.schedule.factor(warmup: json["warmup"]?.int ?? -1, total: total)
      let expected = json["rates"]?.array?.compactMap(\.double) ?? []
      #expect(expected.count == total)
      for (step, rate) in expected.enumerated() {
        let error = abs(peak * factor(step) - rate)
        #expect(
          !(error > 1e-14 * peak) && !error.isNaN,
          "\(json["name"] ?? .null) \(json["settings"] ?? .null) step \(step)")
      }
    }
  }

  private static func config(
    _ name: JSONValue?, _ settings: JSONValue?, learningRate: Double = 1e-3
  ) throws -> RunConfig {
    try RunConfig(
      .object([
        "model_name_or_path": .string("m"), "train_file": .string("t"), "output_dir": .string("o"),
        "max_seq_length": .int(64), "bf16": .bool(true), "learning_rate": .double(learningRate),
        "lr_scheduler_type": name ?? .null, "lr_scheduler_kwargs": settings ?? .null,
      ]), source: "run.json")
  }

  @Test(arguments: [
    ("linear", #"{"num_cycles": 1}"#, "does not fit \"lr_scheduler_type\": \"linear\" (expected no settings"),
    ("cosine", #"{"num_cycle": 1}"#, "no others than \"num_cycles\""),
    ("cosine", #"{"num_cycles": "1"}"#, "\"num_cycles\": a number above 0"),
    ("cosine_with_min_lr", "{}", "one of \"min_lr\" and \"min_lr_rate\""),
    ("cosine_with_min_lr", #"{"min_lr": 1e-4, "min_lr_rate": 0.1}"#, "found both"),
    ("cosine_with_min_lr", #"{"min_lr": 1}"#, "\"min_lr\": a number from 0 to 0.001"),
    ("polynomial", #"{"lr_end": 1}"#, "\"lr_end\""),
    ("warmup_stable_decay", #"{"min_lr_ratio": 0.1}"#, "\"num_decay_steps\""),
    (
      "warmup_stable_decay", #"{"num_decay_steps": 5, "decay_type": "exponential"}"#, "linear, cosine, 1-sqrt"
    ),
    ("inverse_sqrt", #"{"timescale": 0}"#, "\"timescale\""),
    ("cosine", "0.5", "an object of names and values"),
  ])
  func settingsThatAScheduleLacksAreNamed(_ name: String, _ settings: String, _ expected: String) throws {
    let error = #expect(throws: FireflyError.self) {
      _ = try Self.config(.string(name), .string(settings))
    }
    let text = try #require(error).description
    #expect(text.contains("lr_scheduler_kwargs") && text.contains(expected), "\(text)")
  }

  /// Without lr_end a polynomial falls to 1e-7, which is no fall from there.
  @Test(arguments: [0, 1e-7]) func aPolynomialFallsFromAboveItsEnd(_ peak: Double) {
    let error = #expect(throws: FireflyError.self) {
      _ = try Self.config(.string("polynomial"), nil, learningRate: peak)
    }
    #expect(error?.description.contains("\"lr_end\" below learning_rate") == true)
  }

  @Test func settingsMayBeTheirText() throws {
    let written = try Self.config(.string("cosine_with_min_lr"), .string(#"{"min_lr_rate": 0.25}"#))
    #expect(written.schedule == .cosine(least: 0.25))
    #expect(try Self.config(.string("linear"), .string("")).schedule == .linear)
  }

  @Test func ratiosRoundUp() {
    #expect(Warmup.ratio(0.01).resolved(total: 101) == 2)
    #expect(Warmup.steps(7).resolved(total: 3) == 7)
    #expect(StepCount.part(0.25).resolved(total: 10) == 3)
    #expect(StepCount.part(0.01).resolved(total: 10) == 1)
  }
}
