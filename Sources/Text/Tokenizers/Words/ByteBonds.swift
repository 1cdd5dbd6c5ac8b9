/// Tells between which characters a merge of bytes may reach: elsewhere a text can be cut, and each part merged
/// alone, with no change of the result. Chinese runs on for many characters without a space, so this is what makes it
/// quick.
///
/// A bond is kept as the last two bytes before and the first two after (one, where a token has no more of the
/// character): that holds more pairs together than need be, but no fewer.
struct ByteBonds: Sendable {
  private let pairs: PairTable
  /// For each continuation byte, whether a token begins with it, so that it knows one byte of the character before.
  private var isShortBefore = [Bool](repeating: false, count: 256)
  /// For each first byte of a character, whether a token ends with it, so that it knows one byte of the character
  /// after.
  private var isShortAfter = [Bool](repeating: false, count: 256)

  /// - Parameter tokens: the bytes of all tokens that merges make.
  init(_ tokens: some Sequence<[UInt8]>) {
    pairs = PairTable(count: 1 << 12)
    for token in tokens {
      for end in token.indices.dropFirst() where !ByteBonds.goesOn(token[end]) {
        let before = ByteBonds.before(token[end - 1], end >= 2 ? token[end - 2] : nil)
        let after = ByteBonds.after(token[end], end + 1 < token.count ? token[end + 1] : nil)
        if before.isShort { isShortBefore[Int(token[end - 1])] = true }
        if after.isShort { isShortAfter[Int(token[end])] = true }
        pairs.insert(before.key, after.key, rank: 0, id: 0)
      }
    }
  }

  /// Whether a merge may reach over `position` of valid UTF-8, where a character starts.
  @inline(__always)
  func holds(_ text: UnsafeRawBufferPointer, at position: Int) -> Bool {
    let last = text[position - 1]
    let first = text[position]
    let before = ByteBonds.before(last, position >= 2 ? text[position - 2] : nil).key
    let after = ByteBonds.after(first, position + 1 < text.count ? text[position + 1] : nil).key
    if pairs.find(before, after) != nil { return true }
    if isShortAfter[Int(first)], pairs.find(before, Int32(first)) != nil { return true }
    guard isShortBefore[Int(last)] else { return false }
    if pairs.find(Int32(last), after) != nil { return true }
    return isShortAfter[Int(first)] && pairs.find(Int32(last), Int32(first)) != nil
  }

  /// Whether `byte` is not a character's first one.
  @inline(__always)
  static func goesOn(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

  @inline(__always)
  private static func before(_ last: UInt8, _ previous: UInt8?) -> (key: Int32, isShort: Bool) {
    guard goesOn(last) else { return (Int32(last), false) }
    guard let previous else { return (Int32(last), true) }
    return (Int32(previous) << 8 | Int32(last), false)
  }

  @inline(__always)
  private static func after(_ first: UInt8, _ next: UInt8?) -> (key: Int32, isShort: Bool) {
    guard first >= 0x80 else { return (Int32(first), false) }
    guard let next else { return (Int32(first), true) }
    return (Int32(first) << 8 | Int32(next), false)
  }
}
