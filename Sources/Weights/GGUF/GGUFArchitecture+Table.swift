import FireflyBase

extension GGUFArchitecture {
  /// The kinds that are read and written. Source: llama.cpp's convert_hf_to_gguf.py.
  package static let all = llamas + likeLlama + older + gemmas + mixtures + [gptOSS] + deepSeeks

  private static let mixtures = [
    GGUFArchitecture(
      name: "llama", modelTypes: ["mixtral"], modelClass: "MixtralForCausalLM", tensors: .mixtral,
      reordersRows: true, experts: .mixtral, given: .init(hasFewBiases: true), endsAtWindow: true,
      options: { _ in [:] }),
    GGUFArchitecture(
      name: "qwen2moe", modelTypes: ["qwen2_moe"], modelClass: "Qwen2MoeForCausalLM", tensors: .qwen2MoE,
      reordersRows: false, experts: .qwen2, given: .init(headsFillHidden: true, hasFewBiases: true),
      endsAtWindow: false,
      options: { file in
        [
          "use_sliding_window": .bool(false), "norm_topk_prob": .bool(false),
          "qkv_bias": .bool(file.has("blk.0.attn_q.bias")),
        ]
      }),
    GGUFArchitecture(
      name: "qwen3moe", modelTypes: ["qwen3_moe"], modelClass: "Qwen3MoeForCausalLM", tensors: .qwen3MoE,
      reordersRows: false, experts: .qwen3, given: .init(hasFewBiases: true), endsAtWindow: false,
      options: { _ in
        [
          "use_sliding_window": .bool(false), "attention_bias": .bool(false), "norm_topk_prob": .bool(true),
        ]
      }),
  ]

  private static let gptOSS = GGUFArchitecture(
    name: "gpt-oss", modelTypes: ["gpt_oss"], modelClass: "GptOssForCausalLM", tensors: .gptOSS,
    reordersRows: false, numbers: [(.slidingWindow, "sliding_window")], experts: .gptOSS,
    given: .init(windowPeriod: 2, hasExactYarn: true, needsBiases: true), endsAtWindow: false,
    options: { ["attention_bias": .bool($0.has("blk.0.attn_q.bias"))] })

  private static let deepSeeks = [
    GGUFArchitecture(
      name: "deepseek", modelTypes: ["deepseek"], modelClass: "DeepseekForCausalLM", tensors: .deepSeek,
      reordersRows: true, numbers: [(.expertWeightScale, "routed_scaling_factor")], experts: .deepSeek,
      given: .init(headsFillHidden: true, hasFewBiases: true), endsAtWindow: false,
      options: { _ in ["norm_topk_prob": .bool(false), "moe_layer_freq": .int(1)] }),
    // With keys and values in one matrix, as in older files; those of today have them apart, one transposed.
    GGUFArchitecture(
      name: "deepseek2", modelTypes: ["deepseek_v2"], modelClass: "DeepseekV2ForCausalLM",
      tensors: .deepSeek2, reordersRows: false, isRead: false,
      numbers: [(.expertWeightScale, "routed_scaling_factor")], hasLatentHeads: true, experts: .deepSeek,
      given: .init(
        hasFewBiases: true, withoutAdapters: latentMatrices.union(["attn_q", GGUFNames.head])),
      endsAtWindow: false,
      options: { _ in [:] }),
  ]

  private static let latentMatrices: Set = ["attn_q_a", "attn_q_b", "attn_kv_a_mqa", "attn_kv_b"]

