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

/// Families beside LLaMA as GGUF files, read back by Firefly's own reader.
@Suite struct GGUFFamilyExportTests {
  /// The file, which has the model's tensors, read back.
  private func exported(_ model: String, to path: String) throws -> ModelSource {
    try export(model, to: path)
    let back = try ModelSource.open(path)
    let (expected, found) = (try values(ModelSource.open(model).weights), try values(back.weights))
    #expect(Set(found.keys) == Set(expected.keys))
    for (name, values) in expected {
      assertClose(found[name] ?? [], values, Tolerance(absolute: 2e-7), name)
    }
    return back
  }

  /// Norms of heads; and Gemma's, to whose weights the file adds 1.
  @Test(arguments: ["qwen3", "gemma2", "gemma3_text"]) func newerFamiliesComeBackTheSame(_ family: String)
    throws
  {
    try inTemporaryFolder { folder in
      let model = try newer(family, folder)
      let back = try exported(model, to: folder + "/a.gguf")
      #expect(back.config["model_type"] == (try ModelSource.open(model).config["model_type"]))
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
      "rope_parameters": [
        "full_attention": ["rope_type": "default", "rope_theta": 10_000],
        "sliding_attention": ["rope_type": "default", "rope_theta": 10_000],
      ],
    ],
    "orion": ["head_dim": .int(8)],
    "qwen": [
      "head_dim": .null, "kv_channels": .int(8), "seq_length": .int(256), "no_bias": .bool(true),
      "layer_norm_epsilon": .double(1e-6), "rotary_emb_base": .int(5000),
    ],
    "minicpm3": [
      "head_dim": .null, "num_key_value_heads": .int(4), "q_lora_rank": .int(16), "kv_lora_rank": .int(8),
      "qk_nope_head_dim": .int(8), "qk_rope_head_dim": .int(4), "rms_norm_eps": .double(1e-6),
      "scale_emb": .int(12), "scale_depth": .double(1.4), "dim_model_base": .int(256),
      "rope_parameters": .null,
      "rope_scaling": .object([
        "type": .string("longrope"), "short_factor": .array([.double(1), .double(1.5)]),
        "long_factor": .array([.double(1), .double(1.5)]), "original_max_position_embeddings": .int(64),
      ]),
    ],
    "ministral3": [
      "sliding_window": .null,
      "rope_parameters": .object([
        "rope_type": .string("yarn"), "rope_theta": .int(10_000), "factor": .double(4),
        "original_max_position_embeddings": .int(8), "beta_fast": .double(32), "beta_slow": .double(1),
        "mscale": .double(1), "mscale_all_dim": .double(1), "llama_4_scaling_beta": .double(0.5),
      ]),
    ],
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
    "gpt_oss": [
      "num_local_experts": .int(4), "num_experts_per_tok": .int(2), "sliding_window": .int(9),
      "attention_bias": .bool(true), "rope_parameters": .null,
      "rope_scaling": .object([
        "rope_type": .string("yarn"), "factor": .double(8), "original_max_position_embeddings": .int(64),
        "truncate": .bool(false),
      ]),
    ],
    "mixtral": ["num_local_experts": .int(3), "num_experts_per_tok": .int(2), "sliding_window": .null],
    "qwen2_moe": [
      "head_dim": .int(8), "num_experts": .int(12), "num_experts_per_tok": .int(3),
      "moe_intermediate_size": .int(16),
      "shared_expert_intermediate_size": .int(24), "norm_topk_prob": .bool(false),
    ],
    "qwen3_moe": [
      "num_experts": .int(4), "num_experts_per_tok": .int(2), "moe_intermediate_size": .int(16),
      "norm_topk_prob": .bool(true),
    ],
    "phi3": ["head_dim": .int(8), "partial_rotary_factor": .double(0.75), "sliding_window": .int(200)],
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
      let back = try exported(model, to: folder + "/a.gguf")
      let isLlama = ["internlm3", "xverse"].contains(family)
      #expect(back.config["model_type"]?.string == (isLlama ? "llama" : family))
      assertClose(
        try logits(folder + "/a.gguf"), try logits(model), Tolerance(relative: 1e-4, absolute: 1e-4))
    }
  }

  /// Experts in MXFP4 and the rest in Q8_0, as llama.cpp has gpt-oss.
  @Test func expertsGoToMXFP4() throws {
    try inTemporaryFolder { folder in
      let config = Self.families["gpt_oss"] ?? [:]
      try writeModel(
        ["model_type": .string("gpt_oss"), "head_dim": .int(16)].merging(config) { $1 },
        to: folder + "/model",
        randomTensor)
      try export(folder + "/model", to: folder + "/a.gguf", .mxfp4_MoE)
      let weights = try ModelSource.open(folder + "/a.gguf").weights
      #expect(weights.blockFormats == ["MXFP4", "Q8_0"])
      #expect(weights.info("model.layers.0.self_attn.q_proj.weight")?.type == .q8_0)
      let name = "model.layers.0.mlp.experts.3.down_proj.weight"
      let original = try ModelSource.open(folder + "/model").weights
        .tensor(name, shape: [32, 64], as: .float32)
      let encoded = BlockFormat.mxfp4.encode(original)
      let expected = Tensor([32, 64], .float32)
      BlockFormat.mxfp4.decode(encoded, into: expected)
      #expect(try weights.tensor(name, shape: [32, 64], as: .float32).floats == expected.floats)
      #expect(try logits(folder + "/a.gguf").allSatisfy(\.isFinite))
    }
  }

  private static func yarn(truncates: Bool) -> JSONValue {
    .object([
      "rope_type": .string("yarn"), "factor": .double(8), "original_max_position_embeddings": .int(64),
      "truncate": .bool(truncates),
    ])
  }

  private static let steep: JSONValue = [
    "rope_type": "yarn", "factor": 4, "original_max_position_embeddings": 100, "beta_fast": 3,
  ]

  private static let llama3: JSONValue = [
    "rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
    "original_max_position_embeddings": 64,
  ]

  /// What the kind's files have no place for.
  @Test(arguments: [
    ("smollm3", "no_rope_layers", JSONValue.array([.int(0), .int(1)])),
    ("gemma", "tie_word_embeddings", .bool(false)), ("olmo2", "tie_word_embeddings", .bool(true)),
    ("seed_oss", "attention_out_bias", .bool(true)), ("qwen3_moe", "norm_topk_prob", .bool(false)),
    ("qwen3_moe", "mlp_only_layers", .array([.int(1)])),
    ("minicpm3", "scale_emb", .int(3)), ("minicpm3", "rms_norm_eps", .double(1e-5)),
    // Whether YaRN's ramp ends at whole dimensions goes without saying there.
    ("gpt_oss", "rope_scaling", yarn(truncates: true)), ("qwen2", "rope_scaling", yarn(truncates: false)),
    (
      "phi3", "rope_scaling",
      .object([
        "type": .string("longrope"), "short_factor": .array(.init(repeating: .double(1), count: 4)),
        "long_factor": .array(.init(repeating: .double(2), count: 4)),
      ])
    ),
    // llama.cpp has its own ramp for YaRN, whatever a file says.
    ("seed_oss", "rope_scaling", steep),
    // llama.cpp does not open such files.
    ("qwen2", "head_dim", .int(16)), ("phi3", "head_dim", .int(16)), ("qwen3", "attention_bias", .bool(true)),
    ("seed_oss", "rope_scaling", llama3), ("gpt_oss", "attention_bias", .bool(false)),
  ])
  func familiesThatTheFileCannotHoldAreRefused(_ family: String, _ key: String, _ value: JSONValue) throws {
    try inTemporaryFolder { folder in
      let config: [String: JSONValue] = [
        "model_type": .string(family), "head_dim": .int(["phi3", "qwen2"].contains(family) ? 8 : 16),
        "rope_parameters": .null,
        "original_max_position_embeddings": family == "phi3" ? .int(64) : .null,
        "num_experts": .int(4), "num_experts_per_tok": .int(2), "moe_intermediate_size": .int(16),
        "hidden_act": .string(family == "gemma" ? "gelu_pytorch_tanh" : "silu"),
      ].merging(["gpt_oss", "minicpm3"].contains(family) ? Self.families[family] ?? [:] : [:]) { $1 }
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
}
