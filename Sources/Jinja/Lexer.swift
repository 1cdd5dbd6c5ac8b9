import FireflyBase

/// One token of a template, with the line it stands on.
struct Token {
  enum Kind: Equatable {
    /// Text outside of tags, white space already cut.
    case text(String)
    case blockBegin, blockEnd
    case outputBegin, outputEnd
    case name(String)
    case string(String)
    case integer(Int)
    case float(Double)
    case symbol(String)
    case end
  }

  var kind: Kind
  var line: Int
}

/// Splits a template into text and the tokens of its tags, with transformers' settings: trim_blocks (the newline after
/// a `%}` or `#}` goes), lstrip_blocks (white space between a line's start and a `{%` or `{#` goes), and the last newline
/// of the template goes.
struct Lexer {
  let place: String
  let bytes: [UInt8]
  var position = 0
  var line = 1
  var tokens: [Token] = []

  /// - Parameter place: names the template in errors.
  init(_ source: String, place: String) {
    self.place = place
    var bytes: [UInt8] = []
    bytes.reserveCapacity(source.utf8.count)
    var previous: UInt8 = 0
    for byte in source.utf8 {  // every kind of newline becomes \n
      let isSecondOfPair = byte == UInt8(ascii: "\n") && previous == UInt8(ascii: "\r")
      if !isSecondOfPair { bytes.append(byte == UInt8(ascii: "\r") ? UInt8(ascii: "\n") : byte) }
      previous = byte
    }
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    self.bytes = bytes
  }

  /// - Throws: `FireflyError` with the line of a tag that does not end or a character that belongs nowhere.
  mutating func run() throws -> [Token] {
    while let start = nextTag() {
      let kind = bytes[start + 1]
      let sign = byte(start + 2)
      addText(position..<start, sign: sign, isOutput: kind == UInt8(ascii: "{"))
      position = start + (sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") ? 3 : 2)
      switch kind {
      case UInt8(ascii: "#"): try skipComment()
      case UInt8(ascii: "{"): try lexTag(begin: .outputBegin, end: .outputEnd, closing: "}}")
      default: if try !lexRaw() { try lexTag(begin: .blockBegin, end: .blockEnd, closing: "%}") }
      }
    }
    addText(position..<bytes.count, sign: nil, isOutput: true)
    tokens.append(Token(kind: .end, line: line))
    return tokens
  }

  func byte(_ index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

  func isNext(_ text: String, at index: Int) -> Bool {
    index + text.utf8.count <= bytes.count
      && bytes[index..<index + text.utf8.count].elementsEqual(text.utf8)
  }

  /// The next `{{`, `{%` or `{#` from the present position.
  private func nextTag() -> Int? {
    var index = position
    while index + 1 < bytes.count {
      if bytes[index] == UInt8(ascii: "{"),
        [UInt8(ascii: "{"), UInt8(ascii: "%"), UInt8(ascii: "#")].contains(bytes[index + 1])
      {
        return index
      }
      index += 1
    }
    return nil
  }

  /// Adds the text before a tag, white space cut as the tag's sign and lstrip_blocks want.
  private mutating func addText(_ range: Range<Int>, sign: UInt8?, isOutput: Bool) {
    var kept = range
    if sign == UInt8(ascii: "-") {
      let text = MarkedText(String(decoding: bytes[range], as: UTF8.self)).stripped(left: false)
      kept = range.lowerBound..<range.lowerBound + text.byteCount
    } else if sign != UInt8(ascii: "+") && !isOutput {
      let lineStart = bytes[range].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
      let startsLine = range.lowerBound == 0 || bytes[range.lowerBound - 1] == UInt8(ascii: "\n")
      if let start = lineStart ?? (startsLine ? range.lowerBound : nil),
        String(decoding: bytes[start..<range.upperBound], as: UTF8.self).unicodeScalars
          .allSatisfy(\.isPythonSpace)
      {
        kept = range.lowerBound..<start
      }
    }
    if !kept.isEmpty {
      tokens.append(Token(kind: .text(String(decoding: bytes[kept], as: UTF8.self)), line: line))
    }
    countLines(range)
  }

  mutating func countLines(_ range: Range<Int>) {
    for byte in bytes[range] where byte == UInt8(ascii: "\n") { line += 1 }
  }

  /// Moves behind a closing tag at `index`: with `-` all white space after it goes, and one newline after a block or
  /// comment unless it has `+`.
  mutating func close(_ index: Int, sign: UInt8?, trimsNewline: Bool) {
    var end = index
    if sign == UInt8(ascii: "-") {
      let rest = String(decoding: bytes[end...], as: UTF8.self).unicodeScalars
      end += rest.prefix(while: \.isPythonSpace).reduce(0) { $0 + UTF8.width($1) }
    } else if trimsNewline && sign != UInt8(ascii: "+") && byte(end) == UInt8(ascii: "\n") {
      end += 1
    }
    countLines(position..<end)
    position = end
  }

  private mutating func skipComment() throws {
    let begin = line
    var index = position
    while index < bytes.count, !isNext("#}", at: index) { index += 1 }
    guard index < bytes.count else { throw error("the comment does not end", line: begin, "expected #}") }
    let sign = index > position ? bytes[index - 1] : nil
    close(index + 2, sign: sign, trimsNewline: true)
  }

  /// `{% raw %} … {% endraw %}` from behind its `{%`; false when the tag is another one.
  private mutating func lexRaw() throws -> Bool {
    let begin = line
    guard let opened = word("raw", from: position) else { return false }
    close(opened.end, sign: opened.sign, trimsNewline: false)
    var index = position
    while index < bytes.count {
      if isNext("{%", at: index) {
        let sign = byte(index + 2)
        let isSigned = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+")
        if let closed = word("endraw", from: index + (isSigned ? 3 : 2)) {
          addText(position..<index, sign: isSigned ? sign : nil, isOutput: false)
          position = index
          close(closed.end, sign: closed.sign, trimsNewline: true)
          return true
        }
      }
      index += 1
    }
    throw error("the raw block does not end", line: begin, "expected {% endraw %}")
  }

  /// The place behind `name %}` when these are all that follows, and the closing tag's sign.
  private func word(_ name: String, from start: Int) -> (end: Int, sign: UInt8?)? {
    var index = start
    func skipSpace() {
      while let byte = byte(index), byte == 0x20 || (0x09...0x0D).contains(byte) { index += 1 }
    }
    skipSpace()
    guard isNext(name, at: index) else { return nil }
    index += name.utf8.count
    skipSpace()
    if isNext("%}", at: index) { return (index + 2, nil) }
    if isNext("-%}", at: index) || isNext("+%}", at: index) { return (index + 3, bytes[index]) }
    return nil
  }

  func error(_ what: String, line: Int, _ fix: String? = nil) -> FireflyError {
    FireflyError("the chat template is not understood: \(what)", at: "\(place):\(line)", fix: fix)
  }
}
