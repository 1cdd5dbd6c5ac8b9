import FireflyBase
import FireflyTensors
import Foundation

/// A tensor still in its file: what is known about it, and the mapping that holds it.
struct StoredTensor: Sendable {
  var info: TensorInfo
  let file: MappedFile
  var layout = Layout.rows
  /// Added to every element when it is read.
  var shift: Float = 0
  /// The rows of a table that has others than its range of the file.
  var table: TableRows?
  /// Of MXFP4 whose range of the file has the codes alone.
  var scales: BlockScales?

  /// How the elements stand in their range of the file.
  enum Layout: Equatable, Sendable {
    /// Row by row, nothing between them.
    case rows
    /// The rows of so many heads in llama.cpp's order (`RotaryRows`); they are put back when read.
    case rotary(heads: Int)
    /// The queries, keys and values of so many heads lie apart; read, those of a head come together.
    case apart(heads: Int)
    /// A view of a larger block, from its first element on; steps of each dimension, in elements.
    case strided([Int])
  }

  /// The same under another name.
  func named(_ name: String) -> StoredTensor {
    var tensor = self
    tensor.info.name = name
    return tensor
  }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: file.bytes[info.range]) }
  var place: String { "\(info.path): \(info.name)" }

  /// The tensor in memory: the mapping itself when the bytes can be used as they are, a converted copy otherwise.
  func tensor(as dtype: DType) throws -> Tensor {
    guard info.type.dtype == dtype || canConvert(to: dtype) else {
      throw FireflyError(
        "the tensor cannot be read as \(dtype)", at: place,
        expected: "F32, F16, BF16 or a supported block type",
        found: info.type.description)
    }
    if let table { return try table.tensor(rows: info.shape[0], as: dtype) }
    if shift != 0 { return try shifted(as: dtype) }
    if let scales, let format = info.type.blockFormat {
      let out = Tensor(info.shape, dtype)
      format.decode(scales.joined(bytes, shape: info.shape), into: out)
      return out
    }
    if info.type.dtype == dtype && layout == .rows {
      return canBorrow(dtype) ? borrowed(dtype) : copied(dtype)
    }
    let out = Tensor(info.shape, dtype)
    switch layout {
    case .rows where info.type.isBlock: decodeStrips(into: out)
    case .rows: decode(bytes, into: out)
    case .rotary(let heads):
      decodeRows(into: out) { RotaryRows.inFile($0, headDim: info.shape[0] / heads) }
    case .apart(let heads): decodeRows(into: out) { apart($0, heads: heads) }
    case .strided(let strides):
      gathered(strides).withHostBytes { decode($0, into: out) }
    }
    return out
  }

  /// The matrix as the file's own blocks, mapped where these stand together; nil where it is not stored so, or not read as it
  /// is stored.
  var blocks: BlockTensor? {
    guard let format = info.type.blockFormat, info.shape.count == 2, shift == 0, table == nil else {
      return nil
    }
    if let scales {
      return BlockTensor(bytes: scales.joined(bytes, shape: info.shape), format: format, shape: info.shape)
    }
    var turning = 0
    switch layout {
    case .rows: break
    case .rotary(let heads): turning = info.shape[0] / heads
    case .strided, .apart: return nil
    }
    let mapped = Tensor(
      storage: Storage(borrowing: bytes, owner: file), byteOffset: 0, shape: [bytes.count], dtype: .uint8)
    return BlockTensor(bytes: mapped, format: format, shape: info.shape, turning: turning)
  }

  private func shifted(as dtype: DType) throws -> Tensor {
    var plain = self
    plain.shift = 0
    let values = try plain.tensor(as: .float32).converted(to: .float32)
    let shifts = [Float](repeating: shift, count: values.count)
    Ops.add(values.matrix, Tensor(shifts, values.shape).matrix)
    return values.inType(dtype)
  }

  /// Whether the file's bytes are the elements, each by itself, in their own order.
  var hasPlainBytes: Bool {
    switch layout {
    case .rotary, .apart: return false
    case .rows, .strided: return !info.type.isBlock && shift == 0 && table == nil
    }
  }

  /// The file's bytes of a plain type, row by row, as uint8.
  func plainBytes() -> Tensor {  // [bytes]
    if case .strided(let strides) = layout { return gathered(strides) }
    precondition(hasPlainBytes, "bytes of \(info.type) in another order")
    return Tensor(
      storage: Storage(borrowing: bytes, owner: file), byteOffset: 0, shape: [bytes.count], dtype: .uint8)
  }

  /// The elements of a strided view one after another.
  private func gathered(_ strides: [Int]) -> Tensor {  // [bytes] uint8
    let out = Tensor([info.shape.reduce(1, *) * info.type.blockBytes], .uint8)
    let view = StridedBytes(shape: info.shape, strides: strides, size: info.type.blockBytes)
    out.withBytes { view.copy(bytes, into: $0) }
    return out
  }

  private func canConvert(to dtype: DType) -> Bool {
    let isFloat = dtype == .float32 || dtype == .bfloat16 || dtype == .float16
    switch info.type {
    case .float32, .float16, .bfloat16: return isFloat
    default: return isFloat && info.type.isBlock
    }
  }

  /// Kernels read whole vectors, so a borrowed tensor is aligned to its elements and, like a pool block, has
  /// 64 readable bytes after it: those of the file, or the zeros up to the end of the mapping's last page.
  private func canBorrow(_ dtype: DType) -> Bool {
    let page = Int(getpagesize())
    let mapped = (file.bytes.count + page - 1) / page * page
    return isAligned(to: dtype) && mapped - info.range.upperBound >= 64
  }

  private func isAligned(to dtype: DType) -> Bool { info.range.lowerBound % dtype.byteCount == 0 }

  private func borrowed(_ dtype: DType) -> Tensor {
    Tensor(
      storage: Storage(borrowing: bytes, owner: file), byteOffset: 0, shape: info.shape, dtype: dtype)
  }

  private func copied(_ dtype: DType) -> Tensor {
    let out = Tensor(info.shape, dtype)
    out.copyBytes(bytes)
    return out
  }

  /// Bytes of blocks that are decoded before their pages are let go: a table for a large vocabulary takes hundreds of
  /// megabytes, which would lie in memory beside the result.
  private static let stripBytes = 8 << 20

  private func decodeStrips(into out: Tensor) {
    let (size, elements) = (info.type.blockBytes, info.type.blockElements)
    let all = out.reshaped([out.count / elements, elements])
    let step = StoredTensor.stripBytes / size
    for first in stride(from: 0, to: all.rows, by: step) {
      let blocks = first..<min(first + step, all.rows)
      let strip = blocks.lowerBound * size..<blocks.upperBound * size
      decode(UnsafeRawBufferPointer(rebasing: bytes[strip]), into: all.slice(blocks))
      file.discard(info.range.lowerBound + strip.lowerBound..<info.range.lowerBound + strip.upperBound)
    }
  }

  /// Where a row of the heads' queries, keys and values stands in a file that keeps them apart.
  private func apart(_ row: Int, heads: Int) -> Int {
    let headDim = info.shape[0] / heads / 3
    let (head, rest) = row.quotientAndRemainder(dividingBy: 3 * headDim)
    return (rest / headDim * heads + head) * headDim + rest % headDim
  }

  /// Undoes llama.cpp's row order.
  private func decodeRows(into out: Tensor, place: (Int) -> Int) {
    let rows = info.shape[0]
    let rowBytes = bytes.count / rows
    for row in 0..<rows {
      let source = place(row)
      decode(
        UnsafeRawBufferPointer(rebasing: bytes[source * rowBytes..<(source + 1) * rowBytes]),
        into: out.slice(row..<row + 1))
    }
  }

  private func decode(_ source: UnsafeRawBufferPointer, into out: Tensor) {
    if let format = info.type.blockFormat {
      format.decode(source, into: out)
    } else if info.type.dtype == out.dtype {
      out.copyBytes(source)
    } else if let stored = info.type.dtype {
      let isAligned = UInt(bitPattern: source.baseAddress) % UInt(stored.byteCount) == 0
      let storage = isAligned ? Storage(borrowing: source, owner: file) : Storage(copying: source)
      let view = Tensor(storage: storage, byteOffset: 0, shape: out.shape, dtype: stored)
      Ops.convert(out.matrix, view.matrix)
    }
  }
}

