import FireflyTraining
import Testing

@Suite struct StepProgressTests {
  private func report(_ step: Int, loss: Double, seconds: Double) -> StepReport {
    StepReport(
      step: step, totalSteps: 100, epoch: 0, loss: loss, gradientNorm: 1, learningRate: 1e-4, tokens: 500,
      targets: 100, seconds: seconds)
  }

  @Test func tellsLossRateSpeedAndTimeLeft() {
    var progress = StepProgress(totalSteps: 100, from: 40)
    progress.add(report(41, loss: 2, seconds: 2))
    progress.add(report(42, loss: 1, seconds: 4))
    let line = progress.line(width: 120)
    #expect(line.hasPrefix("[############..................] step 42/100  loss 1.9000  lr 1e-04"))
    #expect(line.hasSuffix("238 tokens/s  2 min 54 s left"))  // 58 steps of 3 s
  }

  @Test(arguments: [1, 10, 40, 80, 200]) func fitsTheTerminal(_ width: Int) {
    var progress = StepProgress(totalSteps: 100, from: 0)
    #expect(progress.line(width: width).count < max(2, width))
    progress.add(report(100, loss: .nan, seconds: 0))
    #expect(progress.line(microBatch: 1, of: 2, width: width).count < max(2, width))
  }
}
