import FireflyTensors
import FireflyTestSupport
import FireflyWeights

/// A tiny LLaMA as a GGUF file whose matrices are random blocks of every format.
struct BlockFile {
  static let vocabulary = 48
  private static let (hidden, feedForward, heads, keyValueHeads, headDim) = (256, 96, 4, 2, 16)

  let path: String
  /// The head is the embedding.
  let isTied: Bool
  private var random = TestRandom(seed: 17)

  /// Writes it into `folder`.
  ///
  /// - Parameter vocabulary: another one: of many tokens the rows are a few again and again, which is made sooner.
  init(in folder: String, isTied: Bool = false, vocabulary: Int = vocabulary) throws {
    path = "\(folder)/blocks.gguf"
    self.isTied = isTied
    let (c, f) = (BlockFile.hidden, BlockFile.feedForward)
    let (q, kv) = (BlockFile.heads * BlockFile.headDim, BlockFile.keyValueHeads * BlockFile.headDim)
    var items = [matrix("token_embd", [vocabulary, c], .q6_K)]
    if !isTied { items.append(matrix("output", [vocabulary, c], .q8_0)) }
    items.append(norm("output_norm", c))
    let formats: [[BlockFormat]] = [
      [.q4_K, .q6_K, .q5_K, .q4_0, .q2_K, .q3_K, .q5_0],
      [.iq4_XS, .iq4_NL, .q4_1, .q5_1, .q8_0, .q4_K, .mxfp4],
    ]
    for (layer, own) in formats.enumerated() {
      let shapes = [
        ("attn_q", [q, c]), ("attn_k", [kv, c]), ("attn_v", [kv, c]), ("attn_output", [c, q]),
        ("ffn_gate", [f, c]), ("ffn_up", [f, c]), ("ffn_down", [c, f]),
      ]
      for ((name, shape), format) in zip(shapes, own) {
        items.append(matrix("blk.\(layer).\(name)", shape, format))
      }
      items += ["attn_norm", "ffn_norm"].map { norm("blk.\(layer).\($0)", c) }
    }
    try GGUFWriter.write(metadata: BlockFile.metadata(vocabulary), items, to: path)
  }

  private static func metadata(_ vocabulary: Int) -> [(key: String, value: GGUFWriter.Value)] {
    [
      ("general.architecture", .string("llama")), ("llama.block_count", .uint32(2)),
      ("llama.context_length", .uint32(128)), ("llama.embedding_length", .uint32(hidden)),
      ("llama.feed_forward_length", .uint32(feedForward)), ("llama.attention.head_count", .uint32(heads)),
      ("llama.attention.head_count_kv", .uint32(keyValueHeads)), ("llama.vocab_size", .uint32(vocabulary)),
      ("llama.attention.key_length", .uint32(headDim)), ("llama.attention.value_length", .uint32(headDim)),
      ("llama.attention.layer_norm_rms_epsilon", .float32(1e-5)), ("llama.rope.freq_base", .float32(10_000)),
    ]
  }

  private func norm(_ name: String, _ size: Int) -> GGUFWriter.Item {
    GGUFWriter.Item(name: "\(name).weight", shape: [size], type: .float32) {
      Tensor([Float](repeating: 1, count: size), [size])
    }
  }

  private mutating func matrix(_ name: String, _ shape: [Int], _ format: BlockFormat) -> GGUFWriter.Item {
    let blocks = shape[0] * shape[1] / format.elements
    var bytes: [UInt8] = []
    for _ in 0..<min(blocks, 2048) {
      var block = (0..<format.bytes).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      for (offset, value) in format.scales {
        let scale = Tensor([value * (1 + random.float() / 2)], [1])
        block.replaceSubrange(
          offset..<offset + 2, with: FireflyTestSupport.bytes(scale.converted(to: .float16)))
      }
      if format == .mxfp4 { block[0] = 121 }  // 2⁻⁶
      bytes += block
    }
    return GGUFWriter.Item(name: "\(name).weight", shape: shape, type: format.stored) {
      let tensor = Tensor([blocks * format.bytes], .uint8)
      for start in stride(from: 0, to: tensor.count, by: bytes.count) {
        let part = tensor.slice(start..<min(start + bytes.count, tensor.count))
        part.copyBytes(Array(bytes.prefix(part.count)))
      }
      return tensor
    }
  }
}

extension BlockFormat {
  fileprivate var stored: StoredType {
    StoredType(rawValue: "\(self)".uppercased()) ?? .float32
  }

  /// Where a block's half-precision numbers stand, and what makes weights of about 0.05 with random codes.
  fileprivate var scales: [(offset: Int, value: Float)] {
    switch self {
    case .q4_0: [(0, 0.01)]
    case .q4_1: [(0, 0.01), (2, -0.075)]
    case .q5_0: [(0, 0.005)]
    case .q5_1: [(0, 0.005), (2, -0.075)]
    case .q8_0, .iq4_NL: [(0, 7e-4)]
    case .q4_K: [(0, 2e-4), (2, 1.5e-3)]
    case .q5_K: [(0, 1e-4), (2, 1.5e-3)]
    case .q6_K: [(208, 5e-5)]
    case .q2_K: [(80, 5e-3), (82, 7e-3)]
    case .q3_K: [(108, 1e-3)]
    case .iq4_XS: [(0, 4e-5)]
    case .mxfp4: []
    }
  }
}
