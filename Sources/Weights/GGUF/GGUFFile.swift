import FireflyBase
import FireflyTensors

/// A GGUF file, mapped. Everything its header says is checked before any tensor is given out.
///
/// The format (github.com/ggml-org/ggml/blob/master/docs/gguf.md), all little-endian, versions 2 and 3:
/// 1. magic `GGUF`; version, u32; number of tensors, u64; number of metadata pairs, u64.
/// 2. A pair: key, a string (length u64, UTF-8 bytes); type, u32; value. Types: 0 u8, 1 i8, 2 u16, 3 i16, 4 u32,
///    5 i32, 6 f32, 7 bool (u8), 8 string, 9 array (element type u32, length u64, elements), 10 u64, 11 i64, 12 f64.
/// 3. A tensor: name, a string; number of dimensions, u32, at most 4; dimensions, u64, innermost first; type, u32;
///    offset, u64, from the data's start.
/// 4. Zeros up to a multiple of `general.alignment` (32 when absent); the data, each tensor at such a multiple.
package struct GGUFFile: Sendable {
  package let path: String
  package let metadata: [String: GGUFValue]
  /// The tensors in the file's order and under its names; shapes outermost first, as in safetensors.
  package let tensors: [TensorInfo]
  /// The files that hold the tensors, by their paths: this one, and of a model in parts the others.
  let files: [String: MappedFile]
  package var paths: [String] { files.keys.sorted() }

  /// One file and nothing beside it.
  ///
  /// - Throws: `FireflyError` when it is missing, damaged, or holds a tensor of an unsupported type.
  init(single path: String) throws {
    let file = try MappedFile(path)
    guard !file.bytes.isEmpty else { throw FireflyError("the file is empty", at: path, expected: "GGUF") }
    var cursor = GGUFCursor(file)
    try GGUFFile.checkMagic(&cursor)
    let tensorCount = try cursor.count("the number of tensors", least: 24)
    let pairCount = try cursor.count("the number of metadata pairs", least: 13)
    let metadata = try GGUFFile.readMetadata(&cursor, count: pairCount)
    let entries = try GGUFFile.readEntries(&cursor, count: tensorCount)
    let alignment = try GGUFFile.alignment(metadata, path: path)
    let dataStart = cursor.position + (alignment - cursor.position % alignment) % alignment
    tensors = try entries.map {
      try $0.info(path: path, dataStart: dataStart, fileSize: file.bytes.count, alignment: alignment)
    }
    try GGUFFile.checkApart(tensors)
    // Of a large vocabulary some MiB, which are read once more at most.
    file.discard(0..<cursor.position)
    self.path = path
    self.metadata = metadata
    files = [path: file]
  }

  /// The parts of a model as one: what the first one says of it, and everyone's tensors.
  init(_ parts: [GGUFFile]) {
    (path, metadata) = (parts[0].path, parts[0].metadata)
    tensors = parts.flatMap(\.tensors)
    files = parts.reduce(into: [:]) { $0.merge($1.files) { $1 } }
  }

  /// A tensor as it is stored.
  func stored(_ info: TensorInfo) -> StoredTensor {
    guard let file = files[info.path] else { preconditionFailure("\(info.name) is of another file") }
    return StoredTensor(info: info, file: file)
  }

  /// A tensor's bytes as they lie in the file, mapped.
  package func bytes(of info: TensorInfo) -> Tensor {  // [bytes] uint8
    let stored = stored(info)
    return Tensor(
      storage: Storage(borrowing: stored.bytes, owner: stored.file), byteOffset: 0,
      shape: [info.range.count], dtype: .uint8)
  }

  /// Lets go of the file pages that hold the tensor.
  package func release(_ info: TensorInfo) { files[info.path]?.discard(info.range) }

  private static func checkMagic(_ cursor: inout GGUFCursor) throws {
    let magic = try cursor.number(UInt32.self, "the magic")
    guard magic == 0x4655_4747 else {
      throw FireflyError("not a GGUF file: its first four bytes differ", at: cursor.path, expected: "GGUF")
    }
    let version = try cursor.number(UInt32.self, "the version")
    guard version == 2 || version == 3 else {
      let swapped = version.byteSwapped <= 3
      throw FireflyError(
        swapped ? "the GGUF file is big-endian" : "the version of GGUF is not supported", at: cursor.path,
        expected: "version 2 or 3, little-endian", found: swapped ? nil : "version \(version)",
        fix: "Convert the model again with a current llama.cpp.")
    }
  }

  private static func readMetadata(_ cursor: inout GGUFCursor, count: Int) throws -> [String: GGUFValue] {
    var metadata: [String: GGUFValue] = [:]
    for index in 0..<count {
      let key = try cursor.string("metadata key \(index)")
      guard metadata.updateValue(try cursor.typedValue(of: key), forKey: key) == nil else {
        throw FireflyError("the metadata holds the key \(key) twice", at: cursor.path)
      }
    }
    return metadata
  }

  private static func readEntries(_ cursor: inout GGUFCursor, count: Int) throws -> [GGUFTensorEntry] {
    var names: Set<String> = []
    return try (0..<count).map { index in
      let entry = try GGUFTensorEntry(&cursor, index: index)
      guard names.insert(entry.name).inserted else {
        throw FireflyError("the tensor stands twice in the header", at: "\(cursor.path): \(entry.name)")
      }
      return entry
    }
  }

  private static func alignment(_ metadata: [String: GGUFValue], path: String) throws -> Int {
    guard let value = metadata["general.alignment"] else { return 32 }
    guard let alignment = value.int, alignment > 0, alignment <= 1 << 20, alignment.nonzeroBitCount == 1
    else {
      throw FireflyError(
        "the alignment is wrong", at: "\(path): general.alignment", expected: "a power of two up to 2^20",
        found: value.int.map(String.init) ?? value.kind)
    }
    return alignment
  }

  private static func checkApart(_ tensors: [TensorInfo]) throws {
    let sorted = tensors.sorted { $0.range.lowerBound < $1.range.lowerBound }
    for (first, second) in zip(sorted, sorted.dropFirst())
    where second.range.lowerBound < first.range.upperBound {
      throw FireflyError(
        "the tensor's data overlaps that of \(first.name)", at: "\(second.path): \(second.name)")
    }
  }
}

