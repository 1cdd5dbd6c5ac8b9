import FireflyBase
import Foundation

/// Python's `format % values`, with the conversions s, r, d, i and f.
enum PercentFormat {
  static func apply(_ format: MarkedText, _ value: JinjaValue) throws -> MarkedText {
    var values: [JinjaValue] = if case .tuple(let several) = value { several } else { [value] }
    values.reverse()
    var out = MarkedText()
    var start = 0
    let bytes = Array(format.text.utf8)
    while let place = bytes[start...].firstIndex(of: UInt8(ascii: "%")) {
      out.append(format.slice(start..<place))
      var end = place + 1
      while end < bytes.count, "-+ 0123456789.".utf8.contains(bytes[end]) { end += 1 }
      guard end < bytes.count else { throw FireflyError("the format ends in the middle of a conversion") }
      let flags = String(decoding: bytes[place + 1..<end], as: UTF8.self)
      start = end + 1
      if bytes[end] == UInt8(ascii: "%") {
        out.append("%")
        continue
      }
      guard let next = values.popLast() else { throw FireflyError("the format needs more values") }
      let text = try converted(next, Character(Unicode.Scalar(bytes[end])), flags)
      out.append(format.isSafe ? text.html : text)
    }
    // Python lets values that have items be left over.
    let hasItems =
      switch value {
      case .list, .dictionary, .undefined: true
      default: false
      }
    guard values.isEmpty || hasItems else { throw FireflyError("the format needs fewer values") }
    out.append(format.slice(start..<bytes.count))
    return out.safe(format.isSafe)
  }

  private static func converted(_ value: JinjaValue, _ letter: Character, _ flags: String) throws
    -> MarkedText
  {
    let parts = flags.split(separator: ".", omittingEmptySubsequences: false)
    guard
      let width = Int(
        parts[0].drop { "-+ 0".contains($0) }.isEmpty ? "0" : parts[0].drop { "-+ 0".contains($0) }),
      let precision = parts.count > 1 ? Int(parts[1]) : 6, parts.count <= 2, width <= 1000, precision <= 100
    else { throw FireflyError("the format \"%\(flags)\(letter)\" is not supported") }
    var text: MarkedText
    switch (letter, value.number) {
    case ("s", _), ("r", _):
      text = letter == "s" ? value.printed : MarkedText(value.represented)
      if parts.count > 1 {
        let offsets = text.scalarOffsets
        text = text.slice(0..<offsets[min(precision, offsets.count - 1)])
      }
    case ("d", let number?), ("i", let number?):
      guard let whole = value.integer ?? Int(exactly: number.rounded(.towardZero)) else {
        throw FireflyError("a whole number is too large")
      }
      text = MarkedText(String(whole))
    case ("f", let number?): text = MarkedText(String(format: "%.\(precision)f", number))
    default:
      throw FireflyError(
        "the format \"%\(flags)\(letter)\" is not supported for a value of type \(value.kind)")
    }
    let isNumber = letter != "s" && letter != "r"
    let prefix = parts[0].prefix { "-+ 0".contains($0) }
    if isNumber, prefix.contains("+"), !text.text.hasPrefix("-") { text = MarkedText("+" + text.text) }
    let missing = max(0, width - text.scalarCount)
    if prefix.contains("-") {
      return MarkedText.joined([text, MarkedText(String(repeating: " ", count: missing))])
    }
    if isNumber, prefix.contains("0") {
      let sign = text.text.hasPrefix("-") || text.text.hasPrefix("+") ? 1 : 0
      let zeros = MarkedText(String(repeating: "0", count: missing))
      return MarkedText.joined([text.slice(0..<sign), zeros, text.slice(sign..<text.byteCount)])
    }
    return MarkedText.joined([MarkedText(String(repeating: " ", count: missing)), text])
  }
}
