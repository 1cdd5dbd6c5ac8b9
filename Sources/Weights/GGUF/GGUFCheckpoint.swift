import FireflyBase
import FireflyTensors

/// A GGUF file of a LLaMA-like architecture as transformers' checkpoint: names, row order, config.json.
///
/// Sources: llama.cpp's convert_hf_to_gguf.py for the order of q and k rows; the GGUF specification for keys.
struct GGUFCheckpoint {
  /// `general.architecture`, the same as transformers' model_type.
  enum Kind: String, CaseIterable {
    case llama, qwen2
  }

  let gguf: GGUFFile
  let kind: Kind
  let layers: Int
  let heads: Int
  let keyValueHeads: Int
  let headDim: Int
  let hiddenSize: Int

  /// - Throws: `FireflyError` for another architecture, a missing or impossible size, or a feature that transformers'
  ///   model of this kind has not.
  init(_ gguf: GGUFFile) throws {
    let architecture = gguf.metadata["general.architecture"]
    guard let kind = architecture?.string.flatMap(Kind.init(rawValue:)) else {
      throw FireflyError(
        "the architecture is not supported", at: "\(gguf.path): general.architecture",
        expected: Kind.allCases.map(\.rawValue).joined(separator: " or "),
        found: architecture.map { $0.string ?? $0.kind } ?? "none")
    }
    self.gguf = gguf
    self.kind = kind
    try GGUFCheckpoint.checkKeys(gguf, kind)
    layers = try gguf.size("\(kind).block_count")
    hiddenSize = try gguf.size("\(kind).embedding_length")
    heads = try gguf.size("\(kind).attention.head_count")
    keyValueHeads = try gguf.optionalSize("\(kind).attention.head_count_kv") ?? heads
    headDim = try gguf.optionalSize("\(kind).attention.key_length") ?? hiddenSize / heads
    try checkHeads()
  }

  private func checkHeads() throws {
    func check(_ holds: Bool, _ key: String, expected: String, found: Int) throws {
      guard holds else {
        throw FireflyError(
          "the model's sizes do not fit together", at: "\(gguf.path): \(kind).\(key)", expected: expected,
          found: "\(found)")
      }
    }
    let keyLength = gguf.metadata["\(kind).attention.key_length"] != nil
    try check(
      keyLength || hiddenSize % heads == 0, "attention.head_count", expected: "a divisor of \(hiddenSize)",
      found: heads)
    try check(
      heads % keyValueHeads == 0, "attention.head_count_kv", expected: "a divisor of \(heads)",
      found: keyValueHeads)
    try check(headDim % 2 == 0, "attention.key_length", expected: "an even number", found: headDim)
    let valueLength = try gguf.optionalSize("\(kind).attention.value_length") ?? headDim
    try check(valueLength == headDim, "attention.value_length", expected: "\(headDim)", found: valueLength)
    let rotary = try gguf.optionalSize("\(kind).rope.dimension_count") ?? headDim
    try check(rotary == headDim, "rope.dimension_count", expected: "\(headDim), all of a head", found: rotary)
  }

  /// Keys that this file understands; those of other models of these kinds (experts, sliding windows, scales) are
  /// refused.
  private static let knownKeys: Set<String> = [
    "block_count", "context_length", "embedding_length", "feed_forward_length", "vocab_size",
    "attention.head_count", "attention.head_count_kv", "attention.key_length", "attention.value_length",
    "attention.layer_norm_rms_epsilon", "rope.dimension_count", "rope.freq_base", "rope.scale_linear",
    "rope.scaling.type", "rope.scaling.factor", "rope.scaling.original_context_length",
    "rope.scaling.finetuned",
    "rope.scaling.attn_factor", "rope.scaling.yarn_beta_fast", "rope.scaling.yarn_beta_slow",
    "tensor_data_layout",
  ]

  private static func checkKeys(_ gguf: GGUFFile, _ kind: Kind) throws {
    let prefix = "\(kind)."
    for key in gguf.metadata.keys.sorted() where key.hasPrefix(prefix) {
      let short = String(key.dropFirst(prefix.count))
      let isZero = gguf.metadata[key]?.double == 0
      guard knownKeys.contains(short) || (short.hasPrefix("expert") && isZero) else {
        throw FireflyError(
          "the model has a feature that is not supported", at: "\(gguf.path): \(key)",
          found: gguf.metadata[key].map { $0.int.map(String.init) ?? $0.string ?? $0.kind })
      }
    }
  }

  // MARK: - Tensors

  /// The tensors under transformers' names; names of no such tensor stay as they are.
  func tensors() throws -> [StoredTensor] {
    try gguf.tensors.filter { $0.name != GGUFCheckpoint.frequencyFactors }.map { info in
      let name = GGUFNames.checkpointName(of: info.name) ?? info.name
      var stored = StoredTensor(info: info.renamed(name), file: gguf.file)
      guard let heads = turningHeads(name) else { return stored }
      guard info.shape[0] == heads * headDim else {
        throw FireflyError(
          "the tensor's rows do not fit the heads", at: "\(gguf.path): \(info.name)",
          expected: "\(heads) heads of \(headDim)", found: "\(info.shape[0]) rows")
      }
      if kind == .llama { stored.layout = .rotary(heads: heads) }
      return stored
    }
  }

  /// The heads of a tensor whose rows turn with the position: llama.cpp turns neighbouring rows together for llama,
  /// and keeps transformers' order for qwen2.
  private func turningHeads(_ name: String) -> Int? {
    if name.contains(".self_attn.q_proj.") { return heads }
    return name.contains(".self_attn.k_proj.") ? keyValueHeads : nil
  }

  /// Rotary frequencies divided by these: how llama.cpp stores Llama 3.1's scaling.
  static let frequencyFactors = "rope_freqs.weight"
}

extension TensorInfo {
  fileprivate func renamed(_ name: String) -> TensorInfo {
    TensorInfo(name: name, type: type, shape: shape, path: path, range: range)
  }
}

extension GGUFFile {
  /// A size from 1; an array of equal sizes, one a layer, counts as its element.
  func optionalSize(_ key: String) throws -> Int? {
    guard let value = metadata[key] else { return nil }
    var size = value.int
    if let list = value.ints, let first = list.first, list.allSatisfy({ $0 == first }) { size = first }
    guard let size, size > 0, size <= Int(Int32.max) else {
      throw FireflyError(
        "the metadata value is wrong", at: "\(path): \(key)",
        expected: "a whole number from 1, the same in every layer",
        found: value.int.map(String.init) ?? value.kind)
    }
    return size
  }

  func size(_ key: String) throws -> Int {
    guard let size = try optionalSize(key) else {
      throw FireflyError(
        "the metadata lacks a size", at: "\(path): \(key)", expected: "a whole number from 1")
    }
    return size
  }

  /// A finite number above 0; nil when absent.
  func optionalNumber(_ key: String) throws -> Double? {
    guard let value = metadata[key] else { return nil }
    guard let number = value.double, number.isFinite, number > 0 else {
      throw FireflyError(
        "the metadata value is wrong", at: "\(path): \(key)", expected: "a number above 0",
        found: value.double.map { "\($0)" } ?? value.kind)
    }
    return number
  }
}
