import FireflyBase
import FireflyTensors

/// A GGUF file as transformers' checkpoint: names, row order, config.json.
struct GGUFCheckpoint {
  let gguf: GGUFFile
  let architecture: GGUFArchitecture
  let layers: Int
  let heads: Int
  let keyValueHeads: Int
  let headDim: Int
  let hiddenSize: Int

  /// - Throws: `FireflyError` for another architecture, a missing or impossible size, or a feature that transformers'
  ///   model of this kind has not.
  init(_ gguf: GGUFFile) throws {
    guard let architecture = GGUFArchitecture.of(gguf) else { throw GGUFCheckpoint.unknownKind(gguf) }
    self.gguf = gguf
    self.architecture = architecture
    try GGUFCheckpoint.checkKeys(gguf, architecture)
    layers = try gguf.size(architecture.key(.blockCount))
    hiddenSize = try gguf.size(architecture.key(.embeddingLength))
    heads = try gguf.size(architecture.key(.headCount))
    keyValueHeads = try gguf.optionalSize(architecture.key(.keyValueHeadCount)) ?? heads
    headDim = try gguf.optionalSize(architecture.key(.keyLength)) ?? hiddenSize / heads
    try checkHeads()
  }

  private static func unknownKind(_ gguf: GGUFFile) -> FireflyError {
    let named = gguf.metadata["general.architecture"]
    let known = Set(GGUFArchitecture.all.filter(\.isRead).map(\.name))
    let name = named.map { $0.string ?? $0.kind } ?? "none"
    return FireflyError(
      "the architecture is not supported", at: "\(gguf.path): general.architecture",
      expected: known.sorted().joined(separator: ", "),
      found: known.contains(name) ? "\(name) of another size" : name)
  }

  private func checkHeads() throws {
    func check(_ holds: Bool, _ key: GGUFKey, expected: String, found: Int) throws {
      guard holds else {
        throw FireflyError(
          "the model's sizes do not fit together", at: "\(gguf.path): \(architecture.key(key))",
          expected: expected, found: "\(found)")
      }
    }
    let hasKeyLength = gguf.metadata[architecture.key(.keyLength)] != nil
    try check(
      hasKeyLength || hiddenSize % heads == 0, .headCount, expected: "a divisor of \(hiddenSize)",
      found: heads)
    try check(
      heads % keyValueHeads == 0, .keyValueHeadCount, expected: "a divisor of \(heads)",
      found: keyValueHeads)
    try check(headDim % 2 == 0, .keyLength, expected: "an even number", found: headDim)
    let rotary = try rotaryDimensions()
    if architecture.hasLatentHeads {
      return try check(
        rotary < headDim && rotary % 2 == 0, .rotaryDimensions, expected: "an even number below \(headDim)",
        found: rotary)
    }
    let valueLength = try gguf.optionalSize(architecture.key(.valueLength)) ?? headDim
    try check(valueLength == headDim, .valueLength, expected: "\(headDim)", found: valueLength)
    if architecture.turnsPartly {
      try check(
        rotary <= headDim && rotary % 2 == 0, .rotaryDimensions, expected: "an even number up to \(headDim)",
        found: rotary)
    } else {
      try check(rotary == headDim, .rotaryDimensions, expected: "\(headDim), all of a head", found: rotary)
    }
  }

  /// Dimensions of a head that turn.
  func rotaryDimensions() throws -> Int {
    try gguf.optionalSize(architecture.key(.rotaryDimensions)) ?? headDim
  }

  /// Keys that are not known (experts, sliding windows, scales) are refused.
  private static func checkKeys(_ gguf: GGUFFile, _ architecture: GGUFArchitecture) throws {
    let prefix = "\(architecture.name)."
    for key in gguf.metadata.keys.sorted() where key.hasPrefix(prefix) {
      let short = String(key.dropFirst(prefix.count))
      let isZero = gguf.metadata[key]?.double == 0
      let isKnown = GGUFKey(rawValue: short).map(architecture.knows) ?? false
      guard isKnown || (short.hasPrefix("expert") && isZero) else {
        throw FireflyError(
          "the model has a feature that is not supported", at: "\(gguf.path): \(key)",
          found: gguf.metadata[key].map { $0.int.map(String.init) ?? $0.string ?? $0.kind })
      }
    }
  }

  // MARK: - Tensors

  /// The tensors under transformers' names; names of no such tensor stay as they are.
  func tensors() throws -> [StoredTensor] {
    try gguf.tensors.filter { !isRotaryFactors($0) }.flatMap { info in
      if let experts = architecture.experts?.split(info) { return experts.map(gguf.stored) }
      return [try tensor(info)]
    }
  }

  /// What config.json tells in place of a tensor.
  private func isRotaryFactors(_ info: TensorInfo) -> Bool {
    info.name == Llama3Rope.tensorName
      || architecture.given.hasLongFactors && LongRope.tensorNames.contains(info.name)
  }

  private func tensor(_ info: TensorInfo) throws -> StoredTensor {
    let name = architecture.tensors.checkpointName(of: info.name) ?? info.name
    var stored = gguf.stored(info.renamed(name))
    if architecture.addsOneToNorms && GGUFNames.isNorm(info.name) { stored.shift = -1 }
    if architecture.given.hasALiBi, info.name.contains(".attn_qkv.") { stored.layout = .apart(heads: heads) }
    let turning = GGUFNames.turningHeads(info.name, heads: heads, keyValueHeads: keyValueHeads)
    guard let heads = turning else { return stored }
    guard info.shape[0] == heads * headDim else {
      throw FireflyError(
        "the tensor's rows do not fit the heads", at: "\(gguf.path): \(info.name)",
        expected: "\(heads) heads of \(headDim)", found: "\(info.shape[0]) rows")
    }
    if architecture.reordersRows { stored.layout = .rotary(heads: heads) }
    return stored
  }
}

extension TensorInfo {
  /// A gate of one row is a vector in GGUF.
  fileprivate func renamed(_ name: String) -> TensorInfo {
    let isRow = self.name.hasSuffix(GGUFNames.sharedGate + ".weight") && shape.count == 1
    return TensorInfo(name: name, type: type, shape: isRow ? [1] + shape : shape, path: path, range: range)
  }
}

extension GGUFFile {
  /// Whether there is a tensor of this name.
  func has(_ name: String) -> Bool { tensors.contains { $0.name == name } }

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
