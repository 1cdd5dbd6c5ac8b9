import FireflyBase
import FireflyTensors
import Foundation

/// A checkpoint's tensors by name. Asking names the shape too, so that building a model checks its file.
///
/// Nothing is kept alive beyond what is given out: a mapped tensor holds its file's mapping, a converted one its own
/// bytes. Thread-safe.
package final class WeightStore: Sendable {
  /// The folder or file, for messages.
  package let path: String
  private let tensors: [String: StoredTensor]
  /// Parts of these that the model knows by names of their own, in the order of their names.
  let parts: [TensorPart]
  private let partPlaces: [String: Int]
  /// The tables that are not as the files have them.
  let replaced: Set<String>

  /// - Throws: `FireflyError` when a name stands in two files.
  init(_ path: String, _ stored: [StoredTensor], parts: [TensorPart] = []) throws {
    self.path = path
    let sorted = parts.sorted {
      $0.name.compare($1.name, options: [.numeric, .literal]) == .orderedAscending
    }
    self.parts = sorted
    partPlaces = try sorted.enumerated().reduce(into: [:]) { places, part in
      if let other = places.updateValue(part.offset, forKey: part.element.name) {
        throw FireflyError(
          "the tensor is also in \(sorted[other].stored.info.path)", at: part.element.stored.place)
      }
    }
    tensors = try stored.reduce(into: [:]) { byName, tensor in
      if let other = byName.updateValue(tensor, forKey: tensor.info.name) {
        throw FireflyError("the tensor is also in \(other.info.path)", at: tensor.place)
      }
    }
    replaced = []
  }

  /// The store with some tensors in place of its own or beside them.
  init(_ store: WeightStore, _ others: [StoredTensor], replaced: Set<String>) {
    path = store.path
    (parts, partPlaces) = (store.parts, store.partPlaces)
    tensors = store.tensors.merging(others.map { ($0.info.name, $0) }) { $1 }
    self.replaced = replaced
  }

  /// Opens one safetensors file or one of torch.save (`.bin`, `.pt`, `.pth`), such as an adapter's.
  package static func open(_ path: String) throws -> WeightStore {
    try WeightStore(path, CheckpointFormat.tensors(of: path))
  }

  /// The tensors under other names; those without one are left out, as parts of tensors are.
  package func renamed(_ name: (String) -> String?) throws -> WeightStore {
    try WeightStore(path, tensors.values.compactMap { tensor in name(tensor.info.name).map(tensor.named) })
  }

  /// The store with views in place of the tensors that they are of.
  ///
  /// - Throws: `FireflyError` where a tensor is no matrix of a plain type.
  package func viewing(_ views: [TensorView]) throws -> WeightStore {
    let holders = Set(views.map(\.holder))
    let others = tensors.values.filter { !holders.contains($0.info.name) }
    return try WeightStore(path, others + views.map { try take($0.holder).view($0) }, parts: parts)
  }

  /// All names in the files, sorted; of a 4-bit folder also those of its scales.
  package var names: [String] { tensors.keys.sorted() }

  /// What the file says about `name`; nil when absent.
  package func info(_ name: String) -> TensorInfo? { stored(name)?.info }

  /// The names of GGUF's block formats that tensors are stored in, sorted; empty for anything but a GGUF file and MXFP4.
  package var blockFormats: [String] {
    let types = tensors.values.map(\.info.type) + parts.map(\.stored.info.type)
    return Set(types.filter(\.isBlock).map(\.rawValue)).sorted()
  }

  /// The block format that a matrix is stored in and can be multiplied in; nil: it is stored otherwise.
  package func blockFormat(of name: String) -> BlockFormat? { stored(name)?.blocks?.format }

  /// Bytes of all tensors in the files.
  package var byteCount: Int { tensors.values.reduce(0) { $0 + $1.info.range.count } }

  package func contains(_ name: String) -> Bool { stored(name) != nil }

  /// The tensor as `dtype`: the mapped file itself when stored so, a converted copy otherwise; one in 4 bits is
  /// decoded. Rounds to nearest even.
  ///
  /// - Parameter shape: what the model needs, outermost first.
  /// - Throws: `FireflyError` when the tensor is missing (with the nearest name), has another shape, or is stored in a
  ///   type that cannot become `dtype`.
  package func tensor(_ name: String, shape: [Int], as dtype: DType) throws -> Tensor {
    let isFloat = dtype != .uint8 && dtype != .int32
    if isFloat, let packed = try nf4(name, shape: shape) { return packed.decoded(as: dtype) }
    let stored = try take(name)
    try check(stored, shape)
    return try stored.tensor(as: dtype)
  }

  /// The tensor's rows in ranges that can be read one after another, so that a table for a large vocabulary need not lie in
  /// memory whole; one range where rows cannot be read by themselves.
  ///
  /// - Parameters:
  ///   - heads: the rows are those of so many heads, which stay whole; nil: each row stands for itself.
  ///   - elements: about the most that a strip has.
  package func strips(of name: String, heads: Int? = nil, elements: Int = Strips.elements) throws
    -> [Range<Int>]
  {
    guard !isNF4(name) else { return [0..<(try shape(of: name)[0])] }
    return try take(name).strips(heads: heads, elements: elements)
  }

  /// Some rows of the tensor, as `tensor` gives all of it.
  ///
  /// - Parameter rows: one of the `strips`.
  package func tensor(_ name: String, shape: [Int], rows: Range<Int>, as dtype: DType) throws -> Tensor {
    if rows.count == shape.first ?? 1 { return try tensor(name, shape: shape, as: dtype) }
    let stored = try take(name)
    try check(stored, shape)
    return try stored.strip(rows).tensor(as: dtype)
  }

  /// The matrix as its file's own quantised blocks, mapped; nil where it is not stored so.
  ///
  /// - Parameter shape: [out, in]
  /// - Throws: `FireflyError` when it has another shape.
  package func blocks(_ name: String, shape: [Int]) throws -> BlockTensor? {
    guard let stored = stored(name), stored.info.type.isBlock else { return nil }
    try check(stored, shape)
    return stored.blocks
  }

  /// Throws one error that names the missing tensors, when any of `names` is.
  package func require(_ names: [String]) throws {
    let missing = names.filter { !contains($0) }
    guard let first = missing.first else { return }
    guard missing.count > 1 else { throw missingTensor(first) }
    throw FireflyError(
      "\(missing.count) of \(names.count) tensors are missing: \(missing.prefix(4).joined(separator: ", "))"
        + (missing.count > 4 ? ", …" : ""),
      at: path, fix: nearest(first).map { "For \(first), the nearest name is \($0)." })
  }

  /// Throws when the tensor, which is there, has another shape than the model needs; nothing is read.
  package func require(_ name: String, shape: [Int]) throws {
    if let state = try quantState(name) { return try check(state, name, shape) }
    if let stored = stored(name) { try check(stored, shape) }
  }

  /// Whether two tensors hold the same numbers; both are read.
  package func isSame(_ first: String, _ second: String) throws -> Bool {
    let (one, other) = (try take(first), try take(second))
    guard one.info.shape == other.info.shape else { return false }
    if one.info.type == other.info.type && one.hasPlainBytes && other.hasPlainBytes {
      return one.plainBytes().hasSameBytes(as: other.plainBytes())
    }
    let numbers = try [first, second].map { try tensor($0, shape: one.info.shape, as: .float32) }
    return numbers[0].hasSameBytes(as: numbers[1])
  }

  /// Lets go of the file pages that hold `name`, after it was copied or quantised: what is read once shall not fill
  /// the memory. A tensor still in use is read again when touched.
  package func release(_ name: String) {
    guard let stored = stored(name) else { return }
    stored.file.discard(stored.info.range)
  }

  // MARK: - Within the module

  func stored(_ name: String) -> StoredTensor? { tensors[name] ?? part(name)?.stored }

  func part(_ name: String) -> TensorPart? { partPlaces[name].map { parts[$0] } }

  func take(_ name: String) throws -> StoredTensor {
    guard let stored = stored(name) else { throw missingTensor(name) }
    return stored
  }

  func check(_ stored: StoredTensor, _ shape: [Int]) throws {
    guard stored.info.shape == shape else {
      throw FireflyError(
        "the tensor has another shape than the model needs", at: stored.place, expected: "\(shape)",
        found: "\(stored.info.shape)", fix: "The weights and config.json do not belong together.")
    }
  }

  func missingTensor(_ name: String) -> FireflyError {
    FireflyError(
      "the tensor \(name) is missing", at: path, fix: nearest(name).map { "The nearest name is \($0)." })
  }

  /// A name that only lacks or adds leading parts (`transformer.model.norm.weight`), else the one with the fewest edits.
  private func nearest(_ name: String) -> String? {
    names.first { $0.hasSuffix("." + name) || name.hasSuffix("." + $0) }
      ?? nearestName(to: name, among: names)
  }
}
