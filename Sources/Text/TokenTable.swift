/// Tokens by id and ids by token, compared byte by byte.
///
/// Swift's `String` equality is canonical equivalence, which would make one of two tokens that
/// differ only in Unicode normalisation (LLaMA has `ά` twice); so tokens are UTF-8 bytes here.
struct TokenTable: Sendable {
  /// Ids above this are refused: no vocabulary comes near, and a lying file must not fill the memory.
  static let largestID = 1 << 24

  private var bytes: [UInt8] = []
  /// By id: where its token starts and how long it is; a start of −1 means no token.
  private var spans: [(start: Int32, count: Int32)] = []
  /// Open addressing by the token's hash; −1 is free. A power of two, at most half full.
  private var slots: [Int32]
  private var used = 0

  /// - Parameter count: about how many tokens will come.
  init(count: Int) {
    slots = [Int32](repeating: -1, count: TokenTable.slotCount(for: count))
  }

  /// One more than the largest id.
  var limit: Int { spans.count }

  /// Adds a token; a token that is there already gets the new id, an id that is taken gets the new token.
  mutating func insert(_ token: some Collection<UInt8>, id: Int32) {
    precondition(id >= 0 && Int(id) <= TokenTable.largestID)
    while spans.count <= Int(id) { spans.append((-1, 0)) }
    spans[Int(id)] = (Int32(bytes.count), Int32(token.count))
    bytes.append(contentsOf: token)
    used += 1
    if used * 2 > slots.count { grow() } else { place(id) }
  }

  /// The bytes of the token of `id`; nil when there is none.
  func token(of id: Int32) -> ArraySlice<UInt8>? {
    guard id >= 0, Int(id) < spans.count, spans[Int(id)].start >= 0 else { return nil }
    let span = spans[Int(id)]
    return bytes[Int(span.start)..<Int(span.start + span.count)]
  }

  func id(of token: UnsafeRawBufferPointer) -> Int32? {
    slots.withUnsafeBufferPointer { slots in
      bytes.withUnsafeBytes { bytes in
        var slot = Int(truncatingIfNeeded: hashBytes(token)) & (slots.count - 1)
        while slots[slot] >= 0 {
          let span = spans[Int(slots[slot])]
          let candidate = UnsafeRawBufferPointer(
            start: bytes.baseAddress.map { $0 + Int(span.start) }, count: Int(span.count))
          if equalBytes(candidate, token) { return slots[slot] }
          slot = (slot + 1) & (slots.count - 1)
        }
        return nil
      }
    }
  }

  func id(of token: String) -> Int32? {
    var token = token
    return token.withUTF8 { id(of: UnsafeRawBufferPointer($0)) }
  }

  func id(of token: [UInt8]) -> Int32? { token.withUnsafeBytes { id(of: $0) } }

  private static func slotCount(for count: Int) -> Int {
    var slots = 64
    while slots < 2 * count + 2 { slots *= 2 }
    return slots
  }

  private mutating func grow() {
    slots = [Int32](repeating: -1, count: slots.count * 2)
    for id in spans.indices where spans[id].start >= 0 { place(Int32(id)) }
  }

  private mutating func place(_ id: Int32) {
    guard let token = token(of: id) else { return }
    var slot = token.withUnsafeBytes { Int(truncatingIfNeeded: hashBytes($0)) } & (slots.count - 1)
    while slots[slot] >= 0 {
      if let other = self.token(of: slots[slot]), other.elementsEqual(token) { break }
      slot = (slot + 1) & (slots.count - 1)
    }
    slots[slot] = id
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
