import FireflyBase
import FireflyConversion
import FireflyGeneration
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyTestSupport
import FireflyText
import FireflyWeights
import Foundation
import Testing

/// What Firefly exports, read back by Firefly's own reader; tools/reference/gguf_check.py has llama.cpp read it.
@Suite struct GGUFExportTests {
  // MARK: - Tensors

  @Test func float32ComesBackTheSame() throws {
    try inTemporaryFolder { folder in
      let path = folder + "/a.gguf"
      try export(Fixtures.model, to: path)
      let (original, back) = (try ModelSource.open(Fixtures.model), try ModelSource.open(path))
      #expect(try values(back.weights) == values(original.weights))
      #expect(try logits(path) == logits(Fixtures.model))
      for key in [
        "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads", "head_dim", "max_position_embeddings", "rms_norm_eps", "tie_word_embeddings",
        "bos_token_id", "eos_token_id", "pad_token_id", "rope_parameters",
      ] {
        #expect(back.config[key] == original.config[key], "\(key)")
      }
      #expect(try names(in: folder) == ["a.gguf"])
    }
  }

  /// Qwen2: biases on q, k and v, rows of q and k as they are.
  @Test func qwen2ComesBackTheSame() throws {
    try inTemporaryFolder { folder in
      let model = try qwen2(folder)
      try export(model, to: folder + "/a.gguf")
      let (original, back) = (try ModelSource.open(model), try ModelSource.open(folder + "/a.gguf"))
      #expect(try values(back.weights) == values(original.weights))
      #expect(back.config["model_type"] == original.config["model_type"])
      #expect(try logits(folder + "/a.gguf") == logits(model))
    }
  }

  /// The tiny model as a Qwen2: with biases on q, k and v.
  private func qwen2(_ folder: String) throws -> String {
    let model = try variant("config.json", folder) { $0["model_type"] = .string("qwen2") }
    let weights = try ModelSource.open(model).weights
    var tensors = try weights.tensorNames.map { name in
      (name: name, tensor: try weights.tensor(name, shape: weights.shape(of: name), as: .float32))
    }
    for (name, tensor) in tensors where ["q_proj", "k_proj", "v_proj"].contains(where: name.contains) {
      let rows = tensor.shape[0]
      let bias = (0..<rows).map { Float($0 * 7 % rows) / Float(rows) - 0.5 }
      tensors.append((name.replacing(".weight", with: ".bias"), Tensor(bias, [rows])))
    }
    unlink(model + "/model.safetensors")
    try SafeTensorsWriter.write(tensors, to: model + "/model.safetensors")
    return model
  }

  @Test(arguments: [(GGUFType.f16, DType.float16), (.bf16, .bfloat16)])
  func matricesAreRoundedOnceAndVectorsAreNot(_ type: GGUFType, _ dtype: DType) throws {
    try inTemporaryFolder { folder in
      try export(Fixtures.model, to: folder + "/a.gguf", type)
      let original = try ModelSource.open(Fixtures.model).weights
      let back = try ModelSource.open(folder + "/a.gguf").weights
      for name in original.tensorNames {
        let shape = try original.shape(of: name)
        let kept = try original.tensor(name, shape: shape, as: shape.count == 1 ? .float32 : dtype)
        #expect(try back.tensor(name, shape: shape, as: .float32).floats == kept.asFloats, "\(name)")
      }
    }
  }

