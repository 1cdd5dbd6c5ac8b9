import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyWeights
import Foundation
import Testing

@testable import FireflyBench
@testable import FireflyTraining

/// One at a time: the ledger is the process's.
@Suite(.serialized) struct BenchTests {
  private static let tiny = BenchShape.llama(
    "tiny", "a tiny model", [128, 192], layers: 2, heads: 4, keyValueHeads: 2, vocabulary: 300)

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

  /// The same of a preference pair whose prompt of 60 tokens is read once, and of asking the reference about it.
  @Test func aPairComputesWhatItsShapesNeed() throws {
    let rank = 16
    let model = try BenchShape.smollm2Blocks.load(compute: .float32)
    try model.attachAdapter(LoRAOptions(rank: rank, alpha: 16, dropout: 0), seed: 1)
    let tokens = (0..<59 + 31 + 51).map { Int32($0) }
    var labels = tokens
    for position in Array(0..<59) + [89, 140] { labels[position] = -1 }
    let (starts, trunks): ([Int32], [Int32]) = ([0, 59, 90, 141], [-1, 0, 0])
    let architecture = try Architecture(config: BenchShape.smollm2Blocks.config, source: "test")
    let shapes = WorkModel(
      architecture, Trainable(architecture, LoRAOptions(rank: rank)), checkpointing: false, isNF4: true)

    let step = Ledger.record {
      model.accumulateGradients(
        tokens: tokens, labels: labels, starts: starts, trunks: trunks, balanceWeight: 0,
        pass: Pass(checkpointing: false)
      ) { _ in [0, 1, -1] }
    }.record
    let work = StepWork(shapes, lengths: [90, 110], sharedTokens: 59, targets: 80, headForwards: 2)
    let unneeded = 2 * Double(tokens.count * (576 * (576 + 192 + 192) + 3 * rank * 576))
    #expect(step[.matrices].flop == work.matrices - unneeded)
    #expect(step[.attention].flop == work.attention)

    var pass = Pass.evaluation
    pass.adapters = false
    let asked = Ledger.record {
      model.loss(tokens: tokens, labels: labels, starts: starts, trunks: trunks, pass: pass)
    }.record
    let reference = StepWork(
      reading: [PassSize(lengths: [90, 110], tokens: 141, targets: 80)], shapes, usesAdapter: false)
    #expect(asked[.matrices].flop == reference.matrices)
    #expect(asked[.attention].flop == reference.attention)
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

  /// What Benchmarks/passes.md counts for a layer of this kind, of C, K and F columns: a pass more changes it.
  @Test(arguments: [DType.float32, .bfloat16], [false, true])
  func aLayerPassesOverMemoryNoOftener(_ compute: DType, _ checkpointing: Bool) throws {
    let lengths = [33, 20]
    let bytes = try [2, 3].map { layers in
      let shape = BenchShape.llama(
        "passes-\(layers)", "passes", [128, 192], layers: layers, heads: 4, keyValueHeads: 2, vocabulary: 300)
      let step = try TrainingStep(
        shape.load(compute: compute), LoRAOptions(rank: 4, alpha: 16, dropout: 0.05), lengths: lengths,
        checkpointing: checkpointing)
      return Ledger.record { step.accumulate() }.record.bytes
    }
    let (c, k, f, size) = (128, 64, 192, compute.byteCount)
    // The norms; the sums with the residual stream; what the activation gives.
    let forward = 2 * (4 + size) * c + 2 * 8 * c + size * f
    // dy rounded; the norms' gradients; z and its gradient; q and k turned back.
    let rounding = compute == .float32 ? 0 : 2 * (4 + size) * c
    let backward = rounding + 2 * 16 * c + 4 * size * f + 2 * size * (c + k)
    // What is computed again ends before the second sum with the stream.
    let layer = forward + (checkpointing ? forward - 8 * c : 0) + backward
    #expect(bytes[1] - bytes[0] == 53 * layer)
  }

  @Test func partsAddUpToTheStep() throws {
    let bench = try TrainingBench(BenchTests.tiny, TrainingBench.Workload(lengths: [40]), steps: 1)
    let parts = bench.step.parts.reduce(0) { $0 + $1.entry.seconds }
    #expect(parts > 0 && bench.step.otherSeconds >= 0)
    #expect(abs(parts + bench.step.otherSeconds - bench.step.seconds) <= 1e-9)
    #expect(bench.tokens == 40 && abs(bench.tokensPerSecond * bench.step.seconds - 40) <= 1e-9)
  }

  private static let lora = LoRAOptions(rank: 4)
  /// The last of its targets are of a layer that only the whole model has.
  private static let someLayers = LoRAOptions(
    rank: 4, targetModules: ["q_proj", "model.layers.7.self_attn.k_proj"])

  /// The time of a step, from the rates measured on it, is its time: nothing that it computes is left out.
  @Test(arguments: [(lora, false, 0.3), (someLayers, true, 1.0), (nil, false, 0.5)])
  func anEstimateOfTheMeasuredStepIsItsTime(
    _ adapter: LoRAOptions?, _ isNF4: Bool, _ targetShare: Double
  ) throws {
    let architecture = try Architecture(config: BenchTests.tiny.config, source: "test")
    let lengths = [100, 29]
    let step = PlannedStep(
      architecture: architecture, adapter: adapter, compute: .float32, isNF4: isNF4,
      checkpointing: isNF4, lengths: lengths, targetShare: targetShare)
    let model = try StepRates.model(architecture, step)
    let measured = try MeasuredStep(model, step, lengths, runs: 1)
    #expect(measured.gradients.flop == measured.work.flop)
    #expect(measured.parameters == model.parameters.reduce(0) { $0 + $1.value.count })
    let estimate = RunEstimate(
      measured.work, steps: 1, parameters: measured.parameters, StepRates(measured))
    #expect(abs(estimate.seconds - measured.seconds) <= 1e-6 * measured.seconds)
  }

  /// A head in blocks is decoded once for the logits of 250 rows and once for their gradient, where whole logits of so large a
  /// vocabulary would be held for 209.
  @Test func aLargeHeadIsDecodedOnceForManyRows() throws {
    let shape = BenchShape.llama("large", "large", [64, 96], layers: 1, heads: 2, vocabulary: 40_000)
    let architecture = try Architecture(config: shape.config, source: "test")
    let model = try Transformer.random(
      architecture, compute: .float32, quantization: .stored, blocks: [architecture.names.embedding: .q8_0],
      firstTakesInputGradient: true, on: CPU.shared)
    let training = try TrainingStep(
      model, BenchTests.lora, lengths: [250], checkpointing: true, targetShare: 1)
    #expect(training.targets > 209)
    let work = StepWork(
      WorkModel(
        architecture, model.arena.trainable, checkpointing: true, isNF4: false, decodesHead: true),
      lengths: [250], targets: training.targets)
    let record = Ledger.record { training.accumulate() }.record
    #expect(record.decodedWeights == 2 * 40_000 * 64 && work.decodedWeights == Double(record.decodedWeights))
  }

  /// A GGUF file's blocks are measured in their own formats; the head, too, is decoded for its products.
  @Test func blocksAreMeasuredAsTheyLie() throws {
    let shape = BenchShape.llama("blocks", "blocks", [256, 512], layers: 2, heads: 4, vocabulary: 300)
    let architecture = try Architecture(config: shape.config, source: "test")
    let step = PlannedStep(
      architecture: architecture, adapter: BenchTests.lora, compute: .float32, isNF4: true,
      blocks: HeldBlocks(
        linears: ["self_attn.q_proj": .q4_K, "mlp.down_proj": .q6_K],
        tables: [architecture.names.embedding: .q8_0]),
      checkpointing: true, lengths: [90, 30], targetShare: 1)
    #expect(
      step.blocks.formats(architecture) == [
        "model.layers.0.self_attn.q_proj.weight": .q4_K, "model.layers.0.mlp.down_proj.weight": .q6_K,
        "model.layers.1.self_attn.q_proj.weight": .q4_K, "model.layers.1.mlp.down_proj.weight": .q6_K,
        "model.embed_tokens.weight": .q8_0,
      ])
    let measured = try MeasuredStep(StepRates.model(architecture, step), step, step.lengths, runs: 1)
    let linears = 2 * (4 * 256 * 256 + 3 * 256 * 512)
    // Forwards, forwards again but for down, and backwards; the logits and their gradient.
    let repeated = linears - 2 * 256 * 512
    #expect(measured.work.decodedWeights == Double(2 * linears + repeated + 2 * 300 * 256))
    let decoding = measured.gradients.parts.first { $0.part == .decoding }
    #expect((decoding?.entry.seconds ?? 0) > 0)
    let estimate = RunEstimate(
      measured.work, steps: 1, parameters: measured.parameters, StepRates(measured))
    #expect(abs(estimate.seconds - measured.seconds) <= 1e-6 * measured.seconds)
  }

