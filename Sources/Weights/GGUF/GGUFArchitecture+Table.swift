import FireflyBase

extension GGUFArchitecture {
  /// The kinds that are read and written. Source: llama.cpp's convert_hf_to_gguf.py.
  package static let all = [
    GGUFArchitecture(
      name: "llama", modelTypes: ["llama", "mistral"], modelClass: "LlamaForCausalLM", tensors: .llama,
      reordersRows: true, endsAtWindow: true,
      options: { file in
        [
          "attention_bias": .bool(file.has("blk.0.attn_q.bias")),
          "mlp_bias": .bool(file.has("blk.0.ffn_gate.bias")),
        ]
      }),
    GGUFArchitecture(
      name: "qwen2", modelTypes: ["qwen2"], modelClass: "Qwen2ForCausalLM", tensors: .llama,
      reordersRows: false, endsAtWindow: false,
      options: { _ in ["use_sliding_window": .bool(false)] }),
    GGUFArchitecture(
      name: "qwen3", modelTypes: ["qwen3"], modelClass: "Qwen3ForCausalLM", tensors: .qwen3,
      reordersRows: false, endsAtWindow: false,
      options: { _ in ["use_sliding_window": .bool(false), "attention_bias": .bool(false)] }),
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
        windowPeriod: 6, windowedTheta: 10_000, scoreScalar: ("query_pre_attn_scalar", layers: 62)),
      endsAtWindow: false, options: { _ in gelu.merging(["attn_logit_softcapping": .null]) { $1 } }),
  ]

  private static let gelu: [String: JSONValue] = [
    "hidden_act": .string("gelu_pytorch_tanh"), "hidden_activation": .string("gelu_pytorch_tanh"),
    "attention_bias": .bool(false),
  ]
}