/// A tensor's entry in the header, as written.
struct GGUFTensorEntry {
  let name: String
  /// The sizes, innermost first.
  let dimensions: [UInt64]
  let type: UInt32
  let offset: UInt64

  init(_ cursor: inout GGUFCursor, index: Int) throws {
    name = try cursor.string("the name of tensor \(index)")
    let place = "\(cursor.path): \(name)"
    let count = try cursor.number(UInt32.self, "the dimensions of \(name)")
    guard (1...4).contains(count) else {
      throw FireflyError(
        "the tensor's number of dimensions is wrong", at: place, expected: "1 to 4", found: "\(count)")
    }
    var dimensions: [UInt64] = []
    for _ in 0..<count { dimensions.append(try cursor.number(UInt64.self, "the dimensions of \(name)")) }
    self.dimensions = dimensions
    type = try cursor.number(UInt32.self, "the type of \(name)")
    offset = try cursor.number(UInt64.self, "the offset of \(name)")
  }

  func info(path: String, dataStart: Int, fileSize: Int, alignment: Int) throws -> TensorInfo {
    let place = "\(path): \(name)"
    guard let stored = StoredType(ggml: type) else {
      let known = StoredType.allCases.filter { $0.ggml != nil }.map(\.rawValue).joined(separator: ", ")
      throw FireflyError(
        "the tensor's type is not supported", at: place, expected: known, found: StoredType.ggmlName(type),
        fix: "Take a file of the same model in one of these types.")
    }
    let shape = dimensions.reversed().compactMap { Int(exactly: $0) }
    guard shape.count == dimensions.count, shape.allSatisfy({ $0 > 0 }),
      let byteCount = stored.byteCount(of: shape)
    else {
      throw FireflyError(
        "the tensor's dimensions are not possible", at: place,
        expected: "numbers from 1 whose product fits, rows of whole blocks of \(stored.blockElements)",
        found: "\(dimensions) of \(stored)")
    }
    let room = max(fileSize - dataStart, 0)
    guard offset % UInt64(alignment) == 0, offset <= UInt64(room), byteCount <= room - Int(offset) else {
      throw FireflyError(
        "the tensor's data lies outside the file or is not aligned", at: place,
        expected: "a multiple of \(alignment), and \(byteCount) bytes within the \(room) of data",
        found: "offset \(offset)", fix: "The file is truncated or damaged: download it again.")
    }
    let start = dataStart + Int(offset)
    return TensorInfo(name: name, type: stored, shape: shape, path: path, range: start..<start + byteCount)
  }
}
