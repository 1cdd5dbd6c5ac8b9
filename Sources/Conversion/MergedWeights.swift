import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyWeights

/// Which weights an adapter is added to.
public enum MergeBase: Equatable, Sendable {
  /// The weights of the files; of a 4-bit folder the decoded ones.
  case original
  /// The blocks' matrices rounded to NF4 and decoded again: what the adapter saw in QLoRA training.
  case nf4(double: Bool)
}

/// A model's tensors with an adapter added: W + s·B·A (Hu et al., 2021), in float32, some rows at a time.
struct MergedWeights {
  let source: ModelSource
  let adapter: AdapterFile?
  let base: MergeBase
  let architecture: Architecture
  /// What the user should know of the files that were read.
  let notes: [String]
  /// What the weights were rounded to before they were quantised in training.
  private let compute: DType
  /// The linear layers' weights, held in NF4 in training.
  private let matrices: Set<String>
  /// The adapter's module for each tensor, by the tensor's name: one with a pair, and one that takes its place.
  private let modules: [String: String]
  private let replaced: [String: String]

  /// - Throws: `FireflyError` when a module of the adapter is no matrix of the model.
  init(_ source: ModelSource, adapter: AdapterFile?, base: MergeBase, compute: DType) throws {
    let source = try adapter.map(source.adapted(to:)) ?? source
    self.source = source
    self.adapter = adapter
    self.base = base
    self.compute = compute
    let (architecture, notes) = try Architecture.read(source)
    self.architecture = architecture
    self.notes = notes + (adapter?.notes ?? [])
    matrices = architecture.quantizedWeights(in: source.weights)
    var modules: [String: String] = [:]
    try adapter?.check(for: architecture)
    let saved = (adapter?.saved ?? []).map {
      (architecture.storedName($0 + ".weight", in: source.weights), $0)
    }
    var replaced = Dictionary(uniqueKeysWithValues: saved)
    // A second copy of a tied embedding stays one.
    let (table, head) = (
      architecture.storedName(architecture.names.embedding, in: source.weights), architecture.names.head
    )
    if architecture.tiedHead && source.weights.contains(head) { replaced[head] = replaced[table] }
    self.replaced = replaced
    for module in adapter?.modules ?? [] {
      let name = architecture.storedName(module + ".weight", in: source.weights)
      guard !(architecture.tiedHead && module + ".weight" == architecture.names.head) else {
        throw FireflyError(
          "the adapter is on the head, which is the embedding as well, and merging would change both",
          at: "\(adapter?.folder ?? ""): \(module)", fix: "Use the model with the adapter beside it.")
      }
      modules[name] = module
    }
    self.modules = modules
  }

  /// Whether the tensor differs from that of the files.
  func isChanged(_ name: String) -> Bool { modules[name] != nil || replaced[name] != nil || isRounded(name) }

  /// Whether the tensor is put through NF4 first, or what lies in it is.
  private func isRounded(_ name: String) -> Bool {
    guard case .nf4 = base else { return false }
    return matrices.contains(name) && !source.weights.isNF4(name) || !roundedParts(name).isEmpty
  }

  /// Experts' matrices that lie in the tensor.
  private func roundedParts(_ name: String) -> [TensorPart] {
    source.weights.parts(in: name).filter { matrices.contains($0.name) }
  }

  /// The tensor's rows in ranges that it can be had in, one after another.
  ///
  /// - Parameter heads: the rows are those of so many heads, which stay whole; nil: each row stands for itself.
  func strips(_ name: String, heads: Int? = nil) throws -> [Range<Int>] {
    if let module = replaced[name], let adapter { return try adapter.savedStrips(module, heads: heads) }
    // Scales are quantised over all of a matrix.
    if isRounded(name) { return [0..<(try source.weights.shape(of: name)[0])] }
    return try source.weights.strips(of: name, heads: heads)
  }

  /// Lets go of the files' pages that hold the tensor.
  func release(_ name: String) {
    source.weights.release(name)
    if let module = replaced[name] { adapter?.releaseSaved(module) }
  }

  /// Rows of the tensor in float32, ready to be rounded.
  ///
  /// - Parameter rows: one of the `strips`.
  func tensor(_ name: String, rows: Range<Int>) throws -> Tensor {
    let shape = try source.weights.shape(of: name)
    if let module = replaced[name], let adapter {
      return try adapter.savedWeight(module, shape: shape, rows: rows)
    }
    let base = try baseTensor(name, shape, rows)
    return try modules[name].map { try merged(base, $0, shape, rows) } ?? base
  }

  /// The base's rows with the adapter's part of them.
  private func merged(_ base: Tensor, _ module: String, _ shape: [Int], _ rows: Range<Int>) throws -> Tensor {
    guard let adapter else { return base }
    let pair = try adapter.pair(module, inputs: shape[1], outputs: shape[0])
    let merged = base.converted(to: .float32)  // [rows, in]
    Ops.matmul(
      merged.matrix, pair.b.slice(rows).matrix, pair.a.matrix, accumulate: true, scale: pair.scale)
    try merged.checkFinite("the merged tensor", at: "\(adapter.folder): \(module)")
    return merged
  }

  /// Rows of the tensor, in the file's own type where that is a float's and nothing changes it, which needs no memory;
  /// otherwise in float32.
  ///
  /// - Parameter rows: one of the `strips`.
  func plainTensor(_ name: String, rows: Range<Int>) throws -> Tensor {
    let type = try source.weights.plainType(of: name, blocks: .float32).dtype
    guard !isChanged(name), let type, [.float32, .float16, .bfloat16].contains(type) else {
      return try tensor(name, rows: rows)
    }
    return try source.weights.tensor(name, shape: source.weights.shape(of: name), rows: rows, as: type)
  }

  private func baseTensor(_ name: String, _ shape: [Int], _ rows: Range<Int>) throws -> Tensor {
    let weights = source.weights
    guard case .nf4(let double) = base, isRounded(name) else {
      return try weights.tensor(name, shape: shape, rows: rows, as: .float32)
    }
    let parts = roundedParts(name)
    guard parts.isEmpty else {
      let whole = try weights.tensor(name, shape: shape, as: .float32).converted(to: .float32)
      for part in parts {
        part.put(try rounded(part.name, weights.shape(of: part.name), double: double), into: whole)
      }
      return whole
    }
    return try rounded(name, shape, double: double)
  }

  /// The matrix in float32 as NF4 holds it.
  private func rounded(_ name: String, _ shape: [Int], double: Bool) throws -> Tensor {
    let weights = source.weights
    let packed = try BitsAndBytes.quantize(
      weights.tensor(name, shape: shape, as: compute), double: double, at: "\(source.path): \(name)")
    let decoded = Tensor(shape, .float32)
    Ops.decodeNF4(packed, rows: 0..<shape[0], columns: 0..<shape[1], into: decoded.matrix)
    return decoded
  }
}

extension MergedWeights {
  /// Checks the adapter's shapes for the tensor before anything is written.
  func checkShape(_ name: String) throws {
    guard let adapter else { return }
    let shape = try source.weights.shape(of: name)
    if let module = replaced[name] { _ = try adapter.savedWeight(module, shape: shape) }
    guard let module = modules[name] else { return }
    _ = try adapter.pair(module, inputs: shape[1], outputs: shape[0])
  }
}
