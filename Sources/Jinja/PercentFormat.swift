import FireflyBase
import Foundation

/// Python's `format % values`.
enum PercentFormat {
  static func apply(_ format: MarkedText, _ value: JinjaValue) throws -> MarkedText {
    var values: [JinjaValue] = if case .tuple(let several) = value { several } else { [value] }
    values.reverse()
    var out = MarkedText()
    var start = 0
    var takesNames = false
    let bytes = Array(format.text.utf8)
    while let place = bytes[start...].firstIndex(of: UInt8(ascii: "%")) {
      out.append(format.slice(start..<place))
      let conversion = try PercentConversion(bytes, place + 1)
      start = conversion.end
      if conversion.isPercentSign {
        out.append("%")
        continue
      }
      let next: JinjaValue
      if let name = conversion.name {
        takesNames = true
        guard case .dictionary(let map) = value, let member = map[.text(name)] else {
          throw FireflyError("the format needs a dictionary with \"\(name)\"", found: value.represented)
        }
        next = member
      } else {
        guard let value = values.popLast() else { throw FireflyError("the format needs more values") }
        next = value
      }
      let text = try conversion.convert(next)
      out.append(format.isSafe ? text.html : text)
    }
    // Python lets values that have items be left over.
    let hasItems =
      switch value {
      case .list, .dictionary, .undefined: true
      default: false
      }
    guard values.isEmpty || hasItems || takesNames else {
      throw FireflyError("the format needs fewer values")
    }
    out.append(format.slice(start..<bytes.count))
    return out.safe(format.isSafe)
  }
}

/// What stands behind a `%`: `(name)`, flags, a width, a precision, a letter.
private struct PercentConversion {
  let name: String?
  let letter: Character
  /// Behind the letter.
  let end: Int
  private let flags: Set<Character>
  private let width: Int
  private let precision: Int?
  private let written: String

  /// From the byte behind the `%` on.
  init(_ bytes: [UInt8], _ start: Int) throws {
    var place = start
    func taken(while holds: (UInt8) -> Bool) -> String {
      let from = place
      while place < bytes.count, holds(bytes[place]) { place += 1 }
      return String(decoding: bytes[from..<place], as: UTF8.self)
    }
    if place < bytes.count, bytes[place] == UInt8(ascii: "(") {
      place += 1
      name = taken { $0 != UInt8(ascii: ")") }
      place += 1
    } else {
      name = nil
    }
    let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    flags = Set(taken { "-+ 0#".utf8.contains($0) })
    let width = taken(while: isDigit)
    var precision: String?
    if place < bytes.count, bytes[place] == UInt8(ascii: ".") {
      place += 1
      precision = taken(while: isDigit)
    }
    guard place < bytes.count else { throw FireflyError("the format ends in the middle of a conversion") }
    letter = Character(Unicode.Scalar(bytes[place]))
    end = place + 1
    written = String(decoding: bytes[start..<end], as: UTF8.self)
    self.width = width.isEmpty ? 0 : Int(width) ?? .max
    self.precision = precision.map { $0.isEmpty ? 0 : Int($0) ?? .max }
    guard self.width <= 1000, self.precision ?? 0 <= 100 else { throw unsupported("any value") }
  }

  var isPercentSign: Bool { written == "%" }

  private func unsupported(_ kind: String) -> FireflyError {
    FireflyError("the format \"%\(written)\" is not supported for a value of type \(kind)")
  }

  func convert(_ value: JinjaValue) throws -> MarkedText {
    switch letter {
    case "s", "r":
      var text = letter == "s" ? value.printed : MarkedText(value.represented)
      if let precision {
        let offsets = text.scalarOffsets
        text = text.slice(0..<offsets[min(precision, offsets.count - 1)])
      }
      return padded(text)
    case "c":
      if case .string(let text) = value, text.scalarCount == 1 { return padded(text) }
      guard let code = value.integer.flatMap(UInt32.init(exactly:)), let scalar = Unicode.Scalar(code) else {
        throw unsupported(value.kind)
      }
      return padded(MarkedText(String(scalar)))
    default: return padded(number: try digits(value))
    }
  }

  /// A number without its sign's place and its width: "-" and the digits, or the digits.
  private func digits(_ value: JinjaValue) throws -> String {
    guard let number = value.number else { throw unsupported(value.kind) }
    switch letter {
    case "d", "i", "u":
      guard let whole = value.integer ?? Int(exactly: number.rounded(.towardZero)) else {
        throw FireflyError("a whole number is too large")
      }
      return spelled(whole, radix: 10, prefix: "")
    case "x", "X", "o":
      guard let whole = value.integer else { throw unsupported(value.kind) }
      let text = spelled(whole, radix: letter == "o" ? 8 : 16, prefix: letter == "o" ? "0o" : "0x")
      return letter == "X" ? text.uppercased() : text
    case "e", "E", "f", "F", "g", "G":
      return String(format: "%\(flags.contains("#") ? "#" : "").\(precision ?? 6)\(letter)", number)
    default: throw unsupported(value.kind)
    }
  }

  /// With as many digits as the precision says at least.
  private func spelled(_ whole: Int, radix: Int, prefix: String) -> String {
    let text = String(whole.magnitude, radix: radix)
    let zeros = String(repeating: "0", count: max(0, (precision ?? 0) - text.count))
    return (whole < 0 ? "-" : "") + (flags.contains("#") ? prefix : "") + zeros + text
  }

  private func padded(number: String) -> MarkedText {
    var text = number
    if !text.hasPrefix("-") { text = (flags.contains("+") ? "+" : flags.contains(" ") ? " " : "") + text }
    guard flags.contains("0"), !flags.contains("-") else { return padded(MarkedText(text)) }
    // Zeros stand behind the sign, and behind 0x.
    var head = text.prefix { "+- ".contains($0) }
    let rest = text.dropFirst(head.count)
    if let prefix = ["0x", "0X", "0o"].first(where: rest.hasPrefix) {
      head = text.prefix(head.count + prefix.count)
    }
    let zeros = String(repeating: "0", count: max(0, width - text.count))
    return MarkedText(head + zeros + text.dropFirst(head.count))
  }

  private func padded(_ text: MarkedText) -> MarkedText {
    let spaces = MarkedText(String(repeating: " ", count: max(0, width - text.scalarCount)))
    return MarkedText.joined(flags.contains("-") ? [text, spaces] : [spaces, text])
  }
}
