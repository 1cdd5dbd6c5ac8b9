import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyText
import FireflyWeights
import Foundation
import Testing

@testable import FireflyTraining

/// Preference training against TRL: Fixtures/dpo, made by tools/reference/dpo_fixtures.py.
@Suite struct DirectPreferenceTests {
  private static let tests = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
  private static let folder = tests.appending(path: "Fixtures/dpo").path()
  private static let modelFolder = tests.appending(path: "../ModelsTests/Fixtures/gqa").standardizedFileURL
    .path()

  private let fixture: JSONValue
  private let model: Transformer

  init() throws {
    fixture = try JSONValue.read(Self.folder + "/case.json")
    model = try Transformer.load(
      ModelSource.open(Self.modelFolder), compute: .float32, quantization: .none)
    try model.loadAdapter(Self.modelFolder + "/adapter_lora")
  }

  private func pairs() throws -> [(chosen: Sample, rejected: Sample)] {
    func ids(_ json: JSONValue?) throws -> [Int32] {
      try #require(json?.array).compactMap { $0.int.map(Int32.init) }
    }
    return try #require(fixture["pairs"]?.array).enumerated().map { index, row in
      let prompt = try ids(row["prompt_ids"])
      let samples = try ["chosen_ids", "rejected_ids"].map { key in
        let answer = try ids(row[key])
        return Sample(
          tokens: prompt + answer, targets: [prompt.count..<prompt.count + answer.count], line: index + 1)
      }
      return (samples[0], samples[1])
    }
  }

  /// The batch with what the model says now: without its adapter, or with it.
  private func batch(sharesPrompts: Bool, usesAdapter: Bool) throws -> Batch {
    var batch = Batch(pairs: try pairs(), sharesPrompts: sharesPrompts)
    var pass = Pass.evaluation
    pass.adapters = usesAdapter
    batch.reference = model.loss(
      tokens: batch.tokens, labels: batch.labels, starts: batch.starts, trunks: batch.trunks, pass: pass
    ).sequences.map { -Float($0.sum) }
    return batch
  }

  static let cases: [(String, PreferenceSettings)] = [
    ("sigmoid", PreferenceSettings()),
    ("smoothed", PreferenceSettings(labelSmoothing: 0.2)),
    ("robust", PreferenceSettings(labelSmoothing: 0.1, loss: .robust)),
    ("hinge", PreferenceSettings(loss: .hinge)),
    ("ipo", PreferenceSettings(loss: .ipo)),
    ("rpo", PreferenceSettings(rpoAlpha: 0.7)),
    ("start", PreferenceSettings()),
  ]

  /// Loss, rewards, log-probabilities and every gradient, with the prompts read once and twice.
  @Test(arguments: cases.map(\.0), [true, false])
  func agreesWithTRL(_ name: String, _ sharesPrompts: Bool) throws {
    let settings = try #require(Self.cases.first { $0.0 == name }).1
    let batch = try batch(sharesPrompts: sharesPrompts, usesAdapter: name == "start")
    #expect(batch.trunks.isEmpty == !sharesPrompts)
    if name == "start" {
      for parameter in model.parameters { Ops.scale(parameter.value.matrix, by: 1.5) }
      model.parametersChanged()
    }
    model.zeroGradients()
    let loss = try DirectPreference(settings).accumulateGradients(
      [batch], on: model, Pass(training: true, checkpointing: true)
    ) { _ in }

    let expected = try #require(fixture["expected"]?[name])
    let value = try #require(expected["loss"]?.double)
    assertClose([loss.loss], [value], Tolerance(relative: 1e-5), "loss")
    for (key, found) in try #require(loss.preference).scalars {
      let value = try #require(expected["metrics"]?[key]?.double)
      assertClose([found], [value], Tolerance(relative: 1e-4, absolute: 1e-5), key)
    }
    let gradients = try WeightStore.open(Self.folder + "/expected.safetensors")
    #expect(model.parameters.count == 28)
    for parameter in model.parameters {
      let expected = try gradients.tensor(
        "\(name).\(parameter.name)", shape: parameter.slot.shape, as: .float32
      ).floats
      #expect(expected.contains { $0 != 0 })
      assertClose(
        parameter.gradient.floats, expected, .share(1e-4, ofLargest: expected), parameter.name)
    }
  }

  /// The mean over micro-batches of each one's mean over pairs.
  @Test func aStepIsAMean() throws {
    let pairs = try pairs()
    let together = try batch(sharesPrompts: true, usesAdapter: false)
    var parts = pairs.map { Batch(pairs: [$0], sharesPrompts: true) }
    for (index, pair) in together.pairs.enumerated() {
      parts[index].reference = [0, together.reference[pair.chosen], together.reference[pair.rejected]]
    }
    func step(_ batches: [Batch]) throws -> (loss: StepLoss, gradients: [Float]) {
      model.zeroGradients()
      let loss = try DirectPreference(PreferenceSettings()).accumulateGradients(
        batches, on: model, Pass(training: true)
      ) { _ in }
      return (loss, model.arena.gradients.floats)
    }
    let (one, two) = (try step([together]), try step(parts))
    assertClose([two.loss.loss], [one.loss.loss], Tolerance(relative: 1e-6))
    assertClose(two.gradients, one.gradients, .share(1e-5, ofLargest: one.gradients))
    assertClose(
      try #require(two.loss.preference).scalars.map(\.value),
      try #require(one.loss.preference).scalars.map(\.value), Tolerance(relative: 1e-5, absolute: 1e-6))
  }

  /// Derivatives against differences, and limits that must not overflow.
  @Test(arguments: cases.map(\.0)) func derivatives(_ name: String) throws {
    let settings = try #require(Self.cases.first { $0.0 == name }).1
    func loss(_ chosen: Double, _ rejected: Double) -> PreferenceLoss {
      PreferenceLoss(
        AnswerScore(policy: chosen, reference: -20, tokens: 7),
        AnswerScore(policy: rejected, reference: -31, tokens: 4), settings)
    }
    let step = 1e-4
    for (chosen, rejected) in [(-18.0, -33.0), (-25.0, -30.0), (-20.0, -31.0)] {
      let here = loss(chosen, rejected)
      let byChosen = (loss(chosen + step, rejected).value - loss(chosen - step, rejected).value) / (2 * step)
      let byRejected =
        (loss(chosen, rejected + step).value - loss(chosen, rejected - step).value) / (2 * step)
      assertClose(
        [here.byChosen, here.byRejected], [byChosen, byRejected], Tolerance(relative: 1e-5, absolute: 1e-7))
    }
    for extreme in [loss(-1e5, 0), loss(0, -1e5)] {
      #expect(extreme.value.isFinite && extreme.byChosen.isFinite && extreme.byRejected.isFinite)
    }
  }
}
