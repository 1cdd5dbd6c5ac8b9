/// SentencePiece's normaliser: its map of characters and what it does with spaces.
struct PieceNormalizer: Sendable {
  static let mark = Array("▁".utf8)

  var map: CharacterMap?
  /// Pieces that the map leaves alone.
  var fixed: PieceTrie?
  /// Whether a text gets a space in front (`add_dummy_prefix`).
  var addsSpace = true
  /// Whether only the very start of a text gets it, not what follows a special token.
  var addsSpaceOnlyAtStart = false
  /// Whether the space goes to the end instead (`treat_whitespace_as_suffix`).
  var addsSpaceBehind = false
  /// Whether spaces at both ends and repeated ones go (`remove_extra_whitespaces`).
  var removesExtraSpaces = false
  /// Whether a space becomes `▁`.
  var marksSpaces = true

  /// The text as the model's pieces spell it.
  func normalize(_ text: [UInt8], startsText: Bool) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count + text.count / 2 + 3)
    text.withUnsafeBytes { text in
      var position = 0
      while removesExtraSpaces, position < text.count {
        let next = next(in: text, at: position)
        guard next.bytes.elementsEqual([UInt8(ascii: " ")]) else { break }
        position = next.end
      }
      guard position < text.count else { return }
      let wantsSpace = addsSpace && (startsText || !addsSpaceOnlyAtStart)
      if wantsSpace && !addsSpaceBehind { append([UInt8(ascii: " ")], to: &out) }
      appendAll(of: text, from: position, to: &out)
      if removesExtraSpaces { removeLastSpaces(&out) }
      if wantsSpace && addsSpaceBehind { append([UInt8(ascii: " ")], to: &out) }
    }
    return out
  }

  private func appendAll(of text: UnsafeRawBufferPointer, from start: Int, to out: inout [UInt8]) {
    if map == nil && !removesExtraSpaces { return append(text[start...], to: &out) }
    var position = start
    var afterSpace = removesExtraSpaces
    while position < text.count {
      let next = next(in: text, at: position)
      var bytes = next.bytes
      position = next.end
      while afterSpace, bytes.first == UInt8(ascii: " ") { bytes = bytes.dropFirst() }
      guard let last = bytes.last else { continue }
      append(bytes, to: &out)
      afterSpace = removesExtraSpaces && last == UInt8(ascii: " ")
    }
  }

  /// What the text at `position` becomes, and where that part of it ends.
  private func next(in text: UnsafeRawBufferPointer, at position: Int) -> (bytes: ArraySlice<UInt8>, end: Int)
  {
    if let fixed, fixed.mayStart(with: text[position]), let piece = fixed.longest(in: text, at: position) {
      return (ArraySlice(text[position..<piece.end]), piece.end)
    }
    if let map, let found = map.longest(in: text, at: position) {
      return (map[found.replacement], found.end)
    }
    let end = position + decodeScalar(text, at: position).length
    return (ArraySlice(text[position..<end]), end)
  }

  private func append(_ bytes: some Collection<UInt8>, to out: inout [UInt8]) {
    guard marksSpaces else { return out.append(contentsOf: bytes) }
    for byte in bytes {
      if byte == UInt8(ascii: " ") { out.append(contentsOf: PieceNormalizer.mark) } else { out.append(byte) }
    }
  }

  private func removeLastSpaces(_ out: inout [UInt8]) {
    let space = marksSpaces ? PieceNormalizer.mark : [UInt8(ascii: " ")]
    while out.suffix(space.count).elementsEqual(space) { out.removeLast(space.count) }
  }
}