  @Test(arguments: [(GGUFType.q8_0, StoredType.q8_0), (.q4_0, .q4_0)])
  func matricesAreQuantised(_ type: GGUFType, _ stored: StoredType) throws {
    try inTemporaryFolder { folder in
      try export(Fixtures.model, to: folder + "/a.gguf", type)
      let file = try GGUFFile(folder + "/a.gguf")
      let types = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0.type) })
      #expect(types["blk.0.attn_norm.weight"] == .float32)
      #expect(types["blk.1.ffn_down.weight"] == stored && types["token_embd.weight"] == stored)
      #expect(types["output.weight"] == .q8_0, "the head of a Q4_0 file is Q8_0")
      #expect(file.metadata["general.file_type"]?.int == (type == .q8_0 ? 7 : 2))
      let original = try values(ModelSource.open(Fixtures.model).weights)
      for (name, found) in try values(ModelSource.open(folder + "/a.gguf").weights) {
        // A step is the block's largest magnitude over 8 or 127; the code is at most one away, as Q4_0 clips at 7.
        let expected = try #require(original[name])
        let largest = expected.reduce(0) { max($0, abs($1)) }
        assertClose(found, expected, Tolerance(absolute: largest / (type == .q8_0 ? 240 : 8)), name)
      }
    }
  }

  // MARK: - Rotary scaling

  @Test(
    arguments: [
      [
        "rope_type": .string("llama3"), "factor": .double(8), "low_freq_factor": .double(1),
        "high_freq_factor": .double(4), "original_max_position_embeddings": .int(8192),
        "rope_theta": .double(500_000),
      ],
      ["rope_type": .string("linear"), "factor": .double(4), "rope_theta": .double(10_000)],
      [
        "rope_type": .string("yarn"), "factor": .double(2), "original_max_position_embeddings": .int(128),
        "rope_theta": .double(10_000),
      ],
    ] as [[String: JSONValue]])
  func scalingComesBack(_ rope: [String: JSONValue]) throws {
    try inTemporaryFolder { folder in
      let model = try variant("config.json", folder) { $0["rope_parameters"] = .object(rope) }
      try export(model, to: folder + "/a.gguf")
      let back = try ModelSource.open(folder + "/a.gguf").config["rope_parameters"]
      for (key, value) in rope {
        #expect(back?[key]?.double == value.double && back?[key]?.string == value.string, "\(key)")
      }
      assertClose(
        try logits(folder + "/a.gguf"), try logits(model), Tolerance(relative: 1e-4, absolute: 1e-4))
    }
  }

  // MARK: - Adapters

  @Test func anAdapterIsMergedOnTheWay() throws {
    try inTemporaryFolder { folder in
      let source = try ModelSource.open(Fixtures.model)
      try Merger(source, adapter: Fixtures.adapter, onto: .nf4(double: true), compute: .float32)
        .write(to: ModelFolder(folder + "/merged"))
      try export(
        Fixtures.model, to: folder + "/a.gguf", adapter: Fixtures.adapter, onto: .nf4(double: true))
      #expect(
        try values(ModelSource.open(folder + "/a.gguf").weights)
          == values(ModelSource.open(folder + "/merged").weights))
    }
  }

  /// In the file's own order of rows: base + α/r · lora_b · lora_a = merged.
  @Test func anAdapterAloneIsTheDifference() throws {
    try inTemporaryFolder { folder in
      let source = try ModelSource.open(Fixtures.model)
      try GGUFAdapter(Fixtures.adapter, base: source, type: .f32).write(to: folder + "/lora.gguf")
      try export(Fixtures.model, to: folder + "/base.gguf")
      try export(Fixtures.model, to: folder + "/merged.gguf", adapter: Fixtures.adapter)
      let lora = try GGUFFile(folder + "/lora.gguf")
      #expect(lora.metadata["general.type"]?.string == "adapter")
      #expect(lora.metadata["adapter.type"]?.string == "lora")
      let alpha = try #require(lora.metadata["adapter.lora.alpha"]?.double)
      #expect(lora.tensors.count == 2 * 2 * 3)
      for name in ["blk.0.attn_q.weight", "blk.1.attn_v.weight", "blk.1.ffn_down.weight"] {
        let a = try floats(folder + "/lora.gguf", name + ".lora_a")
        let b = try floats(folder + "/lora.gguf", name + ".lora_b")
        let (rank, inputs) = (a.shape[0], a.shape[1])
        var expected = try floats(folder + "/base.gguf", name).values
        for index in expected.indices {
          let (row, column) = index.quotientAndRemainder(dividingBy: inputs)
          let sum = (0..<rank).reduce(Float(0)) {
            $0 + b.values[row * rank + $1] * a.values[$1 * inputs + column]
          }
          expected[index] += Float(alpha) / Float(rank) * sum
        }
        assertClose(
          try floats(folder + "/merged.gguf", name).values, expected,
          Tolerance(relative: 1e-5, absolute: 1e-5), name)
      }
    }
  }

  /// A float32 tensor as it lies in the file.
  private func floats(_ path: String, _ name: String) throws -> (shape: [Int], values: [Float]) {
    let info = try #require(try GGUFFile(path).tensors.first { $0.name == name })
    let data = try #require(FileManager.default.contents(atPath: path))[info.range]
    let values = data.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: 4).map { bytes.loadUnaligned(fromByteOffset: $0, as: Float.self) }
    }
    return (info.shape, values)
  }

  // MARK: - What is refused

  @Test func whatTheFileWouldLoseIsRefused() throws {
    try inTemporaryFolder { folder in
      let dynamic = try variant("config.json", folder) { members in
        members["rope_parameters"] = .object([
          "rope_type": .string("dynamic"), "factor": .double(2), "rope_theta": .double(10_000),
        ])
      }
      #expect(thrownError { try export(dynamic, to: folder + "/a.gguf") }?.found == "dynamic")
      #expect(try names(in: folder) == ["variant"])
    }
  }

  @Test func aFileThatIsThereIsNotReplaced() throws {
    try inTemporaryFolder { folder in
      let path = folder + "/a.gguf"
      try AtomicFile.write(Data("mine".utf8), to: path)
      #expect(thrownError { try export(Fixtures.model, to: path) }?.place == path)
      #expect(FileManager.default.contents(atPath: path) == Data("mine".utf8))
    }
  }
}
