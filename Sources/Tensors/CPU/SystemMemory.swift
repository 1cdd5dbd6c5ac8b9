import CShadow
import FireflyBase
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
  static let margin = 64

  /// An uninitialised block, aligned to 64 bytes.
  static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    guard byteCount >= mapped else {
      var block: UnsafeMutableRawPointer?
      guard posix_memalign(&block, 64, byteCount + margin) == 0, let block else { exhausted(byteCount) }
      return block
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
    shadow_show(block, byteCount + margin)
    if byteCount >= mapped {
      munmap(block, pages(byteCount))
    } else {
      free(block)
    }
  }

  private static func pages(_ byteCount: Int) -> Int {
    let page = Int(getpagesize())
    return (byteCount + margin + page - 1) / page * page
  }

  private static func map(_ size: Int) -> UnsafeMutableRawPointer {
    guard let block = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      block != MAP_FAILED
    else { exhausted(size) }
    return block
  }

  /// Nothing that computes can go on without memory, so the process ends here; with a sentence, and no report of a crash.
  private static func exhausted(_ byteCount: Int) -> Never {
    // A line of progress may stand on the terminal.
    let sentence =
      (isatty(STDERR_FILENO) == 1 ? "\n" : "")
      + "firefly: memory ran out: the system gives no \(Readable.bytes(byteCount)) more. Use a smaller model, smaller "
      + "batches or shorter sequences, or raise the limit (ulimit -v).\n"
    _ = writeAll(Array(sentence.utf8), to: STDERR_FILENO)
    _exit(1)
  }
}
