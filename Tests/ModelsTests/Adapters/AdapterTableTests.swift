import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// Adapters whose base has another embedding and head than its files, against PEFT: Fixtures/tables, made by
/// tools/reference/table_fixtures.py.
@Suite struct AdapterTableTests {
  private static let folder = ModelFixture.root + "/tables"
  private static let file = try? JSONValue.read(folder + "/cases.json")
  static let cases = (file?["cases"]?.object ?? [:]).keys.sorted()
  private static let tolerance = Tolerance(absolute: 1e-4)

  private let expected: WeightStore

  init() throws {
    #expect(Self.cases.count == 15)
    expected = try WeightStore.open(Self.folder + "/expected.safetensors")
  }

  private struct Case {
    let base: String
    let adapter: String
    let tokens: [Int32]
    let rows: Int
    let losses: [Double]

    var starts: [Int32] { [0, Int32(tokens.count)] }
    var labels: [Int32] { tokens.dropFirst() + [-1] }

    init(_ name: String) throws {
      let json = try #require(AdapterTableTests.file?["cases"]?[name])
      base = AdapterTableTests.folder + "/base_" + (try #require(json["base"]?.string))
      adapter = AdapterTableTests.folder + "/" + name
      tokens = try #require(json["tokens"]?.array).compactMap { $0.int.map(Int32.init) }
      rows = try #require(json["rows"]?.int)
      losses = (json["losses"]?.array ?? []).compactMap(\.double)
    }

    /// The base opened for the adapter of a folder, and the adapter on it.
    func model(_ adapter: String? = nil) throws -> Transformer {
      let file = try AdapterFile(adapter ?? self.adapter)
      let model = try Transformer.load(
        ModelSource.open(base).adapted(to: file), compute: .float32, quantization: .none)
      try model.loadAdapter(file, onOwnBase: true)
      return model
    }

    func logits(_ model: Transformer) -> [Float] { model.logits(tokens: tokens, starts: starts).floats }
  }

  /// value −= rate · gradient
  private func descend(_ parameter: Parameter, _ rate: Float) {
    let values = zip(parameter.value.floats, parameter.gradient.floats).map { $0 - rate * $1 }
    Ops.convert(parameter.value.matrix, Tensor(values, parameter.value.shape).matrix)
  }

  private func values(_ name: String) throws -> [Float] {
    try expected.tensor(name, shape: expected.shape(of: name), as: .float32).floats
  }

  @Test(arguments: cases) func answersAsWithPEFT(_ name: String) throws {
    let example = try Case(name)
    let model = try example.model()
    #expect(model.architecture.vocabularySize == example.rows)
    assertClose(example.logits(model), try values(name + ".logits"), Self.tolerance)
  }

