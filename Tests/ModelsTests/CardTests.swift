import FireflyBase
import FireflyCards
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Testing

/// Every family on the emulated card: training an adapter and answers as on the processor; and one of each kind of block
/// with all its weights, and against the references.
@Suite struct CardTests {
  /// AdamW's first steps are ±1 wherever a gradient is not 0: a large ε keeps the noise of tiny gradients small.
  private static let epsilon = 0.1

  @Test(arguments: ["gqa", "biased_tied", "gqa_nf4"] + ModelFixture.families)
  func trainsAndAnswersAsTheProcessorDoes(_ name: String) throws {
    let fixture = try ModelFixture(name)
    func outcome(on device: any Device) throws -> DeviceOutcome {
      try DeviceOutcome(fixture, .float32, .none, epsilon: Self.epsilon, on: device)
    }
    expectNear(try outcome(on: CardDevice.emulated()), try outcome(on: CPU.shared))
  }

  @Test(arguments: ["biased_tied", "families/bloom", "families/baichuan2_7b", "families/qwen2_moe"])
  func trainsAllWeightsAsTheProcessorDoes(_ name: String) throws {
    let fixture = try ModelFixture(name)
    func outcome(on device: any Device) throws -> DeviceOutcome {
      try DeviceOutcome(trainingAllOf: fixture, .float32, epsilon: Self.epsilon, on: device)
    }
    expectNear(try outcome(on: CardDevice.emulated(order: 9)), try outcome(on: CPU.shared))
  }

  /// One of each kind of block in float16, on a card that has no bfloat16; and by tensor cores.
  @Test(
    arguments: [
      "gqa", "gqa_nf4", "families/bloom", "families/minicpm3", "families/qwen2_moe", "families/gemma2",
    ].map { ($0, false) } + [("gqa", true), ("families/bloom", true)])
  func float16IsNearFloat32(_ name: String, _ hasTiles: Bool) throws {
    let fixture = try ModelFixture(name)
    let found = try DeviceOutcome(
      fixture, .float16, .none, epsilon: Self.epsilon, on: CardDevice.emulated(order: 4, bfloat16: hasTiles))
    let expected = try DeviceOutcome(fixture, .float32, .none, epsilon: Self.epsilon, on: CPU.shared)
    assertClose(found.losses.map(\.sum), expected.losses.map(\.sum), Tolerance(relative: 2e-3), "losses")
    for (i, (a, b)) in zip(found.gradients, expected.gradients).enumerated() {
      assertClose(a, b, .share(3e-2, ofLargest: b), "gradient \(i)")
    }
    assertClose(found.logits, expected.logits, .share(1e-2, ofLargest: expected.logits), "logits")
  }

  /// A launch takes a card's time whatever it computes: a token of an answer takes eleven for a block; the ends
  /// of the model take four, and as many copies.
  @Test(arguments: [Quantization.none, .nf4(double: true)])
  func launchesOfAToken(_ quantization: Quantization) throws {
    let fixture = try ModelFixture("gqa")
    let (device, counts) = CardDevice.emulatedAndCounted()
    let model = try Transformer.load(
      ModelSource.open(fixture.folder), compute: .bfloat16, quantization: quantization, device: device)
    let cache = model.makeCache(capacity: 8)
    _ = model.step([(cache, Array(fixture.tokens[..<3]))])
    let before = counts()
    _ = model.step([(cache, [fixture.tokens[3]])])
    let (layers, after) = (model.architecture.layers, counts())
    #expect(after.launches - before.launches == 11 * layers + 4)
    #expect(after.uploads - before.uploads == 4)
  }

  private func expectNear(_ found: DeviceOutcome, _ expected: DeviceOutcome) {
    assertClose(found.losses.map(\.sum), expected.losses.map(\.sum), Tolerance(relative: 1e-5), "losses")
    #expect(found.losses.map(\.count) == expected.losses.map(\.count))
    assertClose(
      found.losses.map(\.balance), expected.losses.map(\.balance), Tolerance(relative: 1e-4), "balance")
    #expect(found.gradients.count == expected.gradients.count)
    for (i, (a, b)) in zip(found.gradients, expected.gradients).enumerated() {
      assertClose(a, b, .share(1e-3, ofLargest: b), "gradient \(i)")
    }
    for (i, (a, b)) in zip(found.values, expected.values).enumerated() {
      assertClose(a, b, Tolerance(absolute: 1e-4), "value \(i)")
    }
    assertClose(found.logits, expected.logits, .share(1e-3, ofLargest: expected.logits), "logits")
    assertClose(
      found.scores.map { Float($0.loss) }, expected.scores.map { Float($0.loss) }, Tolerance(absolute: 1e-3))
    #expect(found.scores.map(\.isBest) == expected.scores.map(\.isBest))
  }

  /// Logits and adapter gradients against transformers, PEFT and bitsandbytes.
  @Test(arguments: [
    ("gqa", "lora"), ("families/bloom", "nf4"), ("families/minicpm3", "nf4"), ("families/mixtral", "lora"),
  ]) func agreesWithTheReference(_ name: String, _ variant: String)
    throws
  {
    let fixture = try ModelFixture(name)
    let model = try fixture.model(variant, device: CardDevice.emulated(order: 1, pooling: true))
    let logits = model.logits(tokens: fixture.tokens, starts: fixture.starts)
    assertClose(logits.floats, try fixture.tensor(variant + ".logits"), Tolerance(absolute: 1e-4))
    let loss = fixture.accumulate(model)
    let expectedLoss = try #require(fixture.lossSums[variant])
    #expect(abs(loss.sum - expectedLoss) <= 1e-4 * expectedLoss)
    let gradients = Dictionary(uniqueKeysWithValues: model.parameters.map { ($0.name, $0.gradient.floats) })
    for (name, values) in try fixture.gradients(variant) {
      assertClose(try #require(gradients[name]), values, .share(1e-3, ofLargest: values), "\(name)")
    }
  }
}
