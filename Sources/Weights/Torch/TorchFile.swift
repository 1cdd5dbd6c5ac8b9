import FireflyBase

/// A file of torch.save that holds a state dict: names and tensors. Tensors stay in the mapped file.
///
/// Since torch 1.6 a zip archive of stored entries: `NAME/data.pkl`, a pickle whose tensors refer to
/// `NAME/data/KEY`, and `NAME/byteorder`. Before, five pickles one after another (a magic number, the protocol, the
/// machine, the object, the keys of its storages) and then the storages: the number of elements, u64, and the elements.
/// Source: torch/serialization.py.
enum TorchFile {
  /// How the format before torch 1.6 begins: the pickle of its magic number.
  fileprivate static let oldMagic: [UInt8] = [
    0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
  ]

  /// The largest pickle that is read; a model's takes about 150 bytes a tensor.
  private static let pickleLimit = 64 << 20

  /// - Throws: `FireflyError` when the file is damaged, is no state dict, or asks for more than tensors.
  static func tensors(_ path: String) throws -> [StoredTensor] {
    let file = try MappedFile(path)
    guard !file.bytes.isEmpty else { throw FireflyError("the file is empty", at: path, expected: "tensors") }
    try file.refuseLFSPointer()
    if file.bytes.starts(with: Array("PK".utf8)) { return try archived(file) }
    if file.bytes.starts(with: oldMagic) { return try OldTorchFile(file).tensors() }
    throw FireflyError(
      "not a file of torch.save, or one of an unknown version", at: path,
      fix: "In Python: torch.save(torch.load(PATH, weights_only=True), PATH) with a current torch.")
  }

  private static func archived(_ file: MappedFile) throws -> [StoredTensor] {
    let archive = try ZipArchive(file, allowsDeflate: false)
    let pickles = archive.entries.keys.filter { $0.hasSuffix("/data.pkl") && $0.count { $0 == "/" } == 1 }
    guard let name = pickles.first, pickles.count == 1, let range = archive.entries[name]?.range else {
      throw FireflyError(
        "the archive does not come from torch.save", at: file.path, expected: "one NAME/data.pkl",
        found: "\(pickles.count)")
    }
    let prefix = name.dropLast("data.pkl".count)
    guard archive.entries[prefix + "constants.pkl"] == nil else {
      throw FireflyError(
        "the file is a TorchScript program, not a state dict", at: file.path,
        fix: "Save its weights: torch.save(module.state_dict(), …).")
    }
    if let order = archive.entries[prefix + "byteorder"]?.range,
      !file.bytes[order].elementsEqual("little".utf8)
    {
      throw FireflyError("the file is big-endian", at: file.path, expected: "byteorder little")
    }
    guard range.count <= pickleLimit else {
      throw FireflyError(
        "the file's pickle is too large for a state dict", at: file.path,
        expected: "at most \(pickleLimit) bytes", found: "\(range.count)")
    }
    var machine = PickleMachine(path: file.path, bytes: UnsafeRawBufferPointer(rebasing: file.bytes[range]))
    return try stored(try machine.run(), file) { archive.entries["\(prefix)data/\($0.key)"]?.range }
  }

  /// The members of a state dict as tensors in the file.
  ///
  /// - Parameter place: the bytes of a storage; nil when the file lacks it.
  fileprivate static func stored(
    _ root: PickleValue, _ file: MappedFile, _ place: (TorchStorage) -> Range<Int>?
  ) throws -> [StoredTensor] {
    guard case .dictionary(let dictionary) = root else {
      throw FireflyError(
        "the file does not hold named tensors", at: file.path, expected: "a state dict", found: root.kind)
    }
    if let other = dictionary.firstOther {
      throw FireflyError(
        "the file holds more than tensors", at: "\(file.path): \(other.key)", expected: "a tensor",
        found: other.kind, fix: "Save the tensors alone: torch.save(model.state_dict(), …).")
    }
    return try dictionary.tensors.map { name, view in
      let storage = view.storage
      guard let range = place(storage) else {
        throw FireflyError(
          "the tensor's data is missing", at: "\(file.path): \(name)", expected: "storage \(storage.key)")
      }
      let (needed, overflow) = storage.count.multipliedReportingOverflow(by: storage.type.blockBytes)
      guard !overflow, needed <= range.count else {
        throw FireflyError(
          "the tensor's data is truncated", at: "\(file.path): \(name)",
          expected: "\(storage.count) elements of \(storage.type)", found: "\(range.count) bytes")
      }
      return try view.stored(name, file, start: range.lowerBound)
    }
  }
}

