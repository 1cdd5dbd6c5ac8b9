import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyWeights
import Foundation

/// A model of the LLaMA kind as llama.cpp describes it: architecture, sizes, rotary scaling, the order of q and k rows.
/// Source: llama.cpp's convert_hf_to_gguf.py; the GGUF specification for the keys.
struct GGUFModel {
  /// `general.architecture`: llama for LLaMA and Mistral, or qwen2.
  let name: String
  let architecture: Architecture
  private let source: ModelSource
  private let place: String

  /// - Throws: `FireflyError` for a family that has no such file, or a feature that would be lost.
  init(_ source: ModelSource) throws {
    self.source = source
    place = source.gguf == nil ? "\(source.path)/config.json" : source.path
    architecture = try Architecture(config: source.config, source: source.path)
    let names = ["llama": "llama", "mistral": "llama", "qwen2": "qwen2"]
    let family = source.config["model_type"]?.string ?? ""
    guard let name = names[family] else {
      throw FireflyError(
        "models of this family cannot be exported as GGUF", at: "\(place): model_type",
        expected: names.keys.sorted().joined(separator: ", "), found: family)
    }
    self.name = name
    try refuse("use_sliding_window", unless: [.bool(false)])
  }

  private func refuse(_ key: String, unless supported: [JSONValue]) throws {
    guard let value = source.config[key], !supported.contains(value) else { return }
    throw FireflyError(
      "the exported file would lose this", at: "\(place): \(key)",
      expected: supported.map { $0.text() }.joined(separator: " or "), found: value.text())
  }

  // MARK: - Metadata

  func metadata(type: GGUFType) throws -> [(key: String, value: GGUFWriter.Value)] {
    let a = architecture
    let ids = "\(name)."
    return [
      ("general.architecture", .string(name)), ("general.type", .string("model")),
      ("general.name", .string((source.path as NSString).lastPathComponent)),
      ("general.file_type", .uint32(type.fileType)), ("general.quantization_version", .uint32(2)),
      (ids + "vocab_size", .uint32(a.vocabularySize)), (ids + "context_length", .uint32(contextLength)),
      (ids + "embedding_length", .uint32(a.hiddenSize)), (ids + "block_count", .uint32(a.layers)),
      (ids + "feed_forward_length", .uint32(a.intermediateSize)),
      (ids + "attention.head_count", .uint32(a.heads)),
      (ids + "attention.head_count_kv", .uint32(a.keyValueHeads)),
      (ids + "attention.key_length", .uint32(a.headDim)),
      (ids + "attention.value_length", .uint32(a.headDim)),
      (ids + "attention.layer_norm_rms_epsilon", .float32(a.normEpsilon)),
      (ids + "rope.dimension_count", .uint32(a.headDim)), (ids + "rope.freq_base", .float32(Float(theta))),
    ] + (try scaling())
  }

  /// llama.cpp knows no sliding window for this architecture: texts within one window are all that it gets right.
  private var contextLength: Int {
    let window = source.config["sliding_window"]?.int ?? architecture.maxPositions
    return name == "llama" ? min(window, architecture.maxPositions) : architecture.maxPositions
  }

  private var rope: JSONValue? { source.config["rope_parameters"] ?? source.config["rope_scaling"] }

  private var theta: Double {
    rope?["rope_theta"]?.double ?? source.config["rope_theta"]?.double ?? 10_000
  }

  private var scalingType: String { rope?["rope_type"]?.string ?? rope?["type"]?.string ?? "default" }

  private func scaling() throws -> [(key: String, value: GGUFWriter.Value)] {
    let key = "\(name).rope.scaling."
    switch scalingType {
    case "default", "llama3": return []
    case "linear", "yarn":
      var pairs: [(key: String, value: GGUFWriter.Value)] = [
        (key + "type", .string(scalingType)), (key + "factor", .float32(Float(try number("factor")))),
      ]
      guard scalingType == "yarn" else { return pairs }
      let length = rope?["original_max_position_embeddings"]?.int ?? architecture.maxPositions
      pairs.append((key + "original_context_length", .uint32(length)))
      for (option, spelt) in [
        ("attention_factor", "attn_factor"), ("beta_fast", "yarn_beta_fast"), ("beta_slow", "yarn_beta_slow"),
      ] where rope?[option] != nil {
        pairs.append((key + spelt, .float32(Float(try number(option)))))
      }
      return pairs
    default:
      throw FireflyError(
        "the exported file would lose this rotary scaling", at: "\(place): rope_type",
        expected: "default, linear, yarn or llama3", found: scalingType)
    }
  }

  private func number(_ key: String) throws -> Double {
    guard let number = rope?[key]?.double, number.isFinite, number > 0 else {
      throw FireflyError("wrong value", at: "\(place): rope scaling's \(key)", expected: "a number above 0")
    }
    return number
  }

  // MARK: - Tensors

  /// The name in the file and the heads whose rows are reordered; nil for a tensor that the file does not hold.
  func place(of tensor: String) throws -> (name: String, heads: Int?)? {
    if tensor.hasSuffix("rotary_emb.inv_freq") || (architecture.tiedHead && tensor == "lm_head.weight") {
      return nil
    }
    guard let ggufName = GGUFNames.ggufName(of: tensor) else {
      throw FireflyError(
        "the exported file has no place for this tensor", at: "\(source.path): \(tensor)",
        expected: "a tensor of a LLaMA-like model")
    }
    return (ggufName, heads(ggufName))
  }

  /// llama.cpp turns neighbouring rows of q and k together for the architecture llama; qwen2 keeps transformers' order.
  func heads(_ ggufName: String) -> Int? {
    guard name == "llama" else { return nil }
    if ggufName.contains(".attn_q.") { return architecture.heads }
    return ggufName.contains(".attn_k.") ? architecture.keyValueHeads : nil
  }

  /// Head by head, row j to 2j and row j + D/2 to 2j + 1.
  static func interleaved(_ tensor: Tensor, heads: Int) -> Tensor {  // [H·D, …] float32
    let rows = tensor.shape[0]
    let half = rows / heads / 2
    let order = (0..<rows).map { row in
      let (head, inHead) = row.quotientAndRemainder(dividingBy: 2 * half)
      return Int32(head * 2 * half + inHead / 2 + inHead % 2 * half)
    }
    let matrix = tensor.reshaped([rows, tensor.count / rows])
    let out = Tensor(matrix.shape, tensor.dtype)
    Ops.gatherRows(out.matrix, matrix.matrix, rows: order)
    return out.reshaped(tensor.shape)
  }

  /// Llama 3's scaling is kept as a divisor for each frequency.
  func frequencyFactors() throws -> GGUFWriter.Item? {
    guard scalingType == "llama3" else { return nil }
    let size = architecture.headDim
    let rule = Llama3Rope(
      factor: try number("factor"), low: try number("low_freq_factor"), high: try number("high_freq_factor"),
      originalLength: try number("original_max_position_embeddings"), theta: theta, headDim: size)
    let divisors = rule.divisors.map { Float($0) }
    return GGUFWriter.Item(name: "rope_freqs.weight", shape: [size / 2], type: .float32) {
      Tensor(divisors, [size / 2])
    }
  }
}
