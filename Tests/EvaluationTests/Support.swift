import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyText
import FireflyWeights
import Foundation

/// A tokenizer whose ids are UTF-8 bytes; 256 begins and 257 ends a text.
struct ByteTokenizer: Tokenizer {
  let vocabularySize = 258
  let bos: Int32? = 256
  let eos: Int32? = 257
  let pad: Int32? = nil
  let unk: Int32? = nil
  var addsBOS = true
  let specialIDs: Set<Int32> = [256, 257]
  var chatTemplate: String?

  func encode(_ text: String, parseSpecial: Bool) -> [Int32] { text.utf8.map(Int32.init) }
  func token(of id: Int32) -> String? {
    id == 256 ? "<s>" : id == 257 ? "</s>" : (0..<256).contains(id) ? String(UnicodeScalar(UInt8(id))) : nil
  }
  func id(of token: String) -> Int32? { token == "<s>" ? 256 : token == "</s>" ? 257 : nil }
  func makeStreamingDecoder(skipSpecial: Bool) -> StreamingDecoder { StreamingDecoder(Bytes()) }

  private struct Bytes: DecodingState {
    mutating func append(_ id: Int32, to out: inout [UInt8]) { if id < 256 { out.append(UInt8(id)) } }
    mutating func finish(to out: inout [UInt8]) {}
  }
}

/// A random two-layer LLaMA of 260 ids, float32.
enum TinyModel {
  static let vocabulary = 260

  static func make(maxPositions: Int = 2048) throws -> Transformer {
    let folder = try TemporaryFolder()
    let config: JSONValue = .object([
      "model_type": .string("llama"), "hidden_size": .int(32), "intermediate_size": .int(64),
      "num_hidden_layers": .int(2), "num_attention_heads": .int(4), "num_key_value_heads": .int(2),
      "vocab_size": .int(vocabulary), "max_position_embeddings": .int(maxPositions),
      "rms_norm_eps": .double(1e-5), "rope_theta": .double(10_000), "hidden_act": .string("silu"),
      "tie_word_embeddings": .bool(false),
    ])
    try folder.write(config.text(), to: "config.json")
    try SafeTensorsWriter.write(tensors(), to: folder.path + "/model.safetensors")
    return try Transformer.load(ModelSource.open(folder.path), compute: .float32, quantization: .none)
  }

  private static func tensors() -> [(name: String, tensor: Tensor)] {
    var random = CounterRandom(seed: 5)
    func uniform(_ shape: [Int], _ scale: Float) -> Tensor {
      Tensor((0..<shape.reduce(1, *)).map { _ in (2 * random.float() - 1) * scale }, shape)
    }
    let ones = Tensor([Float](repeating: 1, count: 32), [32])
    var all = [
      ("model.embed_tokens.weight", uniform([vocabulary, 32], 0.5)), ("model.norm.weight", ones),
      ("lm_head.weight", uniform([vocabulary, 32], 0.8)),
    ]
    for layer in 0..<2 {
      let prefix = "model.layers.\(layer)."
      all += [(prefix + "input_layernorm.weight", ones), (prefix + "post_attention_layernorm.weight", ones)]
      let linears = [
        ("self_attn.q_proj", 32, 32), ("self_attn.k_proj", 16, 32), ("self_attn.v_proj", 16, 32),
        ("self_attn.o_proj", 32, 32), ("mlp.gate_proj", 64, 32), ("mlp.up_proj", 64, 32),
        ("mlp.down_proj", 32, 64),
      ]
      for (name, outputs, inputs) in linears {
        all.append((prefix + name + ".weight", uniform([outputs, inputs], 0.4)))
      }
    }
    return all.map { (name: $0.0, tensor: $0.1) }
  }
}

extension Transformer {
  /// Σ log p of `continuation` behind `context`, the slow way: logits of every position, softmax in double precision.
  func naiveLogLikelihood(_ context: [Int32], _ continuation: [Int32]) -> (sum: Double, isGreedy: Bool) {
    let tokens = Array((context + continuation).dropLast())
    let logits = logits(tokens: tokens, starts: [0, Int32(tokens.count)])
    var sum = 0.0
    var isGreedy = true
    for (offset, id) in continuation.enumerated() {
      let position = context.count - 1 + offset
      let row = logits.slice(position..<position + 1).floats.map(Double.init)
      let largest = row.reduce(-.infinity, max)
      sum += row[Int(id)] - largest - log(row.reduce(0) { $0 + exp($1 - largest) })
      isGreedy = isGreedy && row.firstIndex(of: largest) == Int(id)
    }
    return (sum, isGreedy)
  }
}
