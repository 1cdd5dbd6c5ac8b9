import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyText
import FireflyWeights
import Foundation
import Testing

@testable import FireflyTraining

/// Preference training of all weights, and of mixtures of experts, against TRL: Fixtures/dpo_full, made by
/// tools/reference/dpo_full_fixtures.py.
@Suite struct FullPreferenceTests {
  private static let tests = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
  private static let folder = tests.appending(path: "Fixtures/dpo_full").path()
  private static let tables = tests.appending(path: "../ModelsTests/Fixtures/tables").standardizedFileURL
    .path()

  private let fixture: JSONValue
  private let numbers: WeightStore

  init() throws {
    fixture = try JSONValue.read(Self.folder + "/case.json")
    numbers = try WeightStore.open(Self.folder + "/expected.safetensors")
  }

  private func number(_ name: String, _ parameter: Parameter) throws -> Tensor {
    try numbers.tensor("\(name).\(parameter.name)", shape: parameter.slot.shape, as: .float32)
  }

  private func batch() throws -> Batch {
    func ids(_ json: JSONValue?) throws -> [Int32] {
      try #require(json?.array).compactMap { $0.int.map(Int32.init) }
    }
    let pairs = try #require(fixture["pairs"]?.array).enumerated().map { index, row in
      let prompt = try ids(row["prompt_ids"])
      let samples = try ["chosen_ids", "rejected_ids"].map { key in
        let answer = try ids(row[key])
        return Sample(
          tokens: prompt + answer, targets: [prompt.count..<prompt.count + answer.count], line: index + 1)
      }
      return (chosen: samples[0], rejected: samples[1])
    }
    // Where routers have an auxiliary loss, a shared prompt would count once in it.
    return Batch(pairs: pairs, sharesPrompts: false)
  }

  /// The model with what is trained: all weights, or pairs on some linear layers.
  private func model(_ name: String, pairsOn targets: [String]?) throws -> Transformer {
    let base = try #require(fixture["expected"]?[name]?["model"]?.string)
    let source = try ModelSource.open((base == "mixtral" ? Self.folder : Self.tables) + "/" + base)
    guard let targets else { return try Transformer.load(source, compute: .float32, training: FullOptions()) }
    let model = try Transformer.load(source, compute: .float32, quantization: .none)
    try model.attachAdapter(
      LoRAOptions(rank: 2, alpha: 4, dropout: 0, targetModules: targets), seed: 1)
    return model
  }

  /// The policy as it begins: all weights times a number, or the pairs of the file.
  private func start(_ name: String, _ model: Transformer) throws {
    let scale = Float(try #require(fixture["scale"]?.double))
    for parameter in model.parameters {
      if model.adapterOptions == nil {
        Ops.scale(parameter.value.matrix, by: scale)
      } else {
        Ops.convert(parameter.value.matrix, try number(name + ".start", parameter).matrix)
      }
    }
    model.parametersChanged()
  }

  /// value −= rate · gradient
  private func descend(_ model: Transformer, _ rate: Float) {
    for parameter in model.parameters {
      let values = zip(parameter.value.floats, parameter.gradient.floats).map { $0 - rate * $1 }
      Ops.convert(parameter.value.matrix, Tensor(values, parameter.value.shape).matrix)
    }
    model.parametersChanged()
  }

  static let cases: [(name: String, settings: PreferenceSettings, targets: [String]?)] = [
    ("own", PreferenceSettings(), nil), ("tied", PreferenceSettings(), nil),
    ("ipo", PreferenceSettings(loss: .ipo), nil), ("rpo", PreferenceSettings(rpoAlpha: 0.7), nil),
    ("experts", PreferenceSettings(), nil),
    ("experts_pairs", PreferenceSettings(), ["q_proj", "v_proj", "o_proj"]),
  ]

  /// Losses of some steps, and of the first the metrics and every gradient.
  @Test(arguments: cases.map(\.name)) func agreesWithTRL(_ name: String) throws {
    let example = try #require(Self.cases.first { $0.name == name })
    let expected = try #require(fixture["expected"]?[name])
    let losses = try #require(expected["losses"]?.array).compactMap(\.double)
    let rate = Float(try #require(fixture["rate"]?.double))
    let model = try model(name, pairsOn: example.targets)
    let coefficient = Double(model.architecture.experts?.balance.coefficient ?? 0)
    var batch = try batch()
    batch.reference = model.loss(tokens: batch.tokens, labels: batch.labels, starts: batch.starts).sequences
      .map { -Float($0.sum) }
    try start(name, model)
    #expect(losses.count == 4)
    for (step, value) in losses.enumerated() {
      model.zeroGradients()
      let loss = try DirectPreference(example.settings).accumulateGradients(
        [batch], on: model, Pass(training: true, checkpointing: true)
      ) { _ in }
      // TRL's loss has the routers' in it.
      assertClose([loss.loss + (loss.balance ?? 0)], [value], Tolerance(relative: 2e-5), "step \(step)")
      if step == 0 { try checkFirst(loss, model, name, expected, coefficient) }
      descend(model, rate)
    }
  }

  private func checkFirst(
    _ loss: StepLoss, _ model: Transformer, _ name: String, _ expected: JSONValue, _ coefficient: Double
  ) throws {
    for (key, found) in try #require(loss.preference).scalars {
      let value = try #require(expected["metrics"]?[key]?.double)
      assertClose([found], [value], Tolerance(relative: 1e-4, absolute: 1e-5), key)
    }
    if let balance = expected["metrics"]?["aux_loss"]?.double {
      assertClose([try #require(loss.balance)], [coefficient * balance], Tolerance(relative: 1e-5), "balance")
    }
    let count = numbers.names.count { $0.hasPrefix(name + ".gradient.") }
    #expect(model.parameters.count == count && count > 0)
    for parameter in model.parameters {
      let values = try number(name + ".gradient", parameter).floats
      #expect(values.contains { $0 != 0 })
      assertClose(parameter.gradient.floats, values, .share(1e-4, ofLargest: values), parameter.name)
    }
  }
}