  /// Asking the reference comes to the whole run's time, not to a step's.
  @Test func theReferenceIsPartOfARunsTime() throws {
    let architecture = try Architecture(config: BenchTests.tiny.config, source: "test")
    let step = PlannedStep(
      architecture: architecture, adapter: BenchTests.lora, compute: .float32, isNF4: false,
      checkpointing: false, lengths: [50, 60], targetShare: 0.5)
    let measured = try MeasuredStep(StepRates.model(architecture, step), step, step.lengths, runs: 1)
    let rates = StepRates(measured)
    let alone = RunEstimate(measured.work, steps: 1, parameters: 10, rates)
    let asked = RunEstimate(measured.work, steps: 1, parameters: 10, reference: measured.work, rates)
    #expect(asked.secondsPerStep == alone.secondsPerStep)
    #expect(asked.seconds > 1.5 * alone.seconds)
  }

  @Test func aUsualMicroBatchIsCutToWhatThereIsTimeFor() {
    #expect(StepRates.cut([500, 400, 300], to: 700) == [500, 200])
    #expect(StepRates.cut([500, 400, 300], to: 5000) == [500, 400, 300])
    #expect(StepRates.cut([500, 400], to: 501) == [500])
  }

  /// Whatever the processor is, something is known of what it can do.
  @Test func everyUnitAndLevelHasARate() throws {
    #expect(SiliconUnit.fastest(.float32) != nil)
    for unit in SiliconUnit.all { #expect(unit.rate() > 1e8 && unit.rate() < 1e15) }
    let levels = MemoryLevel.measureAll()
    #expect(levels.last?.name == "memory")
    for level in levels {
      #expect(level.bytes > 0 && level.read.one > 0 && level.read.all > 0)
      #expect(level.write.one > 0 && level.write.all > 0)
    }
  }

  /// A step's rate is compared with the silicon's of the same second.
  @Test func aStepIsComparedWithTheSilicon() throws {
    let bench = try TrainingBench(BenchTests.tiny, TrainingBench.Workload(lengths: [40]), steps: 3)
    let rate = try #require(bench.step.siliconRate)
    #expect(rate > 0)
    var report = BenchReport(limits: .measure(CPU.shared))
    report.training = [bench]
    #expect(report.text.contains("of the silicon's"))
    let step = report.json["training"]?.array?.first?["step"]
    #expect(step?["silicon_flops"]?.double == rate)
    #expect(report.json["silicon"]?.array?.count == SiliconUnit.all.count)
  }

  /// Shapes of real models, with experts too: each is a configuration that is read.
  @Test(arguments: BenchShape.all.map(\.name)) func shapesAreThoseOfModels(_ name: String) throws {
    let shape = try #require(BenchShape.all.first { $0.name == name })
    let architecture = try Architecture(config: shape.config, source: name)
    #expect(architecture.layers >= 1)
    #expect(
      (architecture.experts != nil)
        == ["mixtral", "qwen1.5-moe", "qwen3-30b-a3b", "gpt-oss-20b"].contains(name))
  }

