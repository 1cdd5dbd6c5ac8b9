import FireflyBase

/// The working memory of one encoding at a time: matching state, a cache of words, buffers.
///
/// It goes from thread to thread through its pool, and only one holds it at a time.
final class EncodingScratch: @unchecked Sendable {
  let matching = RegularExpressionWorkspace()
  let words = WordCache()
  var merging = MergeBuffers()
  var lattice = Lattice()
}

/// Scratches that are not in use; each call takes one and puts it back, so that no lock is held while working.
final class ScratchPool: Sendable {
  private let free = Locked<[EncodingScratch]>([])

  func with<Result>(_ body: (EncodingScratch) throws -> Result) rethrows -> Result {
    let scratch = free.withLock { $0.popLast() } ?? EncodingScratch()
    defer { free.withLock { $0.append(scratch) } }
    return try body(scratch)
  }
}

/// The ids of words met before: a table of fixed size in which a new word replaces the one in its slot.
final class WordCache {
  /// How many words are kept. An entry is one cache line: hash, length, count, the word, its ids.
  private static let entries = 1 << 14
  private static let entryBytes = 64
  static let longestWord = 22
  private static let mostIDs = 8
  private static let wordOffset = 10
  private static let idsOffset = 32

  private let memory = UnsafeMutableRawBufferPointer.allocate(
    byteCount: WordCache.entries * WordCache.entryBytes, alignment: 64)

  init() { memory.initializeMemory(as: UInt8.self, repeating: 0) }
  deinit { memory.deallocate() }

  /// Appends the ids of `word` when it is known.
  func append(_ word: UnsafeRawBufferPointer, hash: UInt64, to ids: inout [Int32]) -> Bool {
    guard word.count <= WordCache.longestWord else { return false }
    let entry = entry(of: hash)
    guard entry.load(as: UInt64.self) == hash, entry[8] == UInt8(word.count),
      equalBytes(UnsafeRawBufferPointer(rebasing: entry[WordCache.wordOffset...].prefix(word.count)), word)
    else { return false }
    for index in 0..<Int(entry[9]) {
      ids.append(entry.load(fromByteOffset: WordCache.idsOffset + 4 * index, as: Int32.self))
    }
    return true
  }

  /// Keeps the ids of `word` when both are short enough.
  func keep(_ word: UnsafeRawBufferPointer, hash: UInt64, ids: ArraySlice<Int32>) {
    guard word.count <= WordCache.longestWord, ids.count <= WordCache.mostIDs else { return }
    let entry = entry(of: hash)
    entry.storeBytes(of: hash, as: UInt64.self)
    entry[8] = UInt8(word.count)
    entry[9] = UInt8(ids.count)
    UnsafeMutableRawBufferPointer(rebasing: entry[WordCache.wordOffset...]).copyBytes(from: word)
    for (index, id) in ids.enumerated() {
      entry.storeBytes(of: id, toByteOffset: WordCache.idsOffset + 4 * index, as: Int32.self)
    }
  }

  private func entry(of hash: UInt64) -> UnsafeMutableRawBufferPointer {
    let start = Int(truncatingIfNeeded: hash) & (WordCache.entries - 1)
    return UnsafeMutableRawBufferPointer(
      rebasing: memory[(start * WordCache.entryBytes)...].prefix(WordCache.entryBytes))
  }
}
