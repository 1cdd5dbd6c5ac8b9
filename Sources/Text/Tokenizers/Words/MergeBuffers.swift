/// The merging of one word: symbols in a linked list, candidate merges in a heap.
struct MergeBuffers {
  /// The word's symbols before merging; the caller fills them.
  var symbols: [Int32] = []
  /// For each symbol the next one still there (the count after the last), and the one before (−1 before the first).
  private var next: [Int32] = []
  private var previous: [Int32] = []
  /// For each symbol the merge with its neighbour to the right; rank −1 when there is none.
  private var ranks: [Int32] = []
  private var merged: [Int32] = []
  /// Rank in the upper half, symbol in the lower: the smallest is the best merge, leftmost first.
  private var heap: [UInt64] = []
  /// For each token that must not be left, the pair that was last found to make it.
  private var parts: [Int32: (left: Int32, right: Int32)] = [:]

  /// Merges `symbols` and appends what is left to `ids`.
  /// - Parameter unused: tokens that may merge on but are cut into their parts when they are left.
  mutating func merge(by merges: PairTable, unused: Set<Int32> = [], to ids: inout [Int32]) {
    parts.removeAll(keepingCapacity: true)
    prepare(merges, unused)
    while let best = popBest() {
      let rank = Int32(truncatingIfNeeded: best >> 32)
      let left = Int(truncatingIfNeeded: best & 0xFFFF_FFFF)
      guard ranks[left] == rank else { continue }
      join(left, merges, unused)
    }
    var symbol = 0
    while symbol < symbols.count {
      append(symbols[symbol], to: &ids)
      symbol = Int(next[symbol])
    }
  }

  private func append(_ token: Int32, to ids: inout [Int32]) {
    guard !parts.isEmpty, let pair = parts[token] else { return ids.append(token) }
    append(pair.left, to: &ids)
    append(pair.right, to: &ids)
  }

  private mutating func prepare(_ merges: PairTable, _ unused: Set<Int32>) {
    let count = symbols.count
    next.removeAll(keepingCapacity: true)
    previous.removeAll(keepingCapacity: true)
    ranks.removeAll(keepingCapacity: true)
    merged.removeAll(keepingCapacity: true)
    heap.removeAll(keepingCapacity: true)
    for symbol in 0..<count {
      next.append(Int32(symbol + 1))
      previous.append(Int32(symbol - 1))
      ranks.append(-1)
      merged.append(-1)
    }
    for symbol in 0..<count { consider(symbol, merges, unused) }
  }

  /// Looks up the merge of `left` with its right neighbour and queues it.
  private mutating func consider(_ left: Int, _ merges: PairTable, _ unused: Set<Int32>) {
    let right = Int(next[left])
    guard right < symbols.count, let merge = merges.find(symbols[left], symbols[right]) else {
      ranks[left] = -1
      return
    }
    ranks[left] = merge.rank
    merged[left] = merge.id
    if !unused.isEmpty, unused.contains(merge.id) { parts[merge.id] = (symbols[left], symbols[right]) }
    push(UInt64(UInt32(bitPattern: merge.rank)) << 32 | UInt64(left))
  }

  private mutating func join(_ left: Int, _ merges: PairTable, _ unused: Set<Int32>) {
    let right = Int(next[left])
    symbols[left] = merged[left]
    next[left] = next[right]
    ranks[right] = -1
    if Int(next[left]) < symbols.count { previous[Int(next[left])] = Int32(left) }
    if previous[left] >= 0 { consider(Int(previous[left]), merges, unused) }
    consider(left, merges, unused)
  }

  private mutating func push(_ value: UInt64) {
    heap.append(value)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard value < heap[parent] else { break }
      heap[child] = heap[parent]
      child = parent
    }
    heap[child] = value
  }

  private mutating func popBest() -> UInt64? {
    guard let best = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return best }
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < last else { break }
      heap[parent] = heap[child]
      parent = child
    }
    heap[parent] = last
    return best
  }
}
