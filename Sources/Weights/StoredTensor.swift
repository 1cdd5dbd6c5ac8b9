import FireflyBase
import FireflyTensors
import Foundation

/// A tensor still in its file: what is known about it, and the mapping that holds it.
struct StoredTensor: Sendable {
  let info: TensorInfo
  let file: MappedFile
  /// Heads whose rows stand in GGUF's interleaved rotary order and are put back when read; nil for all others.
  var rotaryHeads: Int?

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: file.bytes[info.range]) }
  var place: String { "\(info.path): \(info.name)" }

  /// The tensor in memory: the mapping itself when the bytes can be used as they are, a converted copy otherwise.
  func tensor(as dtype: DType) throws -> Tensor {
    if info.type.dtype == dtype && rotaryHeads == nil {
      return canBorrow(dtype) ? borrowed(dtype) : copied(dtype)
    }
    guard canConvert(to: dtype) else {
      throw FireflyError(
        "the tensor cannot be read as \(dtype)", at: place,
        expected: "F32, F16, BF16 or a supported block type",
        found: info.type.description)
    }
    let out = Tensor(info.shape, dtype)
    if let rotaryHeads {
      decodeRows(into: out, heads: rotaryHeads)
    } else {
      decode(bytes, into: out)
    }
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
    out.bytes.copyMemory(from: bytes)
    return out
  }

  /// Undoes llama.cpp's row order. There, the rows 2j and 2j + 1 of a head turn together; in transformers the rows
  /// j and j + D/2 do.
  private func decodeRows(into out: Tensor, heads: Int) {
    let rows = info.shape[0]
    let rowBytes = bytes.count / rows
    let headDim = rows / heads
    for row in 0..<rows {
      let (head, inHead) = row.quotientAndRemainder(dividingBy: headDim)
      let (half, index) = inHead.quotientAndRemainder(dividingBy: headDim / 2)
      let source = head * headDim + 2 * index + half
      decode(
        UnsafeRawBufferPointer(rebasing: bytes[source * rowBytes..<(source + 1) * rowBytes]),
        into: out.slice(row..<row + 1))
    }
  }

  private func decode(_ source: UnsafeRawBufferPointer, into out: Tensor) {
    if let format = info.type.blockFormat {
      Ops.decodeBlocks(format, source, into: out)
    } else if info.type.dtype == out.dtype {
      out.bytes.copyMemory(from: source)
    } else if let stored = info.type.dtype {
      let storage = isAligned(to: stored) ? Storage(borrowing: source, owner: file) : Storage(copying: source)
      let view = Tensor(storage: storage, byteOffset: 0, shape: out.shape, dtype: stored)
      Ops.convert(out.matrix, view.matrix)
    }
  }
}

extension Storage {
  fileprivate convenience init(copying bytes: UnsafeRawBufferPointer) {
    self.init(byteCount: bytes.count)
    UnsafeMutableRawBufferPointer(start: pointer, count: byteCount).copyMemory(from: bytes)
  }
}
