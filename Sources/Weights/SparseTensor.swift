import FireflyBase
import FireflyTensors
import Foundation

/// A list of elements in the processor's memory that takes room only where it was written, and can be emptied in parts: of a
/// block that is laid out for all, a process keeps what is its own.
package final class SparseTensor: Sendable {
  /// `[count]`, zero at first.
  package let whole: Tensor

  /// - Throws: `FireflyError` where the process may not have so many addresses.
  package init(_ count: Int, _ dtype: DType) throws {
    let pages = try Pages(byteCount: count * dtype.byteCount)
    whole = Tensor(
      storage: Storage(lending: pages.bytes, owner: pages), byteOffset: 0, shape: [count], dtype: dtype)
  }

  /// Makes elements zero, and gives the memory back that holds nothing else.
  package func clear(_ range: Range<Int>) {
    let part = whole.slice(range)
    guard part.byteCount > 0 else { return }
    let page = Int(getpagesize())
    let start = UInt(bitPattern: part.pointer)
    let inner = (start + UInt(page) - 1) / UInt(page) * UInt(page)
    let end = (start + UInt(part.byteCount)) / UInt(page) * UInt(page)
    guard end > inner else { return part.setZero() }
    let (before, after) = (Int(inner - start), Int(start) + part.byteCount - Int(end))
    memset(part.pointer, 0, before)
    memset(part.pointer + part.byteCount - after, 0, after)
    madvise(part.pointer + before, Int(end - inner), MADV_DONTNEED)
  }
}

/// Pages of the system's own, which it provides when they are written. Small ones: a huge page would bring in what lies around
/// an element with it.
private final class Pages {
  let bytes: UnsafeMutableRawBufferPointer

  init(byteCount: Int) throws {
    // Kernels may read a vector beyond the last element.
    let size = byteCount + 64
    guard
      let base = mmap(
        nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
      base != MAP_FAILED
    else {
      throw FireflyError(
        "the system has no addresses for \(Readable.bytes(size)): \(String(cString: strerror(errno)))",
        fix: "Raise the limit (ulimit -v).")
    }
    madvise(base, size, MADV_NOHUGEPAGE)
    bytes = UnsafeMutableRawBufferPointer(start: base, count: byteCount)
  }

  deinit {
    munmap(bytes.baseAddress, bytes.count + 64)
  }
}
