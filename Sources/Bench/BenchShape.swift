import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyWeights
import Foundation

/// A model's shape to measure with random weights.
package struct BenchShape: Sendable {
  package let name: String
  /// What is measured, in words.
  package let title: String
  let hidden, intermediate, layers, heads, keyValueHeads, vocabulary: Int

  package init(
    name: String, title: String, hidden: Int, intermediate: Int, layers: Int, heads: Int, keyValueHeads: Int,
    vocabulary: Int
  ) {
    self.name = name
    self.title = title
    self.hidden = hidden
    self.intermediate = intermediate
    self.layers = layers
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.vocabulary = vocabulary
  }

  /// SmolLM2-135M, whole.
  package static let smollm2 = BenchShape(
    name: "smollm2", title: "SmolLM2-135M", hidden: 576, intermediate: 1536, layers: 30, heads: 9,
    keyValueHeads: 3, vocabulary: 49_152)
  /// Four blocks of it with a small vocabulary: quickly measured, and what Benchmarks/counts.json holds.
  package static let smollm2Blocks = BenchShape(
    name: "smollm2-blocks", title: "four blocks of SmolLM2-135M", hidden: 576, intermediate: 1536, layers: 4,
    heads: 9, keyValueHeads: 3, vocabulary: 1024)
  /// Two blocks of LLaMA-7B: the first block of a model has no input gradient, the second has.
  package static let llama7B = BenchShape(
    name: "llama7b", title: "two blocks of LLaMA-7B", hidden: 4096, intermediate: 11_008, layers: 2,
    heads: 32,
    keyValueHeads: 32, vocabulary: 1024)
  /// Two blocks of Ziya-LLaMA-13B.
  package static let ziya13B = BenchShape(
    name: "ziya13b", title: "two blocks of Ziya-LLaMA-13B", hidden: 5120, intermediate: 13_824, layers: 2,
    heads: 40, keyValueHeads: 40, vocabulary: 1024)
  /// Ziya-LLaMA-13B, whole.
  package static let ziya13BWhole = BenchShape(
    name: "whole-ziya13b", title: "Ziya-LLaMA-13B", hidden: 5120, intermediate: 13_824, layers: 40,
    heads: 40, keyValueHeads: 40, vocabulary: 39_424)
  package static let all = [smollm2, smollm2Blocks, llama7B, ziya13B, ziya13BWhole]

  package var config: JSONValue {
    .object([
      "model_type": .string("llama"), "hidden_size": .int(hidden), "intermediate_size": .int(intermediate),
      "num_hidden_layers": .int(layers), "num_attention_heads": .int(heads),
      "num_key_value_heads": .int(keyValueHeads), "vocab_size": .int(vocabulary),
      "tie_word_embeddings": .bool(true), "max_position_embeddings": .int(8192),
      "rms_norm_eps": .double(1e-5),
      "quantization_config": BitsAndBytes.quantizationConfig(double: true, compute: .bfloat16),
    ])
  }

  /// A model of this shape with random NF4 weights, loaded as any other from a folder that is then removed.
  ///
  /// - Throws: `FireflyError` when the temporary folder has no room.
  func load(compute: DType, on device: any Device = CPU.shared) throws -> Transformer {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "firefly-bench-\(getpid())-\(name)"
    ).path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try AtomicFile.makeFolder(folder)
    try AtomicFile.write(config, to: "\(folder)/\(ModelFiles.config)")
    try SafeTensorsWriter.write(tensors(), to: "\(folder)/model.safetensors")
    return try Transformer.load(
      ModelSource.open(folder), compute: compute, quantization: .none, device: device)
  }

  private func tensors() -> [(name: String, tensor: Tensor)] {
    let keys = keyValueHeads * (hidden / heads)
    let linears = [
      ("self_attn.q_proj", hidden, hidden), ("self_attn.k_proj", keys, hidden),
      ("self_attn.v_proj", keys, hidden), ("self_attn.o_proj", hidden, hidden),
      ("mlp.gate_proj", intermediate, hidden), ("mlp.up_proj", intermediate, hidden),
      ("mlp.down_proj", hidden, intermediate),
    ].map {
      ($0.0, NF4Tensor.quantize(Tensor.random([$0.1, $0.2], .bfloat16, seed: UInt64($0.1)), double: true))
    }
    let ones = Tensor([Float](repeating: 1, count: hidden), [hidden])
    var result = [
      ("model.embed_tokens.weight", Tensor.random([vocabulary, hidden], .bfloat16, seed: 7)),
      ("model.norm.weight", ones),
    ]
    for layer in 0..<layers {
      let prefix = "model.layers.\(layer)."
      for (name, weight) in linears { result += BitsAndBytes.tensors(prefix + name + ".weight", weight) }
      result += [
        (prefix + "input_layernorm.weight", ones), (prefix + "post_attention_layernorm.weight", ones),
      ]
    }
    return result.map { (name: $0.0, tensor: $0.1) }
  }
}
