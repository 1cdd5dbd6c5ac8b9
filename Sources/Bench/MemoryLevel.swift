import CSilicon
import FireflyBase
import Foundation

/// A cache, or the memory: how fast it is read and written in order.
package struct MemoryLevel: Sendable {
  /// "L1", …, "memory"
  package let name: String
  /// What each thread went over: together a part of the cache that surely fits.
  package let bytes: Int
  /// Bytes/s by one thread, and by all, each with a part of its own.
  package let read: (one: Double, all: Double)
  package let write: (one: Double, all: Double)

  /// Measures the caches that the system names, and the memory beyond them.
  package static func measureAll() -> [MemoryLevel] {
    let threads = Parallel.threads
    let caches = caches()
    let beyond = max(256 << 20, 4 * (caches.last?.bytes ?? 0))
    return caches.map { cache in
      MemoryLevel(cache.name, bytes: cache.isShared ? cache.bytes / 2 / threads : cache.bytes / 2)
    } + [MemoryLevel("memory", bytes: beyond / threads)]
  }

  private init(_ name: String, bytes: Int) {
    let bytes = max(bytes / 4096, 1) * 4096
    let parts = (0..<Parallel.threads).compactMap { _ in silicon_memory_make(bytes) }
    defer { parts.forEach(silicon_memory_free) }
    func rates(_ pass: (OpaquePointer) -> Void) -> (one: Double, all: Double) {
      (MemoryLevel.rate(parts.prefix(1), bytes, pass), MemoryLevel.rate(parts[...], bytes, pass))
    }
    self.name = name
    self.bytes = bytes
    write = rates { silicon_memory_write($0) }  // first: a page that was never written is none
    read = rates { _ = silicon_memory_read($0) }
  }

  /// Bytes/s of a pass over each part on a thread of its own, in the best of some.
  private static func rate(
    _ parts: ArraySlice<OpaquePointer>, _ bytes: Int, _ pass: (OpaquePointer) -> Void
  ) -> Double {
    let times = max(1, (1 << 20) / bytes)  // a region shall take long against its beginning
    let seconds = (0..<9).map { _ in
      Stopwatch.time {
        Parallel.run(parts.count) { part in for _ in 0..<times { pass(parts[part]) } }
      }
    }
    return Double(parts.count * times * bytes) / (seconds.min() ?? .infinity)
  }

  /// The first core's data caches, the smallest first; none where the system does not say.
  private static func caches() -> [(name: String, bytes: Int, isShared: Bool)] {
    (0..<8).compactMap { index in
      func text(_ file: String) -> String {
        let path = "/sys/devices/system/cpu/cpu0/cache/index\(index)/\(file)"
        return ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "")
          .trimmingCharacters(in: .whitespacesAndNewlines)
      }
      guard text("type") != "Instruction", let level = Int(text("level")), text("size").hasSuffix("K"),
        let kibibytes = Int(text("size").dropLast())
      else { return nil }
      return ("L\(level)", kibibytes << 10, level > 2)
    }
  }
}
