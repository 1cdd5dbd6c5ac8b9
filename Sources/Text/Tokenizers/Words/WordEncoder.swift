import FireflyBase

/// The model of a tokenizer: one word, already normalised, to ids.
protocol WordEncoder: Sendable {
  /// Appends the ids of `word`, which is valid UTF-8 and not empty.
  func encode(_ word: UnsafeRawBufferPointer, scratch: EncodingScratch, to ids: inout [Int32]) throws
}

/// What becomes of a character that has no token.
struct UnknownCharacters: Sendable {
  /// For each byte its id, that of `<0x00>` … `<0xFF>`; nil when the vocabulary spells no bytes.
  var byteFallback: [Int32]?
  /// The token for unknown text.
  var unknown: Int32?
  /// Whether neighbours that are unknown are one unknown token.
  var fuses: Bool
  /// Whether a character is left out when there is no token for unknown text; otherwise it is an error.
  var omits = false

  /// Appends what stands for `character`.
  /// - Parameter start: where in `ids` the text begins that may be fused.
  func append(_ character: UnsafeRawBufferPointer, to ids: inout [Int32], from start: Int) throws {
    if let byteFallback {
      for byte in character { ids.append(byteFallback[Int(byte)]) }
    } else if let unknown {
      if !(fuses && ids.count > start && ids.last == unknown) { ids.append(unknown) }
    } else if !omits {
      throw FireflyError(
        "the vocabulary has no token for a character and none for unknown text",
        found: String(decoding: character, as: UTF8.self))
    }
  }
}

/// The scalar at `position` of valid UTF-8, and how many bytes it takes.
@inline(__always)
func decodeScalar(_ text: UnsafeRawBufferPointer, at position: Int) -> (scalar: Int32, length: Int) {
  let first = Int32(text[position])
  if first < 0x80 { return (first, 1) }
  let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
  var scalar = first & (0x7F >> Int32(length))
  for offset in 1..<length { scalar = scalar << 6 | Int32(text[position + offset]) & 0x3F }
  return (scalar, length)
}

extension UnsafeRawBufferPointer {
  /// A part as a buffer of its own.
  @inline(__always)
  func part(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[range]) }
}
