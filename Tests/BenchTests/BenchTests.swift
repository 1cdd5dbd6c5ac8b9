import FireflyBase
import FireflyBench
import FireflyModels
import FireflyTensors
import FireflyTraining
import FireflyWeights
import Foundation
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

  /// Values of another size than keys, and projections of short vectors.
  @Test(arguments: [false, true])
  func latentAttentionComputesWhatItsShapesNeed(_ checkpointing: Bool) throws {
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path()
    let source = try ModelSource.open(tests + "ModelsTests/Fixtures/families/minicpm3")
    let model = try Transformer.load(source, compute: .float32, quantization: .none)
    let (rank, lengths) = (4, [40, 9])
    try model.attachAdapter(LoRAOptions(rank: rank), seed: 1)
    let work = StepWork(
      WorkModel(
        model.architecture, Trainable(model.architecture, LoRAOptions(rank: rank)),
        checkpointing: checkpointing, isNF4: false),
      lengths: lengths, targets: 49)

    let tokens = (0..<49).map { Int32($0) }
    let record = Ledger.record {
      _ = model.accumulateGradients(
        tokens: tokens, labels: tokens, starts: [0, 40, 49], weights: [Float](repeating: 1, count: 49),
        pass: Pass(training: false, checkpointing: checkpointing))
    }.record
    // The first block passes no gradient on through what reads its input, nor through their adapters.
    let unneeded = 2 * Double(49 * (48 * (32 + 16 + 8) + 2 * rank * 48))
    #expect(record[.attention].flop == work.attention)
    #expect(record[.matrices].flop == work.matrices - unneeded)
  }

  @Test func partsAddUpToTheStep() throws {
    let bench = try TrainingBench(BenchTests.tiny, TrainingBench.Workload(lengths: [40]), steps: 1)
    let parts = bench.step.parts.reduce(0) { $0 + $1.entry.seconds }
    #expect(parts > 0 && bench.step.otherSeconds >= 0)
    #expect(abs(parts + bench.step.otherSeconds - bench.step.seconds) <= 1e-9)
    #expect(bench.tokens == 40 && abs(bench.tokensPerSecond * bench.step.seconds - 40) <= 1e-9)
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