  /// Gradients of all that is trained, and the losses of steps of plain gradient descent.
  @Test(arguments: cases.filter { !$0.contains("tokens") }) func trainsAsPEFT(_ name: String) throws {
    let example = try Case(name)
    let model = try example.model()
    let rate = Float(try #require(Self.file?["rate"]?.double))
    let weights = [Float](repeating: 1 / Float(example.tokens.count - 1), count: example.tokens.count)
    let gradients = expected.names.filter { $0.hasPrefix(name + ".gradient.") }
    #expect(gradients.count == model.parameters.count)
    #expect(example.losses.count == 4)
    for (step, value) in example.losses.enumerated() {
      model.zeroGradients()
      let loss = model.accumulateGradients(
        tokens: example.tokens, labels: example.labels, starts: example.starts, weights: weights,
        pass: Pass(training: true))
      assertClose(
        [loss.total.sum / Double(loss.total.count)], [value], Tolerance(relative: 1e-4), "step \(step)")
      for parameter in model.parameters {
        if step == 0 {
          let values = try values("\(name).gradient.\(parameter.name)")
          assertClose(parameter.gradient.floats, values, .share(1e-4, ofLargest: values), parameter.name)
        }
        descend(parameter, rate)
      }
      model.parametersChanged()
    }
  }

  /// What is written can be read on the model as its files are, with the tables that are not its own.
  @Test(arguments: cases.filter { !$0.contains("tokens") }) func isWrittenWithItsTables(_ name: String) throws
  {
    let example = try Case(name)
    let source = try ModelSource.open(example.base).adapted(to: AdapterFile(example.adapter))
    let model = try example.model()
    let folder = try TemporaryFolder()
    try model.saveAdapter(
      to: folder.path, baseModel: example.base, tables: source.tables(beside: model.arena.trainable))
    #expect(try example.logits(example.model(folder.path)) == example.logits(model))
  }

  /// Nothing is read wrongly where the model was not opened for the adapter.
  @Test(arguments: cases) func theModelHasToBeOpenedForIt(_ name: String) throws {
    let example = try Case(name)
    let model = try Transformer.load(ModelSource.open(example.base), compute: .float32, quantization: .none)
    let error = #expect(throws: FireflyError.self) { try model.loadAdapter(example.adapter) }
    #expect(error?.what.contains("other tables") == true && error?.place == example.adapter)
  }

  /// transformers draws them around the mean with a variance of 10⁻⁹.
  @Test(arguments: ["own_rows", "tied_rows"]) func newRowsAreTheMean(_ name: String) throws {
    let source = try ModelSource.open(Case(name).base).grown(to: 27)
    let architecture = try Architecture.read(source).architecture
    #expect(architecture.vocabularySize == 27)
    let table = try source.weights.tensor(architecture.names.embedding, shape: [27, 16], as: .float32)
    assertClose(Array(table.floats.suffix(3 * 16)), try values(name + ".rows"), Tolerance(absolute: 1e-4))
    #expect(try source.grown(to: 20).config == source.config)
  }

  @Test(arguments: cases) func someRowsAreThoseOfTheWhole(_ name: String) throws {
    let example = try Case(name)
    let weights = try ModelSource.open(example.base).adapted(to: AdapterFile(example.adapter)).weights
    for name in weights.tensorNames {
      let shape = try weights.shape(of: name)
      let whole = try weights.tensor(name, shape: shape, as: .float32)
      for rows in try weights.strips(of: name, elements: 5 * 16) {
        let strip = try weights.tensor(name, shape: shape, rows: rows, as: .float32)
        #expect(strip.floats == whole.slice(rows).floats, "\(name) \(rows)")
      }
    }
    let table = weights.tensorNames.first { $0.contains("embed") } ?? ""
    #expect(try weights.strips(of: table, elements: 5 * 16).count >= 5)
  }

  @Test func aHeadOfItsOwnBeginsAsTheEmbedding() throws {
    let source = try ModelSource.open(Self.folder + "/base_tied").untied()
    let architecture = try Architecture.read(source).architecture
    #expect(!architecture.tiedHead && source.config["tie_word_embeddings"] == .bool(false))
    let model = try Transformer.load(source, compute: .float32, quantization: .none)
    let tied = try Transformer.load(
      ModelSource.open(Self.folder + "/base_tied"), compute: .float32, quantization: .none)
    let tokens: [Int32] = [1, 5, 9]
    #expect(
      model.logits(tokens: tokens, starts: [0, 3]).floats
        == tied.logits(tokens: tokens, starts: [0, 3]).floats)
  }

  @Test func whatIsNoTableIsRefused() throws {
    let folder = try TemporaryFolder()
    let config = Self.folder + "/own_rows/adapter_config.json"
    try FileManager.default.copyItem(atPath: config, toPath: folder.path + "/adapter_config.json")
    func error(_ names: [String: [Int]]) throws -> FireflyError? {
      let tensors = names.map { (name: "base_model.model." + $0, tensor: Tensor.zeros($1, .float32)) }
      try SafeTensorsWriter.write(tensors, to: folder.path + "/adapter_model.safetensors")
      return #expect(throws: FireflyError.self) {
        try ModelSource.open(Self.folder + "/base_own").adapted(to: AdapterFile(folder.path))
      }
    }
    #expect(try error(["model.norm.weight": [16]])?.what == "unsupported tensor in an adapter")
    let pair = [
      "model.embed_tokens.lora_embedding_A": [2, 24], "model.embed_tokens.lora_embedding_B": [16, 2],
    ]
    #expect(try error(pair)?.what.contains("embedding's low-rank pair") == true)
    let rows = ["model.embed_tokens.weight": [27, 16], "lm_head.weight": [26, 16]]
    #expect(try error(rows)?.what.contains("differ in their rows") == true)
  }
}
