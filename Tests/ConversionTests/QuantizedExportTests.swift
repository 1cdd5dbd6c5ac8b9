import FireflyBase
import FireflyConversion
import FireflyHub
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// Blocks and mixtures as llama.cpp's quantiser makes them: tools/reference/quantize_fixtures.py has run it.
@Suite struct QuantizedExportTests {
  private static let folder = Fixtures.tests + "ConversionTests/Fixtures/quantized"

  // MARK: - Blocks

  @Test(arguments: BlockFormat.allCases, [false, true])
  func blocksAreLlamaCpps(_ format: BlockFormat, isWeighed: Bool) throws {
    let store = try WeightStore.open(Self.folder + "/blocks.safetensors")
    let x = try store.tensor("x", shape: store.shape(of: "x"), as: .float32)
    let importance = try store.tensor("importance", shape: [x.columns], as: .float32)
    let name = "\(format)".uppercased() + (isWeighed ? ".weighed" : "")
    let expected = try store.tensor(name, shape: store.shape(of: name), as: .uint8)
    let found = format.encode(x, importance: isWeighed ? importance : nil)
    let first = zip(bytes(found), bytes(expected)).enumerated().first { $1.0 != $1.1 }?.offset
    #expect(found.count == expected.count && first == nil, "\(name): byte \(first ?? -1) differs")
  }

  /// A weight's importance decides which of its block's numbers are met best.
  @Test func importantColumnsAreMetBetter() throws {
    let x = Tensor.random([32, 256], .float32, seed: 5)
    let weights = (0..<256).map { Float($0 % 16 == 3 ? 100 : 0.01) }
    func error(_ importance: Tensor?) -> Float {
      let decoded = Tensor(x.shape, .float32)
      BlockFormat.q4_K.decode(BlockFormat.q4_K.encode(x, importance: importance), into: decoded)
      return zip(x.floats, decoded.floats).enumerated().reduce(0) { sum, pair in
        let difference = pair.element.0 - pair.element.1
        return pair.offset % 16 == 3 ? sum + difference * difference : sum
      }
    }
    #expect(error(Tensor(weights, [256])) < 0.5 * error(nil))
  }

  /// Rows are converted a few at a time, and split over threads.
  @Test(arguments: [DType.bfloat16, .float16]) func halvesAreQuantisedAsTheirNumbers(_ dtype: DType) {
    let x = Tensor.random([300, 512], .float32, seed: 6).converted(to: dtype)
    for format in [BlockFormat.q6_K, .q5_0] {
      #expect(bytes(format.encode(x)) == bytes(format.encode(x.converted(to: .float32))))
    }
  }

  // MARK: - Mixtures

  private static let models = try? JSONValue.read(folder + "/models.json")

  @Test(arguments: ["untied", "tied", "narrow"]) func everyTensorIsLlamaCpps(_ name: String) throws {
    let model = try #require(Self.models?[name])
    let runs = try #require(model["types"]?.object)
    #expect(runs.count == 21)
    try inTemporaryFolder { folder in
      try write(model, to: folder + "/model")
      let pretrained = try Pretrained.open(folder + "/model")
      for (run, expected) in runs {
        let type = try #require(GGUFType(rawValue: String(run.prefix { $0 != " " })))
        let importance = run.hasSuffix("weighed") ? try importance(model, pretrained.source.weights) : nil
        let path = "\(folder)/\(run).gguf"
        try GGUFExporter(pretrained, type: type, importance: importance).write(to: path)
        #expect(try stored(path) == expected.object?.compactMapValues(\.string), "\(name) as \(run)")
      }
    }
  }

  /// Each tensor's type and the start of its bytes' SHA-256.
  private func stored(_ path: String) throws -> [String: String] {
    let file = try MappedFile(path)
    return try GGUFFile(path).tensors.reduce(into: [:]) { all, tensor in
      let digest = Digest()
      digest.add(UnsafeRawBufferPointer(rebasing: file.bytes[tensor.range]))
      all[tensor.name] = "\(tensor.type) \(digest.finish().prefix(16))"
    }
  }

  /// The tensors' names and where they stand among GGUF's sorted names.
  private func seeds(_ model: JSONValue) throws -> [String: Int] {
    let names = try #require(GGUFArchitecture.of(modelType: "llama")?.tensors)
    let layers = try #require(model["layers"]?.int)
    let perLayer = [
      "attn_norm", "ffn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down",
    ]
    let all =
      ["token_embd", "output_norm"] + (model["tied"]?.bool == true ? [] : ["output"])
      + (0..<layers).flatMap { layer in perLayer.map { "blk.\(layer).\($0)" } }
    return Dictionary(
      uniqueKeysWithValues: all.sorted().enumerated().map { index, name in
        (names.checkpointName(of: name + ".weight") ?? "", index)
      })
  }

