import Foundation

/// Blocks from the system and back. Large ones are mappings of their own: given back they are gone, where the heap would
/// keep holes.
enum SystemMemory {
  /// From here on a block is a mapping.
  private static let mapped = 1 << 20
  /// From here on a block is aligned to huge pages and asks for them.
  private static let huge = 4 << 20
  private static let hugePage = 2 << 20
  /// Readable bytes after a block, for kernels that read whole vectors.
  private static let margin = 64

  /// An uninitialised block, aligned to 64 bytes.
  static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    guard byteCount >= mapped else {
      return UnsafeMutableRawPointer.allocate(byteCount: byteCount + margin, alignment: 64)
    }
    let size = pages(byteCount)
    guard byteCount >= huge else { return map(size) }
    // A mapping with room to move, cut to the part that is aligned.
    let whole = map(size + hugePage)
    let address = UInt(bitPattern: whole)
    let skipped = Int((UInt(hugePage) - address % UInt(hugePage)) % UInt(hugePage))
    if skipped > 0 { munmap(whole, skipped) }
    munmap(whole + skipped + size, hugePage - skipped)
    madvise(whole + skipped, size, MADV_HUGEPAGE)
    return whole + skipped
  }

  /// - Parameter byteCount: as the block was allocated.
  static func deallocate(_ block: UnsafeMutableRawPointer, _ byteCount: Int) {
    if byteCount >= mapped {
      munmap(block, pages(byteCount))
    } else {
      block.deallocate()
    }
  }

  private static func pages(_ byteCount: Int) -> Int {
    let page = Int(getpagesize())
    return (byteCount + margin + page - 1) / page * page
  }

  private static func map(_ size: Int) -> UnsafeMutableRawPointer {
    guard let block = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      block != MAP_FAILED
    else { preconditionFailure("out of memory: the system gives no \(size) bytes") }
    return block
  }
}
