/// Tokens by id and ids by token, compared byte by byte.
///
/// Swift's `String` equality is canonical equivalence, which would make one of two tokens that
/// differ only in Unicode normalisation (LLaMA has `ά` twice); so tokens are UTF-8 bytes here.
struct TokenTable: Sendable {
  /// Ids above this are refused: no vocabulary comes near, and a lying file must not fill the memory.
  static let largestID = 1 << 24

  private var bytes: [UInt8] = []
  /// For each id where its token starts and how long it is; a start of −1 means no token.
  private var spans: [(start: Int, count: Int)] = []
  /// Open addressing: half of the token's hash above its id; `free` where there is none.
  /// A power of two, at most three quarters full.
  private var slots: [UInt64]
  private var used = 0

  private static let free = UInt64.max

  /// - Parameter count: about how many tokens will come.
  init(count: Int) {
    var size = 64
    while 3 * size < 4 * count { size *= 2 }
    slots = [UInt64](repeating: TokenTable.free, count: size)
    spans.reserveCapacity(count)
    bytes.reserveCapacity(8 * count)
  }

  /// One more than the largest id.
  var limit: Int { spans.count }
  /// How many ids have a token.
  var count: Int { spans.count { $0.start >= 0 } }

  /// Adds a token; a token that is there already gets the new id, an id that is taken gets the new token.
  mutating func insert(_ token: UnsafeRawBufferPointer, id: Int32) {
    precondition(id >= 0 && Int(id) <= TokenTable.largestID)
    if Int(id) >= spans.count {
      spans.append(contentsOf: repeatElement((start: -1, count: 0), count: Int(id) + 1 - spans.count))
    }
    spans[Int(id)] = (bytes.count, token.count)
    bytes.append(contentsOf: token)
    used += 1
    if 4 * used > 3 * slots.count { grow() }
    let hash = TokenTable.tag(hashBytes(token))
    slots[slot(of: token, hash)] = hash | UInt64(id)
  }

  mutating func insert(_ token: String, id: Int32) {
    var token = token
    token.withUTF8 { insert(UnsafeRawBufferPointer($0), id: id) }
  }

  /// The bytes of the token of `id`; nil when there is none.
  func token(of id: Int32) -> ArraySlice<UInt8>? {
    guard id >= 0, Int(id) < spans.count, spans[Int(id)].start >= 0 else { return nil }
    let span = spans[Int(id)]
    return bytes[span.start..<(span.start + span.count)]
  }

  func id(of token: UnsafeRawBufferPointer) -> Int32? {
    let found = slots[slot(of: token, TokenTable.tag(hashBytes(token)))]
    return found == TokenTable.free ? nil : Int32(truncatingIfNeeded: found & 0xFFFF_FFFF)
  }

  func id(of token: String) -> Int32? {
    var token = token
    return token.withUTF8 { id(of: UnsafeRawBufferPointer($0)) }
  }

  func id(of token: [UInt8]) -> Int32? { token.withUnsafeBytes { id(of: $0) } }

  /// The upper half of a slot; never that of `free` together with an id.
  @inline(__always)
  private static func tag(_ hash: UInt64) -> UInt64 { hash & 0xFFFF_FFFF_0000_0000 }

  /// Where `token` is, or where it belongs.
  private func slot(of token: UnsafeRawBufferPointer, _ tag: UInt64) -> Int {
    slots.withUnsafeBufferPointer { slots in
      var slot = Int(truncatingIfNeeded: tag >> 32) & (slots.count - 1)
      while slots[slot] != TokenTable.free {
        if TokenTable.tag(slots[slot]) == tag, equals(Int(slots[slot] & 0xFFFF_FFFF), token) { break }
        slot = (slot + 1) & (slots.count - 1)
      }
      return slot
    }
  }

  private func equals(_ id: Int, _ token: UnsafeRawBufferPointer) -> Bool {
    let span = spans[id]
    return bytes.withUnsafeBytes {
      equalBytes(UnsafeRawBufferPointer(rebasing: $0[span.start...].prefix(span.count)), token)
    }
  }

  private mutating func grow() {
    let old = slots
    slots = [UInt64](repeating: TokenTable.free, count: old.count * 2)
    for entry in old where entry != TokenTable.free {
      var slot = Int(truncatingIfNeeded: entry >> 32) & (slots.count - 1)
      while slots[slot] != TokenTable.free { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = entry
    }
  }
}

/// A 64-bit hash of bytes, eight at a time (multiply and fold; for tables only).
@inline(__always)
func hashBytes(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
  var hash = 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: bytes.count)
  var offset = 0
  while offset + 8 <= bytes.count {
    hash = mix(hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    offset += 8
  }
  var rest: UInt64 = 0
  while offset < bytes.count {
    rest = rest << 8 | UInt64(bytes[offset])
    offset += 1
  }
  return mix(hash ^ rest)
}

@inline(__always)
func mix(_ value: UInt64) -> UInt64 {
  let product = value.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
  return product.high ^ product.low
}

@inline(__always)
func equalBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
  guard a.count == b.count else { return false }
  var index = 0
  while index < a.count {
    if a[index] != b[index] { return false }
    index += 1
  }
  return true
}
