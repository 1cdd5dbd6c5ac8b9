import FireflyTraining
import Foundation
import Testing

@Suite struct ScheduleTests {
  /// Golden test j of the specification.
  @Test func constantWithWarmupStartsAtZero() {
    let factor = ScheduleKind.constantWithWarmup.factor(warmup: 3000, total: 15_000)
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
    let factor = ScheduleKind.cosine.factor(warmup: 2, total: 12)
    for (step, expected) in logged.enumerated() {
      let error = abs(1e-3 * factor(step) - expected)
      #expect(!(error > 1e-15) && !error.isNaN, "step \(step)")
    }
  }

  @Test func linearFallsToZero() {
    let factor = ScheduleKind.linear.factor(warmup: 2, total: 10)
    #expect(factor(0) == 0 && factor(1) == 0.5 && factor(2) == 1 && factor(6) == 0.5)
    #expect(factor(9) == 0.125 && factor(10) == 0)
  }

  @Test func constantIgnoresTheWarmup() {
    let factor = ScheduleKind.constant.factor(warmup: 100, total: 10)
    #expect(factor(0) == 1 && factor(9) == 1)
  }

  @Test func ratiosRoundUp() {
    #expect(Warmup.ratio(0.01).resolved(total: 101) == 2)
    #expect(Warmup.steps(7).resolved(total: 3) == 7)
    #expect(StepCount.part(0.25).resolved(total: 10) == 3)
    #expect(StepCount.part(0.01).resolved(total: 10) == 1)
  }
}
