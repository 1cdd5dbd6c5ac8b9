import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyWeights
import Foundation
import Testing

/// One folder of Fixtures/: a tiny model, three rows, and what a reference computes for them.
struct ModelFixture {
  let folder: String
  let tokens: [Int32]
  let labels: [Int32]
  let starts: [Int32]
  let targets: Int
  let lossSums: [String: Double]
  /// The routers' auxiliary loss; empty for models without routers.
  let balanceLosses: [String: Double]
  let expected: WeightStore

  static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures").path()
  /// One folder a family beside LLaMA: `families/NAME`.
  static let families: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root + "/families")) ?? []
    return names.sorted().map { "families/" + $0 }
  }()

  /// Those with experts: a router's near tie falls one way or the other by the last bits of its input.
  static let routed = families.filter { name in
    let file = try? JSONValue.read(root + "/" + name + "/case.json")
    return file?["balance_losses"] != nil
  }

  init(_ name: String) throws {
    folder = ModelFixture.root + "/" + name
    let file = try JSONValue.read(folder + "/case.json")
    func ids(_ key: String) -> [Int32] { file[key]?.array?.compactMap { $0.int.map(Int32.init) } ?? [] }
    tokens = ids("tokens")
    labels = ids("labels")
    starts = ids("starts")
    targets = try #require(file["targets"]?.int)
    lossSums = try #require(file["loss_sums"]?.object).compactMapValues(\.double)
    balanceLosses = file["balance_losses"]?.object?.compactMapValues(\.double) ?? [:]
    expected = try WeightStore.open(folder + "/expected.safetensors")
  }

  /// The model; `variant` is base, lora, rslora, or nf4: `lora` on the base in NF4.
  func model(_ variant: String = "base", compute: DType = .float32, device: any Device = CPU.shared) throws
    -> Transformer
  {
    let quantization: Quantization = variant == "nf4" ? .nf4(double: true) : .none
    let model = try Transformer.load(
      ModelSource.open(folder), compute: compute, quantization: quantization, device: device)
    if variant != "base" {
      try model.loadAdapter(folder + "/adapter_" + (variant == "nf4" ? "lora" : variant))
    }
    return model
  }

  /// `body` with the model of this folder under a config.json with `changes`, and its adapter.
  func with<Result>(_ changes: [String: JSONValue], _ body: (Transformer) throws -> Result) throws -> Result {
    try withFolder(changes) { copy in
      let model = try Transformer.load(ModelSource.open(copy), compute: .float32, quantization: .none)
      try model.loadAdapter(folder + "/adapter_lora")
      return try body(model)
    }
  }

  /// `body` with a folder of the same weights under a config.json with `changes`.
  func withFolder<Result>(_ changes: [String: JSONValue], _ body: (String) throws -> Result) throws -> Result
  {
    let copy = NSTemporaryDirectory() + "firefly-model-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: copy) }
    try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
    let file = "/model.safetensors"
    try FileManager.default.createSymbolicLink(atPath: copy + file, withDestinationPath: folder + file)
    let config = try #require(JSONValue.read(folder + "/config.json").object)
    let changed = JSONValue.object(config.merging(changes) { $1 })
    try changed.text().write(toFile: copy + "/config.json", atomically: true, encoding: .utf8)
    return try body(copy)
  }

  func tensor(_ name: String) throws -> [Float] {
    let info = try #require(expected.info(name))
    return try expected.tensor(name, shape: info.shape, as: .float32).floats
  }

  /// Gradients that the file holds for `variant`, by the parameter's name.
  func gradients(_ variant: String) throws -> [String: [Float]] {
    let prefix = variant + ".gradient."
    let names = expected.names.filter { $0.hasPrefix(prefix) }
    return try Dictionary(
      uniqueKeysWithValues: names.map { (String($0.dropFirst(prefix.count)), try tensor($0)) })
  }

  /// Gradients of all weights, by the weight's name; the file holds them times 1024.
  func fullGradients() throws -> [String: [Float]] {
    try gradients("full").mapValues { $0.map { $0 / 1024 } }
  }

  /// One pass over the fixture's rows; returns the loss.
  func accumulate(_ model: Transformer, pass: Pass = Pass(training: false)) -> LossSum {
    model.accumulateGradients(
      tokens: tokens, labels: labels, starts: starts,
      weights: [Float](repeating: 1 / Float(targets), count: tokens.count), pass: pass
    ).total
  }
}
