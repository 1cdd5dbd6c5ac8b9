import Foundation

/// Writes GGUF files byte by byte, valid or not. The default is a llama of one layer in F32: hidden 4, 2 heads of 2 over
/// 1 key-value head, MLP 3, vocabulary 5.
struct GGUFBuilder {
  struct Pair {
    var key: String
    var type: UInt32
    var value: [UInt8]
  }

  struct Entry {
    var name: String
    /// Innermost first, as in the file.
    var dimensions: [UInt64]
    var type: UInt32 = 0
    var data: [UInt8]
    /// Replaces the true offset.
    var offset: UInt64?
  }

  var magic = "GGUF"
  var version: UInt32 = 3
  var pairs: [Pair] = []
  var entries: [Entry] = []
  var alignment = 32
  /// Replace the true counts.
  var tensorCount: UInt64?
  var pairCount: UInt64?

  static func string(_ text: String) -> [UInt8] { littleEndian([UInt64(text.utf8.count)]) + Array(text.utf8) }

  mutating func set(_ key: String, _ number: Int) { set(key, 4, littleEndian([UInt32(number)])) }
  mutating func set(_ key: String, _ number: Float) { set(key, 6, littleEndian([number])) }
  mutating func set(_ key: String, _ text: String) { set(key, 8, GGUFBuilder.string(text)) }
  mutating func set(_ key: String, _ type: UInt32, _ value: [UInt8]) {
    remove(key)
    pairs.append(Pair(key: key, type: type, value: value))
  }
  mutating func remove(_ key: String) { pairs.removeAll { $0.key == key } }

  /// The same sizes under another architecture's keys.
  mutating func setArchitecture(_ name: String) {
    let old = "llama."
    for index in pairs.indices where pairs[index].key.hasPrefix(old) {
      pairs[index].key = "\(name)." + pairs[index].key.dropFirst(old.count)
    }
    set("general.architecture", name)
  }

  /// A float32 tensor of `shape`, outermost first.
  mutating func add(_ name: String, _ shape: [Int], _ values: [Float]) {
    entries.append(
      Entry(name: name, dimensions: shape.reversed().map { UInt64($0) }, data: littleEndian(values)))
  }

  var data: Data {
    var header = Data(magic.utf8) + Data(littleEndian([version]))
    header += littleEndian([tensorCount ?? UInt64(entries.count), pairCount ?? UInt64(pairs.count)])
    for pair in pairs { header += GGUFBuilder.string(pair.key) + littleEndian([pair.type]) + pair.value }
    var body = Data()
    for entry in entries {
      header += GGUFBuilder.string(entry.name) + littleEndian([UInt32(entry.dimensions.count)])
      header += littleEndian(entry.dimensions) + littleEndian([entry.type])
      header += littleEndian([entry.offset ?? UInt64(body.count)])
      body += entry.data
      body += Data(count: (alignment - body.count % alignment) % alignment)
    }
    header += Data(count: (alignment - header.count % alignment) % alignment)
    return header + body
  }

  /// Bytes of the tensors and what pads them.
  var bodyCount: Int {
    entries.reduce(0) { $0 + ($1.data.count + alignment - 1) / alignment * alignment }
  }

  static var llama: GGUFBuilder {
    var file = GGUFBuilder()
    file.set("general.architecture", "llama")
    file.set("llama.block_count", 1)
    file.set("llama.context_length", 64)
    file.set("llama.embedding_length", 4)
    file.set("llama.feed_forward_length", 3)
    file.set("llama.attention.head_count", 2)
    file.set("llama.attention.head_count_kv", 1)
    file.set("llama.attention.layer_norm_rms_epsilon", Float(1e-6))
    let shapes = [
      ("token_embd", [5, 4]), ("output_norm", [4]), ("blk.0.attn_norm", [4]), ("blk.0.ffn_norm", [4]),
      ("blk.0.attn_q", [4, 4]), ("blk.0.attn_k", [2, 4]), ("blk.0.attn_v", [2, 4]),
      ("blk.0.attn_output", [4, 4]),
      ("blk.0.ffn_gate", [3, 4]), ("blk.0.ffn_up", [3, 4]), ("blk.0.ffn_down", [4, 3]),
    ]
    for (name, shape) in shapes {
      file.add("\(name).weight", shape, (0..<shape.reduce(1, *)).map { Float($0) })
    }
    return file
  }
}
