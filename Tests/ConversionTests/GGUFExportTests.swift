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
  private func export(
    _ model: String, to path: String, _ type: GGUFType = .f32, adapter: String? = nil,
    onto: MergeBase = .original
  ) throws {
    try GGUFExporter(Pretrained.open(model), type: type, adapter: adapter, onto: onto, compute: .float32)
      .write(to: path)
  }

  /// The tiny model with other members in its config.json or tokenizer.json.
  private func variant(_ file: String, _ folder: String, _ change: (inout [String: JSONValue]) -> Void) throws
    -> String
  {
    let copy = folder + "/variant"
    try FileManager.default.copyItem(atPath: Fixtures.model, toPath: copy)
    var members = try #require(try JSONValue.read("\(copy)/\(file)").object)
    change(&members)
    try AtomicFile.write(Data(JSONValue.object(members).text().utf8), to: "\(copy)/\(file)")
    return copy
  }

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

  /// Norms of heads; and Gemma's, to whose weights the file adds 1.
  @Test(arguments: ["qwen3", "gemma2", "gemma3_text"]) func newerFamiliesComeBackTheSame(_ family: String)
    throws
  {
    try inTemporaryFolder { folder in
      let model = try newer(family, folder)
      try export(model, to: folder + "/a.gguf")
      let (original, back) = (try ModelSource.open(model), try ModelSource.open(folder + "/a.gguf"))
      let (expected, found) = (try values(original.weights), try values(back.weights))
      #expect(Set(found.keys) == Set(expected.keys))
      for (name, values) in expected {
        assertClose(found[name] ?? [], values, Tolerance(absolute: 2e-7), name)
      }
      #expect(back.config["model_type"] == original.config["model_type"])
      assertClose(try logits(folder + "/a.gguf"), try logits(model), Tolerance(absolute: 1e-4))
    }
  }

  private static let families: [String: [String: JSONValue]] = [
    "internlm3": ["qkv_bias": .bool(true), "bias": .bool(true)],
    "xverse": [:],
    "gemma": ["hidden_act": .string("gelu_pytorch_tanh"), "tie_word_embeddings": .bool(true)],
    "granite": [
      "embedding_multiplier": .double(6), "residual_multiplier": .double(0.22),
      "attention_multiplier": .double(0.0625), "logits_scaling": .double(8),
    ],
    "minicpm": ["scale_emb": .int(12), "scale_depth": .double(1.4), "dim_model_base": .int(16)],
    "smollm3": ["num_hidden_layers": .int(5)],
    "olmo2": ["head_dim": .int(8)],
    "olmo3": [
      "head_dim": .int(8), "sliding_window": .int(9), "num_hidden_layers": .int(4),
      "rope_theta": .int(10_000),
    ],
    "orion": ["head_dim": .int(8)],
    "glm": [
      "head_dim": .int(8), "attention_bias": .bool(true), "partial_rotary_factor": .double(0.5),
    ],
    "bloom": ["n_layer": .int(2)],
    "deepseek": [
      "head_dim": .int(8), "num_hidden_layers": .int(3), "first_k_dense_replace": .int(1),
      "n_routed_experts": .int(4),
      "num_experts_per_tok": .int(2), "n_shared_experts": .int(2), "moe_intermediate_size": .int(16),
      "norm_topk_prob": .bool(false), "routed_scaling_factor": .double(1),
    ],
    "chatglm": [
      "num_layers": .int(2), "padded_vocab_size": .int(320), "ffn_hidden_size": .int(48),
      "kv_channels": .int(8),
      "multi_query_attention": .bool(true), "multi_query_group_num": .int(2), "add_qkv_bias": .bool(true),
      "seq_length": .int(256), "rope_ratio": .int(50),
    ],
    "ernie4_5": ["tie_word_embeddings": .bool(true)],
    "seed_oss": ["attention_bias": .bool(true)],
    "hunyuan_v1_dense": [
      "rope_parameters": .null,
      "rope_scaling": .object(["type": .string("dynamic"), "alpha": .double(1000), "factor": .double(1)]),
    ],
    "glm4": ["attention_bias": .bool(true), "partial_rotary_factor": .double(0.5)],
    "mixtral": ["num_local_experts": .int(3), "num_experts_per_tok": .int(2), "sliding_window": .null],
    "qwen2_moe": [
      "num_experts": .int(12), "num_experts_per_tok": .int(3), "moe_intermediate_size": .int(16),
      "shared_expert_intermediate_size": .int(24), "norm_topk_prob": .bool(false),
    ],
    "qwen3_moe": [
      "num_experts": .int(4), "num_experts_per_tok": .int(2), "moe_intermediate_size": .int(16),
      "norm_topk_prob": .bool(true),
    ],
    "phi3": ["partial_rotary_factor": .double(0.75), "sliding_window": .int(200)],
  ]

  /// Queries, keys and values that lie in one layer are apart in the file, which is LLaMA's.
  @Test(arguments: ["internlm2", "baichuan"]) func whatIsCutAnswersAsLlama(_ family: String) throws {
    try inTemporaryFolder { folder in
      let model = folder + "/model"
      let config: [String: JSONValue] = [
        "model_type": .string(family), "num_key_value_heads": .int(family == "baichuan" ? 4 : 2),
        "bias": .bool(false),
      ]
      try writeModel(config, to: model, randomTensor)
      try export(model, to: folder + "/a.gguf")
      let back = try ModelSource.open(folder + "/a.gguf")
      #expect(
        back.config["model_type"]?.string == "llama"
          && back.weights.contains("model.layers.1.self_attn.k_proj.weight"))
      assertClose(try logits(folder + "/a.gguf"), try logits(model), Tolerance(absolute: 1e-4))
    }
  }

  /// llama.cpp knows Baichuan's ALiBi by 40 layers.
  @Test func alibiOfAnotherDepthIsRefused() throws {
    try inTemporaryFolder { folder in
      try writeModel(
        [
          "model_type": .string("baichuan"), "max_position_embeddings": .null, "num_key_value_heads": .int(4),
        ],
        to: folder + "/model", randomTensor)
      let refused = thrownError { try export(folder + "/model", to: folder + "/a.gguf") }
      #expect(refused?.place?.hasSuffix("num_hidden_layers") == true)
    }
  }

  /// Their own factors, norms, fused matrices and layers that do not turn.
  @Test(arguments: families.keys.sorted()) func familiesComeBackTheSame(_ family: String) throws {
    try inTemporaryFolder { folder in
      let model = folder + "/model"
      let config = Self.families[family] ?? [:]
      try writeModel(
        ["model_type": .string(family), "head_dim": .int(16)].merging(config) { $1 }, to: model, randomTensor)
      try export(model, to: folder + "/a.gguf")
      let (original, back) = (try ModelSource.open(model), try ModelSource.open(folder + "/a.gguf"))
      let (expected, found) = (try values(original.weights), try values(back.weights))
      #expect(Set(found.keys) == Set(expected.keys))
      for (name, values) in expected {
        assertClose(found[name] ?? [], values, Tolerance(absolute: 2e-7), name)
      }
      let isLlama = ["internlm3", "xverse"].contains(family)
      #expect(back.config["model_type"]?.string == (isLlama ? "llama" : family))
      assertClose(
        try logits(folder + "/a.gguf"), try logits(model), Tolerance(relative: 1e-4, absolute: 1e-4))
    }
  }

  /// What the kind's files have no place for.
  @Test(arguments: [
    ("smollm3", "no_rope_layers", JSONValue.array([.int(0), .int(1)])),
    ("gemma", "tie_word_embeddings", .bool(false)), ("olmo2", "tie_word_embeddings", .bool(true)),
    ("seed_oss", "attention_out_bias", .bool(true)), ("qwen3_moe", "norm_topk_prob", .bool(false)),
    ("qwen3_moe", "mlp_only_layers", .array([.int(1)])),
    (
      "phi3", "rope_scaling",
      .object([
        "type": .string("longrope"), "short_factor": .array(.init(repeating: .double(1), count: 8)),
        "long_factor": .array(.init(repeating: .double(2), count: 8)),
      ])
    ),
  ])
  func familiesThatTheFileCannotHoldAreRefused(_ family: String, _ key: String, _ value: JSONValue) throws {
    try inTemporaryFolder { folder in
      let config: [String: JSONValue] = [
        "model_type": .string(family), "head_dim": .int(16), "rope_parameters": .null,
        "original_max_position_embeddings": family == "phi3" ? .int(64) : .null,
        "num_experts": .int(4), "num_experts_per_tok": .int(2), "moe_intermediate_size": .int(16),
        "hidden_act": .string(family == "gemma" ? "gelu_pytorch_tanh" : "silu"),
      ]
      try writeModel(config.merging([key: value]) { $1 }, to: folder + "/model", randomTensor)
      let refused = thrownError { try export(folder + "/model", to: folder + "/a.gguf") }
      #expect(refused?.description.contains("lose") == true, "\(refused?.description ?? "")")
    }
  }

  /// What llama.cpp takes for granted of a Gemma.
  @Test(arguments: [
    ("query_pre_attn_scalar", 24), ("sliding_window_pattern", 2), ("rope_local_base_freq", 5000),
  ])
  func gemmasThatTheFileCannotHoldAreRefused(_ key: String, _ value: Int) throws {
    try inTemporaryFolder { folder in
      let model = try newer("gemma3_text", folder) { $0[key] = .int(value) }
      let error = #expect(throws: FireflyError.self) { try export(model, to: folder + "/a.gguf") }
      #expect(error?.description.contains("lose") == true)
    }
  }

  /// The tiny model with the norms of a newer family.
  private func newer(
    _ family: String, _ folder: String, _ change: (inout [String: JSONValue]) -> Void = { _ in }
  ) throws -> String {
    let model = try variant("config.json", folder) { config in
      config["model_type"] = .string(family)
      config["hidden_activation"] = .string("gelu_pytorch_tanh")
      config["query_pre_attn_scalar"] = config["head_dim"]
      config["rope_parameters"] = nil
      config["sliding_window"] = .int(5)
      change(&config)
    }
    let source = try ModelSource.open(model)
    let architecture = try Architecture(config: source.config, source: model)
    var tensors = try source.weights.tensorNames.map { name in
      (
        name: name,
        tensor: try source.weights.tensor(name, shape: source.weights.shape(of: name), as: .float32)
      )
    }
    let known = Set(tensors.map(\.name))
    for name in architecture.tensorNames(in: source.weights) where !known.contains(name) {
      let isHead = name.contains("q_norm") || name.contains("k_norm")
      let size = isHead ? architecture.headDim : architecture.hiddenSize
      tensors.append((name, Tensor((0..<size).map { 1 + Float($0 * 7 % size) / Float(2 * size) }, [size])))
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

  // MARK: - Vocabulary

  private static let texts = [
    "How many apples does Tom have?", "几个苹果？ 12345", "<|im_start|>user\nhi<|im_end|>\n", "  a\n\n\tb's DON'T",
  ]

  @Test func theTokenizerComesBack() throws {
    try inTemporaryFolder { folder in
      try export(Fixtures.model, to: folder + "/a.gguf")
      let (original, back) = (try Pretrained.open(Fixtures.model), try Pretrained.open(folder + "/a.gguf"))
      for text in Self.texts {
        for special in [true, false] {
          let ids = try original.tokenizer.encode(text, parseSpecial: special)
          #expect(try back.tokenizer.encode(text, parseSpecial: special) == ids)
          #expect(
            back.tokenizer.decode(ids, skipSpecial: true) == original.tokenizer.decode(ids, skipSpecial: true)
          )
        }
      }
      #expect(back.tokenizer.chatTemplate == original.tokenizer.chatTemplate)
      #expect(back.tokenizer.eos == original.tokenizer.eos && back.tokenizer.bos == original.tokenizer.bos)
      #expect(back.tokenizer.addsBOS == original.tokenizer.addsBOS)
    }
  }

  /// Folder → GGUF → 4-bit folder: config.json, tokenizer.json and codes as from the folder itself.
  @Test func aFolderMadeOfAGGUFFileIsThatOfTheModel() throws {
    try inTemporaryFolder { folder in
      try export(Fixtures.model, to: folder + "/a.gguf")
      for (model, out) in [(folder + "/a.gguf", "/fromFile"), (Fixtures.model, "/fromFolder")] {
        try Quantizer(ModelSource.open(model)).write(to: ModelFolder(folder + out))
      }
      let (file, model) = (
        try Pretrained.open(folder + "/fromFile"), try Pretrained.open(folder + "/fromFolder")
      )
      #expect(try values(file.source.weights) == values(model.source.weights))
      for text in Self.texts {
        #expect(
          try file.tokenizer.encode(text, parseSpecial: true)
            == model.tokenizer.encode(text, parseSpecial: true))
      }
      #expect(file.tokenizer.chatTemplate == model.tokenizer.chatTemplate)
      #expect(try file.defaults().options.stopIDs == model.defaults().options.stopIDs)
      #expect(file.source.config["quantization_config"] == model.source.config["quantization_config"])
    }
  }

  @Test func wordsThatLlamaCppCutsOtherwiseAreRefused() throws {
    try inTemporaryFolder { folder in
      let model = try variant("tokenizer.json", folder) { members in
        members["pre_tokenizer"] = .object([
          "type": .string("Sequence"),
          "pretokenizers": .array([
            .object(["type": .string("Digits"), "individual_digits": .bool(false)]),
            .object(["type": .string("ByteLevel"), "add_prefix_space": .bool(true), "use_regex": .bool(true)]
            ),
          ]),
        ])
      }
      let refused = thrownError { try export(model, to: folder + "/a.gguf") }
      #expect(refused?.what.contains("otherwise than this tokenizer") == true)
      #expect(refused?.place?.hasSuffix("tokenizer.json") == true)
      #expect(try names(in: folder) == ["variant"])
    }
  }

  @Test func rowsWithoutATokenGetNames() throws {
    try inTemporaryFolder { folder in
      let model = folder + "/model"
      try FileManager.default.copyItem(atPath: Fixtures.model, toPath: model)
      let original = try ModelSource.open(Fixtures.model)
      let tensors = try original.weights.tensorNames.map { name in
        let shape = try original.weights.shape(of: name)
        let isTable = shape[0] == 320
        return (
          name: name,
          tensor: isTable
            ? Tensor.zeros([330, 32], .float32)
            : try original.weights.tensor(name, shape: shape, as: .float32)
        )
      }
      unlink(model + "/model.safetensors")
      try SafeTensorsWriter.write(tensors, to: model + "/model.safetensors")
      var config = try #require(original.config.object)
      config["vocab_size"] = .int(330)
      try AtomicFile.write(Data(JSONValue.object(config).text().utf8), to: model + "/config.json")
      try export(model, to: folder + "/a.gguf")
      let metadata = try GGUFFile(folder + "/a.gguf").metadata
      #expect(metadata["tokenizer.ggml.tokens"]?.strings?.last == "[PAD329]")
      #expect(metadata["tokenizer.ggml.token_type"]?.ints?.suffix(10) == Array(repeating: 5, count: 10)[...])
      #expect(try Pretrained.open(folder + "/a.gguf").source.config["vocab_size"]?.int == 330)
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
