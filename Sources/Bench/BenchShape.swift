import FireflyBase
import FireflyModels
import FireflyTensors

/// A model's shape to measure with random weights.
package struct BenchShape: Sendable {
  package let name: String
  /// What is measured, in words.
  package let title: String
  /// As a model's config.json.
  package let config: JSONValue

  package init(name: String, title: String, config: JSONValue) {
    self.name = name
    self.title = title
    self.config = config
  }

  /// SmolLM2-135M, whole.
  package static let smollm2 = llama(
    "smollm2", "SmolLM2-135M", [576, 1536], layers: 30, heads: 9, keyValueHeads: 3, vocabulary: 49_152)
  /// Four blocks of it with a small vocabulary: quickly measured, and what Benchmarks/counts.json holds.
  package static let smollm2Blocks = llama(
    "smollm2-blocks", "four blocks of SmolLM2-135M", [576, 1536], layers: 4, heads: 9, keyValueHeads: 3)
  /// Two blocks of LLaMA-7B.
  package static let llama7B = llama(
    "llama7b", "two blocks of LLaMA-7B", [4096, 11_008], layers: 2, heads: 32)
  /// Two blocks of Ziya-LLaMA-13B.
  package static let ziya13B = llama(
    "ziya13b", "two blocks of Ziya-LLaMA-13B", [5120, 13_824], layers: 2, heads: 40)
  /// Ziya-LLaMA-13B, whole.
  package static let ziya13BWhole = llama(
    "whole-ziya13b", "Ziya-LLaMA-13B", [5120, 13_824], layers: 40, heads: 40, vocabulary: 39_424)
  /// A block of Mixtral-8x7B: each row takes 2 of 8 experts.
  package static let mixtral = BenchShape(
    name: "mixtral", title: "a block of Mixtral-8x7B",
    config: llamaConfig([4096, 14_336], layers: 1, heads: 32, keyValueHeads: 8).merging([
      "model_type": .string("mixtral"), "num_local_experts": .int(8), "num_experts_per_tok": .int(2),
    ]))
  /// Two blocks of Qwen1.5-MoE-A2.7B: 4 of 60 experts, and a shared one.
  package static let qwenMoE = BenchShape(
    name: "qwen1.5-moe", title: "two blocks of Qwen1.5-MoE-A2.7B",
    config: llamaConfig([2048, 5632], layers: 2, heads: 16).merging([
      "model_type": .string("qwen2_moe"), "num_experts": .int(60), "num_experts_per_tok": .int(4),
      "moe_intermediate_size": .int(1408), "shared_expert_intermediate_size": .int(5632),
      "norm_topk_prob": .bool(false), "decoder_sparse_step": .int(1), "mlp_only_layers": .array([]),
    ]))
  /// Two blocks of Qwen3-30B-A3B: 8 of 128 experts.
  package static let qwen3MoE = BenchShape(
    name: "qwen3-30b-a3b", title: "two blocks of Qwen3-30B-A3B",
    config: llamaConfig([2048, 6144], layers: 2, heads: 32, keyValueHeads: 4).merging([
      "model_type": .string("qwen3_moe"), "head_dim": .int(128), "num_experts": .int(128),
      "num_experts_per_tok": .int(8), "moe_intermediate_size": .int(768), "norm_topk_prob": .bool(true),
      "decoder_sparse_step": .int(1), "mlp_only_layers": .array([]),
    ]))
  /// Two blocks of gpt-oss-20b: 4 of 32 experts, and a window in the first.
  package static let gptOSS = BenchShape(
    name: "gpt-oss-20b", title: "two blocks of gpt-oss-20b",
    config: llamaConfig([2880, 2880], layers: 2, heads: 64, keyValueHeads: 8).merging([
      "model_type": .string("gpt_oss"), "head_dim": .int(64), "num_local_experts": .int(32),
      "num_experts_per_tok": .int(4), "sliding_window": .int(128), "rope_theta": .int(150_000),
      "rope_scaling": .object([
        "rope_type": .string("yarn"), "factor": .int(32), "original_max_position_embeddings": .int(4096),
        "truncate": .bool(false),
      ]),
    ]))

  package static let all = [
    smollm2, smollm2Blocks, llama7B, ziya13B, ziya13BWhole, mixtral, qwenMoE, qwen3MoE, gptOSS,
  ]

  /// - Parameter sizes: of the residual stream, and of the layer within the feed-forward part.
  package static func llama(
    _ name: String, _ title: String, _ sizes: [Int], layers: Int, heads: Int, keyValueHeads: Int? = nil,
    vocabulary: Int = 1024
  ) -> BenchShape {
    let config = llamaConfig(
      sizes, layers: layers, heads: heads, keyValueHeads: keyValueHeads, vocabulary: vocabulary)
    return BenchShape(name: name, title: title, config: .object(config))
  }

  private static func llamaConfig(
    _ sizes: [Int], layers: Int, heads: Int, keyValueHeads: Int? = nil, vocabulary: Int = 1024
  ) -> [String: JSONValue] {
    [
      "model_type": .string("llama"), "hidden_size": .int(sizes[0]), "intermediate_size": .int(sizes[1]),
      "num_hidden_layers": .int(layers), "num_attention_heads": .int(heads),
      "num_key_value_heads": .int(keyValueHeads ?? heads), "vocab_size": .int(vocabulary),
      "tie_word_embeddings": .bool(true), "max_position_embeddings": .int(8192),
      "rms_norm_eps": .double(1e-5),
    ]
  }

  /// A model of this shape with random NF4 weights. Its first block has no input gradient, as in training.
  ///
  /// - Throws: `FireflyError` where `config` is no model's.
  func load(compute: DType, on device: any Device = CPU.shared) throws -> Transformer {
    try Transformer.random(
      Architecture(config: config, source: name), compute: compute, quantization: .nf4(double: true),
      firstTakesInputGradient: false, on: device)
  }
}

extension [String: JSONValue] {
  fileprivate func merging(_ members: [String: JSONValue]) -> JSONValue {
    .object(merging(members) { $1 })
  }
}
