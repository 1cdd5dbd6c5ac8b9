import FireflyBase
import FireflyBench
import FireflyModels
import FireflyTensors
import FireflyTraining
import Testing

/// One at a time: the ledger is the process's.
@Suite(.serialized) struct BenchTests {
  private static let tiny = BenchShape(
    name: "tiny", title: "a tiny model", hidden: 128, intermediate: 192, layers: 2, heads: 4,
    keyValueHeads: 2,
    vocabulary: 300)

  /// The plan's count of a step is what the operations record.
  @Test(arguments: [false, true])
  func aStepComputesWhatItsShapesNeed(_ checkpointing: Bool) throws {
    let (rank, lengths) = (16, [100, 60, 96])
    let bench = try TrainingBench(
      .smollm2Blocks, TrainingBench.Workload(lengths: lengths, checkpointing: checkpointing, rank: rank),
      steps: 1)
    let architecture = try Architecture(config: BenchShape.smollm2Blocks.config, source: "test")
    let trainable = Trainable(architecture, LoRAOptions(rank: rank))
    let work = StepWork(
      WorkModel(architecture, trainable, checkpointing: checkpointing, isNF4: true), lengths: lengths,
      targets: 128)

    // The first block passes no gradient on through q, k, v, nor through their adapters.
    let unneeded = 2 * Double(256 * (576 * (576 + 192 + 192) + 3 * rank * 576))
    let flop = Dictionary(uniqueKeysWithValues: bench.step.parts.map { ($0.part, $0.entry.flop) })
    #expect(flop[.matrices] == work.matrices - unneeded)
    #expect(flop[.attention] == work.attention)
    #expect(bench.step.flop == work.flop - unneeded)
  }

  @Test func partsAddUpToTheStep() throws {
    let bench = try TrainingBench(BenchTests.tiny, TrainingBench.Workload(lengths: [40]), steps: 1)
    let parts = bench.step.parts.reduce(0) { $0 + $1.entry.seconds }
    #expect(parts > 0 && bench.step.otherSeconds >= 0)
    #expect(abs(parts + bench.step.otherSeconds - bench.step.seconds) <= 1e-9)
    #expect(bench.tokens == 40 && abs(bench.tokensPerSecond * bench.step.seconds - 40) <= 1e-9)
  }

  /// The time of a step, from the rates measured on it, is its time: nothing that it computes is left out.
  @Test(arguments: [(false, 0.3), (true, 1.0)])
  func anEstimateOfTheMeasuredStepIsItsTime(_ isNF4: Bool, _ targetShare: Double) throws {
    let architecture = try Architecture(config: BenchTests.tiny.config, source: "test")
    let lengths = [100, 29]
    let step = PlannedStep(
      architecture: architecture, adapter: LoRAOptions(rank: 4), compute: .float32, isNF4: isNF4,
      checkpointing: isNF4, lengths: lengths, targetShare: targetShare)
    let model = try Transformer.random(
      architecture, compute: .float32, quantization: isNF4 ? .nf4(double: true) : .none)
    let measured = try StepRates.timed(model, step, lengths, runs: 1)
    let trainable = Trainable(architecture, step.adapter)
    let work = StepWork(
      WorkModel(architecture, trainable, checkpointing: isNF4, isNF4: isNF4), lengths: lengths,
      targets: Int(129 * targetShare))
    #expect(measured.flop == work.flop)
    let estimate = RunEstimate(
      work, steps: 1, parameters: trainable.count, StepRates(measured, architecture, step, lengths))
    #expect(abs(estimate.seconds - measured.seconds) <= 1e-6 * measured.seconds)
  }

  @Test func aUsualMicroBatchIsCutToWhatThereIsTimeFor() {
    #expect(StepRates.cut([500, 400, 300], to: 700) == [500, 200])
    #expect(StepRates.cut([500, 400, 300], to: 5000) == [500, 400, 300])
    #expect(StepRates.cut([500, 400], to: 501) == [500])
  }

  @Test func generationIsMeasuredForEachNumberOfRows() throws {
    let limits = MachineLimits(
      processor: "test", instructionSet: "generic", threads: 1, bfloat16Rate: (1e9, 1e9),
      float32Rate: (1e9, 1e9), readRate: (1e9, 1e9))
    let bench = try GenerationBench(BenchTests.tiny, limits: limits, prompt: 128, rows: [1, 3])
    #expect(bench.decoding.map(\.rows) == [1, 3])
    var report = BenchReport(limits: limits)
    report.generation = [bench]
    let decoding = report.json["generation"]?.array?.first?["decoding"]?.array
    #expect(decoding?[1]["tokens_per_second"]?.double == bench.decoding[1].tokensPerSecond)
    #expect(report.text.contains("3 at a time"))
  }
}
