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
  ]
}
