/// What two adjacent symbols become: a hash table from (left, right) to (rank, id).
///
/// Filled while loading, read-only afterwards.
final class PairTable: @unchecked Sendable {
  struct Entry {
    var left: Int32
    var right: Int32
    var rank: Int32
    var id: Int32
  }

  /// A power of two slots, at most half full; a left of −1 is free.
  private var slots: UnsafeMutableBufferPointer<Entry>
  private var mask: Int
  private var used = 0

  /// - Parameter count: about how many pairs will come.
  init(count: Int) {
    var size = 64
    while size < 2 * count + 2 { size *= 2 }
    mask = size - 1
    slots = PairTable.empty(size)
  }

  deinit { slots.deallocate() }

  private static func empty(_ size: Int) -> UnsafeMutableBufferPointer<Entry> {
    let slots = UnsafeMutableBufferPointer<Entry>.allocate(capacity: size)
    slots.initialize(repeating: Entry(left: -1, right: -1, rank: 0, id: 0))
    return slots
  }

  /// Adds a pair; a pair that is there already gets the new rank and id, as in Hugging Face's tokenizers.
  func insert(_ left: Int32, _ right: Int32, rank: Int32, id: Int32) {
    if used * 2 > mask { grow() }
    let slot = slot(of: left, right)
    if slots[slot].left < 0 { used += 1 }
    slots[slot] = Entry(left: left, right: right, rank: rank, id: id)
  }

  private func grow() {
    let old = slots
    mask = old.count * 2 - 1
    slots = PairTable.empty(old.count * 2)
    for entry in old where entry.left >= 0 { slots[slot(of: entry.left, entry.right)] = entry }
    old.deallocate()
  }

  /// Where the pair is, or where it belongs.
  private func slot(of left: Int32, _ right: Int32) -> Int {
    var slot = firstSlot(left, right)
    while slots[slot].left >= 0, slots[slot].left != left || slots[slot].right != right {
      slot = (slot + 1) & mask
    }
    return slot
  }

  @inline(__always)
  func find(_ left: Int32, _ right: Int32) -> Entry? {
    var slot = firstSlot(left, right)
    while true {
      let entry = slots[slot]
      if entry.left == left && entry.right == right { return entry }
      if entry.left < 0 { return nil }
      slot = (slot + 1) & mask
    }
  }

  /// The ids that merges make, once for each merge.
  var results: [Int32] { slots.lazy.filter { $0.left >= 0 }.map(\.id) }

  /// Whether a merge takes one of `ids`.
  func contains(anyOf ids: [Int32]) -> Bool {
    let ids = Set(ids)
    return slots.contains { $0.left >= 0 && (ids.contains($0.left) || ids.contains($0.right)) }
  }

  @inline(__always)
  private func firstSlot(_ left: Int32, _ right: Int32) -> Int {
    let key = UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    return Int(truncatingIfNeeded: mix(key ^ 0x9E37_79B9_7F4A_7C15)) & mask
  }
}