  private static let limits = MachineLimits(
    processor: "test", instructionSet: "generic", threads: 1, bfloat16Rate: (1e9, 1e9),
    float32Rate: (1e9, 1e9), readRate: (1e9, 1e9))

  @Test func attentionIsMeasuredWithAndWithoutWindow() {
    let cases = [
      AttentionBench.Case(length: 40, headDim: 16),
      AttentionBench.Case(length: 50, headDim: 16, window: 8),
    ]
    var report = BenchReport(limits: BenchTests.limits)
    report.attention = cases.map {
      AttentionBench($0, limits: BenchTests.limits, on: CPU.shared)
    }
    let written = report.json["attention"]?.array
    #expect(written?.map { $0["window"]?.int } == [nil, 8])
    #expect(written?[0]["forward_flops"]?.double == report.attention[0].forward)
    #expect(report.attention.allSatisfy { $0.forward > 0 && $0.backward > 0 })
    #expect(report.text.contains("50 tokens, head of 16, window 8"))
  }

  @Test func generationIsMeasuredForEachNumberOfRows() throws {
    let limits = BenchTests.limits
    let bench = try GenerationBench(BenchTests.tiny, limits: limits, prompt: 128, rows: [1, 3])
    #expect(bench.decoding.map(\.rows) == [1, 3])
    var report = BenchReport(limits: limits)
    report.generation = [bench]
    let decoding = report.json["generation"]?.array?.first?["decoding"]?.array
    #expect(decoding?[1]["tokens_per_second"]?.double == bench.decoding[1].tokensPerSecond)
    #expect(report.text.contains("3 at a time"))
  }
}