  private static let llamas = [
    GGUFArchitecture(
      name: "llama", modelTypes: ["llama", "mistral", "aquila", "internlm", "internlm3", "xverse"],
      modelClass: "LlamaForCausalLM", tensors: .llama,
      reordersRows: true, endsAtWindow: true,
      options: { file in
        [
          "attention_bias": .bool(file.has("blk.0.attn_q.bias")),
          "mlp_bias": .bool(file.has("blk.0.ffn_gate.bias")),
        ]
      }),
    GGUFArchitecture(
      name: "qwen2", modelTypes: ["qwen2"], modelClass: "Qwen2ForCausalLM", tensors: .llama,
      reordersRows: false, given: .init(headsFillHidden: true), endsAtWindow: false,
      options: { _ in ["use_sliding_window": .bool(false)] }),
    GGUFArchitecture(
      name: "qwen3", modelTypes: ["qwen3"], modelClass: "Qwen3ForCausalLM", tensors: .qwen3,
      reordersRows: false, given: .init(hasFewBiases: true), endsAtWindow: false,
      options: { _ in ["use_sliding_window": .bool(false), "attention_bias": .bool(false)] }),
    GGUFArchitecture(
      name: "phi3", modelTypes: ["phi3"], modelClass: "Phi3ForCausalLM", tensors: .phi3, reordersRows: false,
      turnsPartly: true, given: .init(headsFillHidden: true, hasFewBiases: true), endsAtWindow: true,
      options: { _ in [:] }),
    GGUFArchitecture(
      name: "glm4", modelTypes: ["glm4"], modelClass: "Glm4ForCausalLM", tensors: .glm4, reordersRows: false,
      turnsPartly: true, given: .init(hasFewBiases: true), endsAtWindow: false,
      options: { ["attention_bias": .bool($0.has("blk.0.attn_q.bias"))] }),
    GGUFArchitecture(
      name: "granite", modelTypes: ["granite"], modelClass: "GraniteForCausalLM", tensors: .llama,
      reordersRows: true,
      factors: [
        .init(key: .embeddingScale, name: "embedding_multiplier"),
        .init(key: .residualScale, name: "residual_multiplier"),
        .init(key: .scoreScale, name: "attention_multiplier", absent: nil),
        .init(key: .logitScale, name: "logits_scaling", absent: nil),
      ],
      given: .init(hasFewBiases: true), endsAtWindow: false,
      options: { ["attention_bias": .bool($0.has("blk.0.attn_q.bias"))] }),
    GGUFArchitecture(
      name: "minicpm", modelTypes: ["minicpm"], modelClass: "MiniCPMForCausalLM", tensors: .llama,
      reordersRows: true,
      // Older files have no factors: they are of MiniCPM-2B.
      factors: [
        .init(key: .embeddingScale, name: "scale_emb", absent: 12),
        .init(key: .residualScale, name: "scale_depth", form: .overRootOfLayers, absent: 1.4),
        .init(key: .logitScale, name: "dim_model_base", form: .hiddenOver, absent: 256),
      ],
      given: .init(hasFewBiases: true), endsAtWindow: false, options: { _ in [:] }),
    GGUFArchitecture(
      name: "minicpm3", modelTypes: ["minicpm3"], modelClass: "MiniCPM3ForCausalLM", tensors: .miniCPM3,
      reordersRows: false, hasLatentHeads: true,
      given: .init(
        hasFewBiases: true, hasLongFactors: true,
        constants: ["scale_emb": 12, "scale_depth": 1.4, "dim_model_base": 256],
        withoutAdapters: latentMatrices),
      endsAtWindow: false, options: { _ in [:] }),
    GGUFArchitecture(
      name: "mistral3", modelTypes: ["ministral3"], modelClass: "Ministral3ForCausalLM", tensors: .llama,
      reordersRows: true, given: .init(takesYarnRamp: true, hasFewBiases: true, growsQueries: true),
      endsAtWindow: true,
      options: { _ in ["sliding_window": .null] }),
    GGUFArchitecture(
      name: "smollm3", modelTypes: ["smollm3"], modelClass: "SmolLM3ForCausalLM", tensors: .llama,
      reordersRows: true, given: .init(unturnedPeriod: 4, hasFewBiases: true), endsAtWindow: false,
      options: { ["attention_bias": .bool($0.has("blk.0.attn_q.bias"))] }),
    GGUFArchitecture(
      name: "olmo2", modelTypes: ["olmo3"], modelClass: "Olmo3ForCausalLM", tensors: .olmo2,
      reordersRows: false, isMeant: { $0.metadata["olmo2.attention.sliding_window"] != nil },
      numbers: [(.slidingWindow, "sliding_window")],
      given: .init(
        windowPeriod: 4, describesWindows: true, isTied: false, headsFillHidden: true, hasFewBiases: true),
      endsAtWindow: false,
      options: { ["attention_bias": .bool($0.has("blk.0.attn_q.bias"))] }),
    GGUFArchitecture(
      name: "olmo2", modelTypes: ["olmo2"], modelClass: "Olmo2ForCausalLM", tensors: .olmo2,
      reordersRows: false, given: .init(isTied: false, headsFillHidden: true, hasFewBiases: true),
      endsAtWindow: false,
      options: { ["attention_bias": .bool($0.has("blk.0.attn_q.bias"))] }),
    GGUFArchitecture(
      name: "ernie4_5", modelTypes: ["ernie4_5"], modelClass: "Ernie4_5ForCausalLM", tensors: .llama,
      reordersRows: false, given: .init(hasFewBiases: true), endsAtWindow: false,
      options: { _ in ["use_bias": .bool(false)] }),
    GGUFArchitecture(
      name: "seed_oss", modelTypes: ["seed_oss"], modelClass: "SeedOssForCausalLM", tensors: .seedOSS,
      reordersRows: false, given: .init(hasFewBiases: true), endsAtWindow: false,
      options: {
        ["attention_bias": .bool($0.has("blk.0.attn_q.bias")), "attention_out_bias": .bool(false)]
      }),
    GGUFArchitecture(
      name: "hunyuan-dense", modelTypes: ["hunyuan_v1_dense"], modelClass: "HunYuanDenseV1ForCausalLM",
      tensors: .hunYuan, reordersRows: false, given: .init(hasFewBiases: true), endsAtWindow: false,
      options: { ["attention_bias": .bool($0.has("blk.0.attn_q.bias"))] }),
  ]