/// A table's rows: the file's, as many as there shall be, then means of the file's, and some with values of their own.
struct TableRows: Sendable {
  struct Own: Sendable {
    let rows: [Int]
    let values: StoredTensor  // [rows, C]
  }

  /// The first row that is read.
  var first = 0
  /// An array, as a tensor that holds it has such rows itself.
  private let file: [StoredTensor]
  private let own: [Own]

  init(file: StoredTensor, own: [Own]) {
    self.file = [file]
    self.own = own
  }

  /// Whether some rows can be read without the others.
  var hasStrips: Bool { file[0].hasStrips }

  /// - Parameter count: how many rows are read.
  func tensor(rows count: Int, as dtype: DType) throws -> Tensor {  // [count, C]
    let file = file[0]
    let rows = first..<first + count
    let table = Tensor([count, file.info.shape[1]], .float32)
    for strip in file.strips() {
      let kept = strip.clamped(to: rows)
      if kept.isEmpty { continue }
      let values = try file.strip(strip).tensor(as: .float32)
      Ops.convert(table.matrix.rows(kept - first), values.matrix.rows(kept - strip.lowerBound))
    }
    let new = rows.clamped(to: file.info.shape[0]..<max(file.info.shape[0], rows.upperBound))
    if !new.isEmpty {
      let mean = try TableRows.mean(file)
      for row in new { Ops.convert(table.matrix.rows((row..<row + 1) - first), mean.matrix) }
    }
    for own in own where own.rows.contains(where: rows.contains) {
      let values = try own.values.tensor(as: .float32)
      for (index, row) in own.rows.enumerated() where rows.contains(row) {
        Ops.convert(table.matrix.rows((row..<row + 1) - first), values.matrix.rows(index..<index + 1))
      }
    }
    return table.inType(dtype)
  }

  private static func mean(_ file: StoredTensor) throws -> Tensor {  // [n, C] → [1, C]
    let mean = Tensor.zeros([1, file.info.shape[1]], .float32)
    for rows in file.strips() {
      let ones = Tensor([Float](repeating: 1, count: rows.count), [1, rows.count])
      Ops.matmul(
        mean.matrix, ones.matrix, try file.strip(rows).tensor(as: .float32).matrix, accumulate: true,
        scale: 1 / Float(file.info.shape[0]))
    }
    return mean
  }
}

extension Storage {
  fileprivate convenience init(copying bytes: UnsafeRawBufferPointer) {
    self.init(byteCount: bytes.count)
    UnsafeMutableRawBufferPointer(start: address, count: byteCount).copyMemory(from: bytes)
  }
}

extension Range<Int> {
  fileprivate static func - (range: Range<Int>, offset: Int) -> Range<Int> {
    range.lowerBound - offset..<range.upperBound - offset
  }
}