  /// A model of `numbers`.
  private func write(_ model: JSONValue, to folder: String) throws {
    let sizes = try ["hidden", "inner", "layers", "heads", "kv"].map { try #require(model[$0]?.int) }
    let seeds = try seeds(model)
    try writeModel(
      [
        "hidden_size": .int(sizes[0]), "intermediate_size": .int(sizes[1]),
        "num_hidden_layers": .int(sizes[2]),
        "num_attention_heads": .int(sizes[3]), "num_key_value_heads": .int(sizes[4]),
        "head_dim": .int(sizes[0] / sizes[3]), "tie_word_embeddings": .bool(model["tied"]?.bool == true),
      ], to: folder
    ) { name, shape in
      numbers(seed: seeds[name] ?? -1, shape)
    }
  }

  /// The script's importance of the layers' matrices.
  private func importance(_ model: JSONValue, _ weights: WeightStore) throws -> ImportanceMatrix {
    var means: [String: [Float]] = [:]
    for (name, seed) in try seeds(model) where name.hasPrefix("model.layers.") {
      guard let columns = try weights.shape(of: name).dropFirst().first else { continue }
      means[name] = numbers(seed: seed + 1000, [columns]).floats.map { $0 * 16 * ($0 * 16) }
    }
    return ImportanceMatrix(dataset: "numbers", chunks: 1, means: means)
  }

  /// The script's numbers.
  private func numbers(seed: Int, _ shape: [Int]) -> Tensor {
    let values = (0..<shape.reduce(1, *)).map { index in
      var x = UInt32(truncatingIfNeeded: index &* 2_654_435_761 &+ seed &* 40503)
      x ^= x >> 15
      x = x &* 2_246_822_519
      x ^= x >> 13
      return (Float(x >> 8) - 0x1p23) * 0x1p-27
    }
    return Tensor(values, shape)
  }

  // MARK: - Importance

  private static let text = "Tom has 3 apples and buys 4 more. 几个苹果？\nHow many apples does Tom have? "

  /// The first layer's queries, keys and values read the normed embedding of the text's tokens.
  @Test func importanceIsTheMeanSquareOfInputs() throws {
    let pretrained = try Pretrained.open(Fixtures.model)
    let model = try pretrained.load(.init(compute: .float32))
    let tokens = try pretrained.tokenizer.encode(Self.text, parseSpecial: false)
    let squares = try InputSquares(model, texts: [Array(tokens.prefix(9)), Array(tokens.dropFirst(9))])
    let weights = pretrained.source.weights
    let table = try weights.tensor("model.embed_tokens.weight", shape: [320, 32], as: .float32).floats
    let norm = try weights.tensor("model.layers.0.input_layernorm.weight", shape: [32], as: .float32).floats
    var expected = [Float](repeating: 0, count: 32)
    for token in tokens {
      let row = table[Int(token) * 32..<Int(token) * 32 + 32]
      let mean = row.reduce(0) { $0 + $1 * $1 } / 32 + 1e-6
      for (column, value) in row.enumerated() {
        expected[column] += value * value / mean * norm[column] * norm[column] / Float(tokens.count)
      }
    }
    for name in ["q_proj", "k_proj", "v_proj"] {
      assertClose(
        squares.means["model.layers.0.self_attn.\(name).weight"] ?? [], expected, Tolerance(relative: 1e-4))
    }
    #expect(squares.means.count == 2 * 7 && squares.means["model.layers.1.mlp.down_proj.weight"]?.count == 64)
  }

  /// The file differs from the one without, says by what, and reads back near the model.
  @Test func aCalibratedFileIsWeighed() throws {
    try inTemporaryFolder { folder in
      try AtomicFile.write(Data(String(repeating: Self.text, count: 60).utf8), to: folder + "/text.txt")
      let pretrained = try Pretrained.open(Fixtures.model)
      let importance = try ImportanceMatrix(of: folder + "/text.txt", by: pretrained, compute: .float32)
      try GGUFExporter(pretrained, type: .q5_0).write(to: folder + "/plain.gguf")
      try GGUFExporter(pretrained, type: .q5_0, importance: importance).write(to: folder + "/weighed.gguf")
      let (plain, weighed) = (try stored(folder + "/plain.gguf"), try stored(folder + "/weighed.gguf"))
      #expect(plain["token_embd.weight"] == weighed["token_embd.weight"])
      #expect(plain["output.weight"] == weighed["output.weight"])
      #expect(plain["blk.1.attn_q.weight"] != weighed["blk.1.attn_q.weight"])
      let metadata = try GGUFFile(folder + "/weighed.gguf").metadata
      #expect(metadata["quantize.imatrix.dataset"]?.string == "text.txt")
      #expect(metadata["quantize.imatrix.entries_count"]?.int == 14)
      #expect((metadata["quantize.imatrix.chunks_count"]?.int ?? 0) > 1)
      let original = try values(ModelSource.open(Fixtures.model).weights)
      for (name, found) in try values(ModelSource.open(folder + "/weighed.gguf").weights) {
        let expected = try #require(original[name])
        let largest = expected.reduce(0) { max($0, abs($1)) }
        assertClose(found, expected, Tolerance(absolute: largest / 8), name)
      }
    }
  }

  @Test func aTextWithoutTokensCalibratesNothing() throws {
    try inTemporaryFolder { folder in
      try AtomicFile.write(Data(), to: folder + "/text.txt")
      let pretrained = try Pretrained.open(Fixtures.model)
      let refused = thrownError { _ = try ImportanceMatrix(of: folder + "/text.txt", by: pretrained) }
      #expect(refused?.place == folder + "/text.txt")
    }
  }
}