  /// What has LLaMA's function under another name: files become LLaMA's, and what has q, k and v in one layer is written so.
  private static let likeLlama = [
    alike("llama", from: ["internlm2"], .internLM2), alike("llama", from: ["baichuan"], .baichuan),
    alike("internlm2", from: ["llama"], .llama), alike("xverse", from: ["llama"], .llama),
    alike("baichuan", from: ["llama"], .llama) { $0.metadata["baichuan.block_count"]?.int == 32 },
    GGUFArchitecture(
      name: "baichuan", modelTypes: ["baichuan"], modelClass: "BaichuanForCausalLM", tensors: .baichuan,
      reordersRows: true, isRead: false,
      given: .init(hasALiBi: true, layersWithALiBi: 40, headsFillHidden: true, hasFewBiases: true),
      endsAtWindow: false,
      options: { _ in [:] }),
  ]

  private static func alike(
    _ name: String, from modelTypes: [String], _ tensors: GGUFNames,
    isMeant: @escaping @Sendable (GGUFFile) -> Bool = { _ in true }
  ) -> GGUFArchitecture {
    GGUFArchitecture(
      name: name, modelTypes: modelTypes, modelClass: "LlamaForCausalLM", tensors: tensors,
      reordersRows: true,
      isMeant: isMeant, endsAtWindow: false,
      options: { ["attention_bias": .bool($0.has("blk.0.attn_q.bias")), "mlp_bias": .bool(false)] })
  }

