import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Testing

/// Nothing above the operations touches a tensor's memory, or depends on where it lies.
@Suite struct DeviceTests {
  /// What two optimizer steps and an answer give.
  struct Outcome: Equatable {
    var losses: [LossSum] = []
    var gradients: [[Float]] = []
    var values: [[Float]] = []
    var logits: [Float] = []
    var scores: [TargetScore] = []
  }

  /// In float32 every family; in bfloat16 on NF4 one of each kind of block.
  static let cases: [(String, DType, Quantization)] =
    (["gqa", "biased_tied", "gqa_nf4"] + ModelFixture.families).map { ($0, .float32, .none) }
    + ["gqa", "families/bloom", "families/minicpm3", "families/qwen2_moe"].map {
      ($0, .bfloat16, .nf4(double: true))
    }

  @Test(arguments: cases)
  func anotherDeviceTrainsAndAnswersBitForBit(_ name: String, _ compute: DType, _ quantization: Quantization)
    throws
  {
    let fixture = try ModelFixture(name)
    let expected = try outcome(fixture, compute, quantization, on: CPU.shared)
    let found = try outcome(fixture, compute, quantization, on: FencedDevice())
    #expect(found == expected)
    #expect(
      expected.losses.allSatisfy { $0.sum.isFinite }
        && expected.gradients.contains { $0.contains { $0 != 0 } })
  }

  /// The model's own weights, of every family; in bfloat16, gradients too.
  @Test(
    arguments: (["biased_tied"] + ModelFixture.families).map { ($0, DType.float32) }
      + ["families/bloom", "families/baichuan2_7b", "families/qwen2_moe"].map { ($0, .bfloat16) })
  func anotherDeviceTrainsAllWeightsBitForBit(_ name: String, _ type: DType) throws {
    let fixture = try ModelFixture(name)
    func outcome(on device: any Device) throws -> Outcome {
      try self.outcome(
        fixture,
        Transformer.load(
          ModelSource.open(fixture.folder), compute: type, training: FullOptions(),
          memory: ArenaMemory(gradients: type), device: device), on: device)
    }
    #expect(try outcome(on: FencedDevice()) == outcome(on: CPU.shared))
  }

  private func outcome(
    _ fixture: ModelFixture, _ compute: DType, _ quantization: Quantization, on device: any Device
  ) throws -> Outcome {
    let model = try Transformer.load(
      ModelSource.open(fixture.folder), compute: compute, quantization: quantization, device: device)
    try model.attachAdapter(LoRAOptions(rank: 4, alpha: 8, dropout: 0.1), seed: 7)
    return outcome(fixture, model, on: device)
  }

  private func outcome(_ fixture: ModelFixture, _ model: Transformer, on device: any Device) -> Outcome {
    var outcome = Outcome()
    for step in 1...2 {
      model.zeroGradients()
      let pass = Pass(seed: 3, step: UInt64(step), microBatch: 0, training: true, checkpointing: step == 1)
      outcome.losses.append(fixture.accumulate(model, pass: pass))
      outcome.gradients += model.parameters.map { $0.gradient.inType(.float32).floats }
      update(model, step: step, on: device)
    }
    outcome.values = model.parameters.map(\.value.floats)
    outcome.scores = model.scores(tokens: fixture.tokens, labels: fixture.labels, starts: fixture.starts)
    let cache = model.makeCache(capacity: 8)
    _ = model.step([(cache, Array(fixture.tokens[..<5]))])
    let other = model.makeCache(capacity: 8)
    _ = model.step([(other, Array(fixture.tokens[..<3]))])
    outcome.logits = model.step([(cache, [fixture.tokens[5]]), (other, [fixture.tokens[3]])]).floats
    return outcome
  }

  private func update(_ model: Transformer, step: Int, on device: any Device) {
    for parameter in model.parameters {
      let m = Tensor.zeros(parameter.value.shape, .float32, on: device)
      let v = Tensor.zeros(parameter.value.shape, .float32, on: device)
      Ops.adamW(
        value: parameter.value, gradient: parameter.gradient.inType(.float32), m: m, v: v, learningRate: 1e-2,
        beta1: 0.9,
        beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, step: step)
    }
    model.parametersChanged()
  }
}
