import FireflyBase

/// A text that remembers which of its parts came from where, through cutting and joining.
///
/// A chat template may trim a message, drop parts of it, or put it anywhere; the marks still tell which bytes of the
/// rendered text are that message's. Offsets are bytes of UTF-8.
package struct MarkedText: Sendable {
  /// Bytes that came from `source`.
  package struct Mark: Equatable, Sendable {
    package var range: Range<Int>
    package var source: Int
  }

  package private(set) var text: String
  /// The marks, ascending and apart.
  package private(set) var marks: [Mark] = []
  /// Whether it is HTML as it should be, Python's `Markup`: what is put to it is escaped.
  var isSafe = false

  /// - Parameter source: what all of `text` comes from; nil when nobody asks.
  package init(_ text: String = "", source: Int? = nil) {
    self.text = text
    self.text.makeContiguousUTF8()
    if let source, !text.isEmpty { marks = [Mark(range: 0..<text.utf8.count, source: source)] }
  }

  var byteCount: Int { text.utf8.count }
  var isEmpty: Bool { text.isEmpty }

  package mutating func append(_ other: MarkedText) {
    let shift = byteCount
    text += other.text
    for mark in other.marks {
      let range = mark.range.lowerBound + shift..<mark.range.upperBound + shift
      if let last = marks.last, last.source == mark.source, last.range.upperBound == range.lowerBound {
        marks[marks.count - 1].range = last.range.lowerBound..<range.upperBound
      } else {
        marks.append(Mark(range: range, source: mark.source))
      }
    }
  }

  mutating func append(_ literal: String) { text += literal }

  /// The part between two byte offsets, which must lie between characters' scalars.
  package func slice(_ bytes: Range<Int>) -> MarkedText {
    if bytes == 0..<byteCount { return self }
    let utf8 = text.utf8
    let start = utf8.index(utf8.startIndex, offsetBy: bytes.lowerBound)
    let end = utf8.index(start, offsetBy: bytes.count)
    var part = MarkedText(String(text[start..<end]))
    part.isSafe = isSafe
    for mark in marks[firstMark(endingAfter: bytes.lowerBound)...] {
      guard mark.range.lowerBound < bytes.upperBound else { break }
      let range = mark.range.clamped(to: bytes)
      part.marks.append(
        Mark(
          range: range.lowerBound - bytes.lowerBound..<range.upperBound - bytes.lowerBound,
          source: mark.source))
    }
    return part
  }

  private func firstMark(endingAfter offset: Int) -> Int {
    var (low, high) = (0, marks.count)
    while low < high {
      let middle = (low + high) / 2
      if marks[middle].range.upperBound > offset { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Another spelling of this text as a whole, such as its upper case: all of it comes from this one's only source, if
  /// it has one.
  func respelled(_ body: (String) -> String) -> MarkedText {
    let sources = Set(marks.map(\.source))
    var respelled = MarkedText(body(text), source: sources.count == 1 ? sources.first : nil)
    respelled.isSafe = isSafe
    return respelled
  }

  static func joined(_ parts: some Sequence<MarkedText>, by separator: MarkedText = MarkedText())
    -> MarkedText
  {
    var all = MarkedText()
    for (index, part) in parts.enumerated() {
      if index > 0 { all.append(separator) }
      all.append(part)
    }
    return all
  }
}

// MARK: - HTML

extension MarkedText {
  private static let escapes: [UInt8: String] = [
    UInt8(ascii: "&"): "&amp;", UInt8(ascii: "<"): "&lt;", UInt8(ascii: ">"): "&gt;",
    UInt8(ascii: "'"): "&#39;", UInt8(ascii: "\""): "&#34;",
  ]

  /// The text as HTML: escaped, unless it is safe.
  var html: MarkedText {
    guard !isSafe else { return self }
    var html = MarkedText()
    var start = 0
    for (offset, byte) in text.utf8.enumerated() {
      guard let escape = MarkedText.escapes[byte] else { continue }
      html.append(slice(start..<offset))
      html.append(slice(offset..<offset + 1).respelled { _ in escape })
      start = offset + 1
    }
    html.append(slice(start..<byteCount))
    html.isSafe = true
    return html
  }

  /// Python's `+`: what stands beside a safe text is escaped.
  func adding(_ other: MarkedText) -> MarkedText {
    let isHTML = isSafe || other.isSafe
    var sum = isHTML ? html : self
    sum.append(isHTML ? other.html : other)
    return sum
  }

  func safe(_ isSafe: Bool) -> MarkedText {
    var text = self
    text.isSafe = isSafe
    return text
  }
}

// MARK: - Comparing: by code points, as Python does, not by canonical equivalence

extension MarkedText: Equatable {
  package static func == (first: MarkedText, second: MarkedText) -> Bool { first.equals(second.text) }

  func equals(_ other: String) -> Bool {
    text.utf8.count == other.utf8.count && text.utf8.elementsEqual(other.utf8)
  }

  /// UTF-8 orders as code points do.
  func precedes(_ other: MarkedText) -> Bool { text.utf8.lexicographicallyPrecedes(other.text.utf8) }
}

// MARK: - Finding

extension MarkedText {
  /// Where `needle` stands, from the left and not overlapping; at most `limit` places.
  package func ranges(of needle: MarkedText, limit: Int = .max) -> [Range<Int>] {
    let bytes = Array(text.utf8)
    let pattern = Array(needle.text.utf8)
    guard !pattern.isEmpty, limit > 0 else { return [] }
    var found: [Range<Int>] = []
    var start = 0
    while found.count < limit, start + pattern.count <= bytes.count,
      let hit = bytes[start...(bytes.count - pattern.count)].firstIndex(of: pattern[0])
    {
      let range = hit..<hit + pattern.count
      if bytes[range].elementsEqual(pattern) {
        found.append(range)
        start = range.upperBound
      } else {
        start = hit + 1
      }
    }
    return found
  }

  func contains(_ needle: MarkedText) -> Bool { needle.isEmpty || !ranges(of: needle, limit: 1).isEmpty }

  package func hasPrefix(_ other: MarkedText) -> Bool { text.utf8.starts(with: other.text.utf8) }

  func hasSuffix(_ other: MarkedText) -> Bool {
    text.utf8.reversed().starts(with: other.text.utf8.reversed())
  }

  /// The byte offset at which each scalar begins, and at the end the length.
  var scalarOffsets: [Int] {
    var offsets: [Int] = []
    for (offset, byte) in text.utf8.enumerated() where byte & 0xC0 != 0x80 { offsets.append(offset) }
    return offsets + [byteCount]
  }

  var scalarCount: Int { text.unicodeScalars.count }

  /// The text without the scalars at its ends that `isStripped` accepts.
  func stripped(
    left: Bool = true, right: Bool = true, _ isStripped: (Unicode.Scalar) -> Bool = \.isPythonSpace
  ) -> MarkedText {
    var rest = text.unicodeScalars[...]
    if left { rest = rest.drop(while: isStripped) }
    while right, let last = rest.last, isStripped(last) { rest.removeLast() }
    let start = text.utf8.distance(from: text.utf8.startIndex, to: rest.startIndex)
    return slice(start..<start + rest.utf8Count)
  }
}

extension Substring.UnicodeScalarView {
  fileprivate var utf8Count: Int { Substring(self).utf8.count }
}