  private static let older = [
    GGUFArchitecture(
      name: "qwen", modelTypes: ["qwen"], modelClass: "QWenLMHeadModel", tensors: .qwen,
      reordersRows: false, scalesRotary: false,
      memberNames: [
        "head_dim": "kv_channels", "max_position_embeddings": "seq_length",
        "rms_norm_eps": "layer_norm_epsilon", "rope_theta": "rotary_emb_base",
      ],
      countsGateAndUp: true, given: .init(isTied: false, headsFillHidden: true, hasFewBiases: true),
      endsAtWindow: false,
      options: { _ in ["no_bias": .bool(true)] }),
    GGUFArchitecture(
      name: "orion", modelTypes: ["orion"], modelClass: "OrionForCausalLM", tensors: .llama,
      reordersRows: false, normKey: .layerNormEpsilon,
      given: .init(headsFillHidden: true, hasFewBiases: true), endsAtWindow: false,
      options: { ["attention_bias": .bool($0.has("blk.0.attn_q.bias"))] }),
    GGUFArchitecture(
      name: "chatglm", modelTypes: ["chatglm"], modelClass: "ChatGLMForConditionalGeneration",
      tensors: .chatGLM, reordersRows: false, scalesRotary: false,
      memberNames: [
        "vocab_size": "padded_vocab_size", "num_hidden_layers": "num_layers", "head_dim": "kv_channels",
        "intermediate_size": "ffn_hidden_size", "max_position_embeddings": "seq_length",
        "rms_norm_eps": "layernorm_epsilon", "num_key_value_heads": "multi_query_group_num",
      ],
      isMeant: { $0.has("blk.0.attn_qkv.weight") }, turnsPartly: true,
      given: .init(headsFillHidden: true, hasFewBiases: true),
      endsAtWindow: false,
      options: { file in
        let base = file.metadata["chatglm.rope.freq_base"]?.double ?? 10_000
        return [
          "add_bias_linear": .bool(false), "add_qkv_bias": .bool(file.has("blk.0.attn_qkv.bias")),
          "multi_query_attention": .bool(true), "rope_ratio": .double(base / 10_000),
        ]
      }),
    GGUFArchitecture(
      name: "chatglm", modelTypes: ["glm"], modelClass: "GlmForCausalLM", tensors: .glm,
      reordersRows: false, turnsPartly: true, given: .init(headsFillHidden: true, hasFewBiases: true),
      endsAtWindow: false,
      options: { ["attention_bias": .bool($0.has("blk.0.attn_q.bias"))] }),
    GGUFArchitecture(
      name: "bloom", modelTypes: ["bloom"], modelClass: "BloomForCausalLM", tensors: .bloom,
      reordersRows: false, normKey: .layerNormEpsilon,
      memberNames: ["rms_norm_eps": "layer_norm_epsilon", "max_position_embeddings": "seq_length"],
      given: .init(hasALiBi: true), endsAtWindow: false, options: { _ in [:] }),
  ]

  private static let gemmas = [
    GGUFArchitecture(
      name: "gemma", modelTypes: ["gemma"], modelClass: "GemmaForCausalLM", tensors: .llama,
      reordersRows: false, addsOneToNorms: true, given: .init(isTied: true, hasFewBiases: true),
      endsAtWindow: false, options: { _ in gelu }),
    GGUFArchitecture(
      name: "gemma2", modelTypes: ["gemma2"], modelClass: "Gemma2ForCausalLM", tensors: .gemma2,
      reordersRows: false, addsOneToNorms: true,
      numbers: [
        (.slidingWindow, "sliding_window"), (.scoreCap, "attn_logit_softcapping"),
        (.logitCap, "final_logit_softcapping"),
      ],
      given: .init(windowPeriod: 2, scoreScalar: ("query_pre_attn_scalar", layers: 46)), endsAtWindow: false,
      options: { _ in gelu }),
    GGUFArchitecture(
      name: "gemma3", modelTypes: ["gemma3_text"], modelClass: "Gemma3ForCausalLM", tensors: .gemma3,
      reordersRows: false, addsOneToNorms: true,
      numbers: [(.slidingWindow, "sliding_window"), (.logitCap, "final_logit_softcapping")],
      given: .init(
        windowPeriod: 6, windowedTheta: 10_000, describesWindows: true,
        scoreScalar: ("query_pre_attn_scalar", layers: 62)),
      endsAtWindow: false, options: { _ in gelu.merging(["attn_logit_softcapping": .null]) { $1 } }),
  ]

  private static let gelu: [String: JSONValue] = [
    "hidden_act": .string("gelu_pytorch_tanh"), "hidden_activation": .string("gelu_pytorch_tanh"),
    "attention_bias": .bool(false),
  ]
}
