import FireflyBase
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// GGUF models as Hugging Face ones. llama.gguf holds every supported tensor type; what it must read as is what
/// transformers makes of it: llama_expected.safetensors and llama_expected_config.json.
@Suite struct GGUFCheckpointTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func open(_ change: (inout GGUFBuilder) -> Void = { _ in }) throws -> ModelSource {
    var file = GGUFBuilder.llama
    change(&file)
    return try ModelSource.open(folder.write(file.data, to: "m.gguf"))
  }

  private func refusal(_ change: (inout GGUFBuilder) -> Void) -> String {
    thrownError { _ = try open(change) }?.description ?? ""
  }

  // MARK: - Against transformers

  @Test func tensorsEqualThoseOfTransformers() throws {
    let source = try ModelSource.open(Fixtures.folder + "/llama.gguf")
    let expected = try WeightStore.open(Fixtures.folder + "/llama_expected.safetensors")
    #expect(source.weights.names == expected.names)
    for name in expected.names {
      let shape = try #require(expected.info(name)?.shape)
      let values = try expected.tensor(name, shape: shape, as: .float32).floats
      #expect(try source.weights.tensor(name, shape: shape, as: .float32).floats == values, "\(name)")
      let rounded = try source.weights.tensor(name, shape: shape, as: .bfloat16)
      expectBytes(rounded, littleEndian(values.map(bfloat16Bits)), name)
    }
    let types = Set(source.weights.names.compactMap { source.weights.info($0)?.type })
    #expect(types.count == 11, "every supported type is in the file")
  }

  @Test func configEqualsThatOfTransformers() throws {
    let config = try ModelSource.open(Fixtures.folder + "/llama.gguf").config
    let expected = try #require(try JSONValue.read(Fixtures.folder + "/llama_expected_config.json").object)
    #expect(expected.count == 18)
    for (key, value) in expected where key != "rms_norm_eps" {
      #expect(config.object?[key] == value, "\(key)")
    }
    // transformers keeps the float32's neighbouring double; the model's own config.json said 1e-05.
    #expect(config["rms_norm_eps"]?.double == 1e-5)
    #expect(config["rope_theta"]?.double == 50_000)
    #expect(config.object?["rope_scaling"] == .null)
    #expect(config["torch_dtype"] == config["dtype"])
  }

  @Test func tokenizerStaysReachable() throws {
    let metadata = try #require(try ModelSource.open(Fixtures.folder + "/llama.gguf").gguf).metadata
    #expect(metadata["tokenizer.ggml.model"]?.string == "llama")
    #expect(metadata["tokenizer.ggml.tokens"]?.strings?.prefix(4) == ["<unk>", "<s>", "</s>", "▁0"])
    #expect(metadata["tokenizer.ggml.scores"]?.floats?.count == 32)
    #expect(metadata["tokenizer.ggml.token_type"]?.ints?.prefix(4) == [2, 3, 3, 1])
    #expect(metadata["tokenizer.ggml.add_bos_token"]?.bool == true)
  }

  // MARK: - Rows of q and k

  /// Head by head, row 2j of the file is row j, and row 2j + 1 is row j + D/2; biases likewise.
  @Test func putsRotaryRowsBack() throws {
    let source = try open { file in
      file.set("llama.attention.key_length", 6)
      file.set("llama.attention.value_length", 6)
      file.entries.removeAll { $0.name == "blk.0.attn_q.weight" || $0.name == "blk.0.attn_k.weight" }
      file.add("blk.0.attn_q.weight", [12, 1], (0..<12).map { Float($0) })
      file.add("blk.0.attn_k.weight", [6, 1], (0..<6).map { Float($0) })
      file.add("blk.0.attn_q.bias", [12], (0..<12).map { Float($0) })
      file.add("blk.0.attn_k.bias", [6], (0..<6).map { Float($0) })
    }
    let attention = "model.layers.0.self_attn"
    let head: [Float] = [0, 2, 4, 1, 3, 5]
    let heads = head + head.map { $0 + 6 }
    let weights = source.weights
    #expect(try weights.tensor("\(attention).q_proj.weight", shape: [12, 1], as: .float32).floats == heads)
    #expect(try weights.tensor("\(attention).q_proj.bias", shape: [12], as: .float32).floats == heads)
    #expect(try weights.tensor("\(attention).k_proj.weight", shape: [6, 1], as: .float32).floats == head)
    #expect(try weights.tensor("\(attention).k_proj.bias", shape: [6], as: .float32).floats == head)
    let rounded = try weights.tensor("\(attention).q_proj.bias", shape: [12], as: .bfloat16)
    expectBytes(rounded, littleEndian(heads.map(bfloat16Bits)))
    #expect(source.config["attention_bias"]?.bool == true)
    #expect(source.config["mlp_bias"]?.bool == false)
  }

  /// Qwen2's rows of q and k stand as in transformers.
  @Test func qwen2KeepsItsRows() throws {
    let source = try open { file in
      file.set("llama.attention.key_length", 6)
      file.set("llama.attention.value_length", 6)
      file.set("llama.rope.freq_base", Float(1e6))
      file.setArchitecture("qwen2")
      file.entries.removeAll { $0.name == "blk.0.attn_q.weight" || $0.name == "blk.0.attn_k.weight" }
      file.add("blk.0.attn_q.weight", [12, 1], (0..<12).map { Float($0) })
      file.add("blk.0.attn_k.weight", [6, 1], (0..<6).map { Float($0) })
      file.add("blk.0.attn_q.bias", [12], (0..<12).map { Float($0) })
    }
    for (name, shape) in [("q_proj.weight", [12, 1]), ("q_proj.bias", [12]), ("k_proj.weight", [6, 1])] {
      let tensor = try source.weights.tensor("model.layers.0.self_attn.\(name)", shape: shape, as: .float32)
      #expect(tensor.floats == (0..<shape[0]).map { Float($0) }, "\(name)")
    }
    let config = source.config
    #expect(config["model_type"]?.string == "qwen2")
    #expect(config["architectures"] == .array([.string("Qwen2ForCausalLM")]))
    #expect(config["use_sliding_window"] == .bool(false) && config["attention_bias"] == nil)
    #expect(config["head_dim"]?.int == 6 && config["rope_theta"]?.double == 1e6)
    #expect(config["num_hidden_layers"]?.int == 1 && config["rms_norm_eps"]?.double == 1e-6)
  }

  // MARK: - Config

  @Test func headIsTiedWhenThereIsNone() throws {
    #expect(try open().config["tie_word_embeddings"]?.bool == true)
    let own = try open { $0.add("output.weight", [5, 4], (0..<20).map { Float($0) }) }
    #expect(own.config["tie_word_embeddings"]?.bool == false)
    #expect(own.weights.contains("lm_head.weight"))
  }

  @Test func defaultsAreThoseOfTheFormat() throws {
    let config = try open {
      $0.remove("llama.attention.head_count_kv"); $0.entries[5] = $0.entries[4];
      $0.entries[5].name = "blk.0.attn_k.weight"
    }.config
    #expect(config["num_key_value_heads"]?.int == 2)
    #expect(config["rope_theta"]?.double == 10_000)
    #expect(config["head_dim"]?.int == 2)
    #expect(config["vocab_size"]?.int == 5)
    #expect(config["dtype"]?.string == "float32")
    #expect(config.object?["eos_token_id"] == .null)
  }

  @Test func idsOfTheTurnEndStopGeneration() throws {
    let source = try open { file in
      file.set("tokenizer.ggml.bos_token_id", 0)
      file.set("tokenizer.ggml.eos_token_id", 1)
      file.set("tokenizer.ggml.eot_token_id", 3)
      file.set("tokenizer.ggml.padding_token_id", 2)
    }
    #expect(source.config["eos_token_id"]?.int == 1)
    #expect(source.config["pad_token_id"]?.int == 2)
    #expect(source.generationConfig?["bos_token_id"]?.int == 0)
    #expect(source.generationConfig?["eos_token_id"]?.array == [.int(1), .int(3)])
  }

  @Test func sizesMayStandOncePerLayer() throws {
    let source = try open { file in
      let list = littleEndian([UInt32(4)]) + littleEndian([UInt64(2)])
      file.set("llama.attention.head_count", 9, list + littleEndian([UInt32(2), 2]))
    }
    #expect(source.config["num_attention_heads"]?.int == 2)
  }

  /// What llama.cpp's converter takes over from generation_config.json comes back in its words.
  @Test func readsRecommendedSampling() throws {
    let config = try open { file in
      file.set("general.sampling.temp", Float(0.5))
      file.set("general.sampling.top_k", 20)
      file.set("general.sampling.penalty_repeat", Float(1.25))
      file.set("general.sampling.mirostat", 1)
      file.set("tokenizer.ggml.eos_token_id", 1)
      file.set("tokenizer.ggml.eom_token_id", 2)
    }.generationConfig
    #expect(config?["temperature"]?.double == 0.5 && config?["top_k"]?.int == 20)
    #expect(config?["repetition_penalty"]?.double == 1.25)
    #expect(config?["general.sampling.mirostat"]?.int == 1)
    #expect(config?["eos_token_id"]?.array?.contains(.int(2)) == true)
  }

  @Test func readsRotaryScaling() throws {
    let linear = try open { file in
      file.set("llama.rope.scaling.type", "linear")
      file.set("llama.rope.scaling.factor", Float(4))
    }.config
    #expect(linear["rope_scaling"] == .object(["rope_type": .string("linear"), "factor": .double(4)]))
    #expect(linear["rope_parameters"]?["rope_theta"]?.double == 10_000)
    #expect(linear["rope_parameters"]?["factor"]?.double == 4)
    let old = try open { $0.set("llama.rope.scale_linear", Float(2)) }.config
    #expect(old["rope_scaling"] == .object(["rope_type": .string("linear"), "factor": .double(2)]))
    // As llama.cpp: a factor without a type is linear.
    let alone = try open { $0.set("llama.rope.scaling.factor", Float(2)) }.config
    #expect(alone["rope_scaling"] == old["rope_scaling"])
    let yarn = try open { file in
      file.set("llama.rope.scaling.type", "yarn")
      file.set("llama.rope.scaling.factor", Float(8))
      file.set("llama.rope.scaling.original_context_length", 32)
    }.config
    #expect(
      yarn["rope_scaling"]
        == .object([
          "rope_type": .string("yarn"), "factor": .double(8), "original_max_position_embeddings": .int(32),
        ]))
  }

  /// Theta 500,000 and heads of 128, as Llama 3.1 has them. With its length and factor pairs 0–28 keep their frequency,
  /// the last ones are divided by 8.
  @Test(arguments: [(8192, 8.0), (4096, 32), (131_072, 4)])
  func recognisesLlama3Scaling(_ length: Int, _ factor: Double) throws {
    let factors = (0..<64).map { index -> Float in
      let wavelength = 2 * Double.pi * pow(500_000, Double(index) / 64)
      if wavelength < Double(length) / 4 { return 1 }
      if wavelength > Double(length) { return Float(factor) }
      let smooth = (Double(length) / wavelength - 1) / 3
      return Float(1 / ((1 - smooth) / factor + smooth))
    }
    if length == 8192 { #expect(factors[28] == 1 && factors[29] > 1 && factors[36] == 8) }
    func change(_ file: inout GGUFBuilder, _ factors: [Float]) {
      file.set("llama.attention.key_length", 128)
      file.set("llama.attention.value_length", 128)
      file.set("llama.rope.freq_base", Float(500_000))
      file.entries.removeAll { $0.name.contains("attn_q") || $0.name.contains("attn_k") }
      file.add("rope_freqs.weight", [64], factors)
    }
    let source = try open { change(&$0, factors) }
    #expect(
      source.config["rope_scaling"]
        == .object([
          "rope_type": .string("llama3"), "factor": .double(factor), "low_freq_factor": .double(1),
          "high_freq_factor": .double(4), "original_max_position_embeddings": .int(length),
        ]))
    #expect(!source.weights.contains("rope_freqs.weight"))
    for wrong in [factors.map { $0 == Float(factor) ? $0 : $0 * 1.01 }, factors.map { $0 * .nan }] {
      #expect(refusal { change(&$0, wrong) }.contains("do not follow"))
    }
  }

  // MARK: - What is refused

  struct Refused: Sendable, CustomTestStringConvertible {
    let says: [String]
    let change: @Sendable (inout GGUFBuilder) -> Void
    var testDescription: String { says.joined(separator: "; ") }

    init(_ says: String..., change: @escaping @Sendable (inout GGUFBuilder) -> Void) {
      (self.says, self.change) = (says, change)
    }
  }

  static let refused = [
    Refused("architecture", "ernie4_5, gemma, gemma2", "mamba") {
      $0.set("general.architecture", "mamba")
    },
    Refused("qwen2.block_count", "lacks") { $0.set("general.architecture", "qwen2") },
    Refused("qwen2.attention.sliding_window", "16") { file in
      file.set("llama.attention.sliding_window", 16)
      file.setArchitecture("qwen2")
    },
    Refused("attn_k", "2 heads of 2", "2 rows") { file in
      file.set("llama.attention.head_count_kv", 2)
      file.setArchitecture("qwen2")
    },
    Refused("architecture", "none") { $0.remove("general.architecture") },
    Refused("llama.block_count", "lacks") { $0.remove("llama.block_count") },
    Refused("llama.block_count", "found 0") { $0.set("llama.block_count", 0) },
    Refused("llama.embedding_length", "a string") { $0.set("llama.embedding_length", "4") },
    Refused("llama.context_length", "lacks") { $0.remove("llama.context_length") },
    Refused("llama.attention.layer_norm_rms_epsilon", "lacks") {
      $0.remove("llama.attention.layer_norm_rms_epsilon")
    },
    Refused("llama.rope.freq_base", "nan") { $0.set("llama.rope.freq_base", Float.nan) },
    Refused("head_count", "divisor of 4") { $0.set("llama.attention.head_count", 3) },
    Refused("head_count_kv", "divisor of 2") { $0.set("llama.attention.head_count_kv", 4) },
    Refused("attn_q", "heads of 4", "4 rows") { file in
      file.set("llama.attention.key_length", 4)
      file.set("llama.attention.value_length", 4)
    },
    Refused("value_length", "expected 2", "found 4") { $0.set("llama.attention.value_length", 4) },
    Refused("rope.dimension_count", "expected 2") { $0.set("llama.rope.dimension_count", 1) },
    Refused("llama.expert_used_count", "lacks") { $0.set("llama.expert_count", 8) },
    Refused("llama.expert_used_count", "2") { $0.set("llama.expert_used_count", 2) },
    Refused("llama.expert_weights_scale") { $0.set("llama.expert_weights_scale", Float(2)) },
    Refused("llama.attention.sliding_window") { $0.set("llama.attention.sliding_window", 16) },
    Refused("token_embd.weight is missing") { $0.entries.removeFirst() },
    Refused("token_embd.weight", "[6, 4]", "[5, 4]") { $0.set("llama.vocab_size", 6) },
    Refused("tokenizer.ggml.eos_token_id", "0 to 4", "5") { $0.set("tokenizer.ggml.eos_token_id", 5) },
    Refused("rope.scaling.type", "longrope") { $0.set("llama.rope.scaling.type", "longrope") },
    Refused("rope.scaling.type", "without a factor") { $0.set("llama.rope.scaling.type", "linear") },
    Refused("rope_freqs.weight", "F32 [1]", "[3]") { $0.add("rope_freqs.weight", [3], [1, 1, 1]) },
  ]

  @Test(arguments: refused) func refuses(_ refused: Refused) {
    let message = refusal(refused.change)
    for word in refused.says + ["m.gguf"] { #expect(message.contains(word), "\(message)") }
  }
}
