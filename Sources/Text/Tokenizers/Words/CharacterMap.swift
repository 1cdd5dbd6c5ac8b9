import FireflyBase

/// A compiled normalisation map of SentencePiece: strings and what becomes of them.
///
/// Format: a 32-bit count; so many bytes of a double array (Darts-clone: 32-bit units, a trie whose leaves hold
/// offsets); the replacements, each ended by a zero byte. All little-endian.
final class CharacterMap: Sendable {
  private let units: [UInt32]
  private let replacements: [UInt8]

  init(_ bytes: UnsafeRawBufferPointer, at place: String) throws {
    let broken = FireflyError("the normalisation map is broken", at: place)
    guard bytes.count >= 4 else { throw broken }
    let count = Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
    guard count >= 4, count % 4 == 0, count <= bytes.count - 4 else { throw broken }
    units = (0..<(count / 4)).map {
      UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 + 4 * $0, as: UInt32.self))
    }
    let rest = Array(bytes[(4 + count)...])
    guard String(validating: rest, as: UTF8.self) != nil else { throw broken }
    replacements = rest
  }

  /// What the longest string of the map that stands at `position` becomes, and where it ends; nil for none.
  func longest(in text: UnsafeRawBufferPointer, at position: Int) -> (replacement: Range<Int>, end: Int)? {
    var found: (offset: Int, end: Int)?
    forEachPrefix(of: text, at: position) { offset, end in
      found = (offset, end)
      return true
    }
    return found.map { (replacement(at: $0.offset), $0.end) }
  }

  /// What the shortest string of the map that `text` begins with becomes; nil for none.
  func shortest(in text: UnsafeRawBufferPointer) -> Range<Int>? {
    var found: Int?
    forEachPrefix(of: text, at: 0) { offset, _ in
      found = offset
      return false
    }
    return found.map(replacement(at:))
  }

  /// Bytes of a replacement.
  subscript(_ range: Range<Int>) -> ArraySlice<UInt8> { replacements[range] }

  private func replacement(at offset: Int) -> Range<Int> {
    let start = min(offset, replacements.count)
    let end = replacements[start...].firstIndex(of: 0) ?? replacements.count
    return start..<end
  }

  /// Walks the double array; `body` says whether to go on.
  private func forEachPrefix(
    of text: UnsafeRawBufferPointer, at position: Int, _ body: (_ offset: Int, _ end: Int) -> Bool
  ) {
    var node = CharacterMap.offset(units[0])
    for position in position..<text.count {
      node ^= Int(text[position])
      guard node < units.count, units[node] & 0x8000_00FF == UInt32(text[position]) else { return }
      let unit = units[node]
      node ^= CharacterMap.offset(unit)
      if unit & 0x100 != 0, node < units.count {
        guard body(Int(units[node] & 0x7FFF_FFFF), position + 1) else { return }
      }
    }
  }

  private static func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 0x200) >> 6) }
}

extension CharacterMap {
  /// The text as Hugging Face's tokenizers apply a map: to each grapheme of fewer than six bytes as a whole,
  /// otherwise, or where the map has nothing for it, to each of its scalars.
  func normalizeByCharacter(_ text: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    for grapheme in String(decoding: text, as: UTF8.self) {
      if grapheme.utf8.count < 6, let replacement = replacement(for: grapheme.utf8) {
        out += replacement
        continue
      }
      for scalar in grapheme.unicodeScalars {
        if let replacement = replacement(for: UTF8.encode(scalar).map(Array.init) ?? []) {
          out += replacement
        } else {
          out.append(contentsOf: String(scalar).utf8)
        }
      }
    }
    return out
  }

  private func replacement(for text: some Sequence<UInt8>) -> ArraySlice<UInt8>? {
    Array(text).withUnsafeBytes(shortest).map { self[$0] }
  }
}