/// The format before torch 1.6.
private struct OldTorchFile {
  let file: MappedFile

  init(_ file: MappedFile) { self.file = file }

  func tensors() throws -> [StoredTensor] {
    var position = TorchFile.oldMagic.count
    var values: [PickleValue] = []  // protocol, machine, state dict, keys of the storages
    for _ in 0..<4 {
      var machine = PickleMachine(path: file.path, bytes: file.bytes, start: position)
      values.append(try machine.run())
      position = machine.position
    }
    guard case .list(let keys) = values[3], !keys.holdsOthers else {
      throw FireflyError("the list of storages is not understood", at: file.path, found: values[3].kind)
    }
    let places = try storages(keys.texts, types(values[2]), from: position)
    return try TorchFile.stored(values[2], file) { places[$0.key] }
  }

  /// The type of each storage's elements, by its key.
  private func types(_ root: PickleValue) -> [String: StoredType] {
    guard case .dictionary(let dictionary) = root else { return [:] }
    return Dictionary(dictionary.tensors.map { ($0.view.storage.key, $0.view.storage.type) }) { first, _ in
      first
    }
  }

  private func storages(
    _ keys: [String], _ types: [String: StoredType], from start: Int
  ) throws -> [String: Range<Int>] {
    var position = start
    var places: [String: Range<Int>] = [:]
    for key in keys {
      guard let type = types[key], let count = file.bytes.littleEndian(UInt64.self, at: position) else {
        throw FireflyError("the file's list of storages does not fit its tensors", at: file.path, found: key)
      }
      position += 8
      guard count <= UInt64((file.bytes.count - position) / type.blockBytes) else {
        throw FireflyError(
          "the file is truncated", at: file.path, expected: "\(count) elements of \(type)",
          found: "\(file.bytes.count - position) bytes")
      }
      let end = position + Int(count) * type.blockBytes
      places[key] = position..<end
      position = end
    }
    return places
  }
}

extension TorchView {
  /// The tensor as it lies in the file, checked against its storage, which begins at `start`.
  fileprivate func stored(_ name: String, _ file: MappedFile, start: Int) throws -> StoredTensor {
    guard let count = storage.type.byteCount(of: shape).map({ $0 / storage.type.blockBytes }),
      count <= storage.count, let span = span(count), offset >= 0, offset <= storage.count - span
    else {
      throw FireflyError(
        "the tensor does not lie within its storage", at: "\(file.path): \(name)",
        expected: "a view of \(storage.count) elements",
        found: "shape \(shape), strides \(strides), offset \(offset)")
    }
    let first = start + offset * storage.type.blockBytes
    let info = TensorInfo(
      name: name, type: storage.type, shape: shape, path: file.path,
      range: first..<first + span * storage.type.blockBytes)
    return StoredTensor(info: info, file: file, layout: isContiguous ? .rows : .strided(strides))
  }

  /// Elements from the first to the last of the view; nil when a number is impossible.
  private func span(_ count: Int) -> Int? {
    guard count > 0 else { return 0 }
    var last = 0
    for (size, stride) in zip(shape, strides) {
      let (step, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
      let (sum, overflowSum) = last.addingReportingOverflow(step)
      guard stride >= 0, !overflow, !overflowSum, sum < storage.count else { return nil }
      last = sum
    }
    return last + 1
  }

  /// Whether the elements lie row by row without gaps; strides of dimensions of one element do not matter.
  private var isContiguous: Bool {
    var expected = 1
    for (size, stride) in zip(shape, strides).reversed() where size != 1 {
      guard stride == expected else { return shape.contains(0) }
      expected *= size
    }
    return true
  }
}
