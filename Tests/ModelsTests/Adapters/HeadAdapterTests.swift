import FireflyBase
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

@testable import FireflyModels

/// A low-rank pair on the head, against PEFT (tools/reference/adapter_fixtures.py).
@Suite struct HeadAdapterTests {
  private static let folder = ModelFixture.root + "/adapters"

  /// Puts the fixture's adapter on the model.
  private func load(into model: Transformer) throws {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(
      atPath: Self.folder + "/head.safetensors", toPath: folder.path + "/adapter_model.safetensors")
    let file = try JSONValue.read(Self.folder + "/cases.json")
    let config = (file["config"]?.object ?? [:]).merging([
      "target_modules": .array([.string("q_proj"), .string("lm_head")])
    ]) { $1 }
    try folder.write(JSONValue.object(config).text(), to: "adapter_config.json")
    try model.loadAdapter(folder.path)
  }

  @Test(arguments: [true, false])
  func gradientsArePEFTs(_ checkpointing: Bool) throws {
    let fixture = try ModelFixture("gqa")
    let model = try fixture.model()
    try load(into: model)
    let expected = try WeightStore.open(Self.folder + "/expected.safetensors")
    let weights = [Float](repeating: 1 / Float(fixture.targets), count: fixture.labels.count)
    model.zeroGradients()
    _ = model.accumulateGradients(
      tokens: fixture.tokens, labels: fixture.labels, starts: fixture.starts, weights: weights,
      pass: Pass(checkpointing: checkpointing))
    #expect(model.parameters.count == 2 * 3)
    for parameter in model.parameters {
      let name = "head.gradient.\(parameter.name)"
      let gradient = try expected.tensor(name, shape: parameter.slot.shape, as: .float32).floats
      let largest = gradient.reduce(0) { max($0, abs($1)) }
      #expect(largest > 0)
      assertClose(parameter.gradient.floats, gradient, Tolerance(absolute: 1e-4 * largest))
    }
  }

  /// Step by step it answers as all at once, whatever runs beside it.
  @Test func generationAgrees() throws {
    let fixture = try ModelFixture("gqa")
    let model = try fixture.model()
    try load(into: model)
    let tokens = Array(fixture.tokens.prefix(9))
    let whole = model.logits(tokens: tokens, starts: [0, 9])
    let (cache, other) = (model.makeCache(capacity: 16), model.makeCache(capacity: 16))
    _ = model.step([(cache, Array(tokens.prefix(8)))])
    _ = model.step([(other, Array(tokens.prefix(3)))])
    let together = model.step([(cache, [tokens[8]]), (other, [tokens[3]])])
    assertClose(together.slice(0..<1).floats, whole.slice(8..<9).floats, Tolerance(absolute: 1e-4))
    assertClose(together.slice(1..<2).floats, whole.slice(3..<4).floats, Tolerance(absolute: 1e-4))
    #expect(model.scores(tokens: tokens, labels: tokens, starts: [0, 9]).count == 9)
    let base = try fixture.model()
    #expect(base.logits(tokens: tokens, starts: [0, 9]).floats != whole.floats)
    let plain = model.logits(
      tokens: tokens, starts: [0, 9], pass: Pass(training: false, checkpointing: false, adapters: false))
    #expect(plain.floats == base.logits(tokens: tokens, starts: [0, 9]).floats)
  }

  @Test func isTrainedWhereItIsNamed() throws {
    let fixture = try ModelFixture("gqa")
    let model = try fixture.model()
    try model.attachAdapter(LoRAOptions(rank: 2), seed: 1)
    #expect(!model.parameters.contains { $0.name.contains("lm_head") })
    try model.attachAdapter(LoRAOptions(rank: 2, dropout: 0.5, targetModules: ["lm_head"]), seed: 1)
    #expect(model.parameters.map(\.slot.shape) == [[2, 64], [211, 2]])
    // B is zero: only it has a gradient, and with half of the input dropped another at each step.
    let gradients = [UInt64(0), 1, 1].map { step in
      model.zeroGradients()
      _ = model.accumulateGradients(
        tokens: fixture.tokens, labels: fixture.labels, starts: fixture.starts,
        weights: fixture.labels.map { _ in 1 }, pass: Pass(step: step))
      return model.parameters.map(\.gradient.floats)
    }
    #expect(gradients[0][0].allSatisfy { $0 == 0 } && gradients[0][1].contains { $0 != 0 })
    #expect(gradients[0] != gradients[1] && gradients[1] == gradients[2])
  }

  @Test func aHeadThatIsNoLinearLayerIsNamed() throws {
    let model = try ModelFixture("families/baichuan2_7b").model()
    let error = #expect(throws: FireflyError.self) { try load(into: model) }
    #expect(error?.description.contains("lm_head") == true)
  }
}
