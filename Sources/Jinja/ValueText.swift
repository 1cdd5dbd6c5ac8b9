import FireflyBase

extension JinjaValue {
  /// Python's `str()`: what `{{ … }}` writes.
  var printed: MarkedText {
    switch self {
    case .undefined: MarkedText()
    case .string(let text): text
    default: MarkedText(represented, source: onlySource)
    }
  }

  /// Python's `repr()`.
  package var represented: String {
    switch self {
    case .undefined: "Undefined"
    case .null: "None"
    case .bool(let flag): flag ? "True" : "False"
    case .int(let number): String(number)
    case .double(let number): JinjaValue.spelled(number)
    case .string(let text):
      text.isSafe ? "Markup(\(JinjaValue.quoted(text.text)))" : JinjaValue.quoted(text.text)
    case .list(let list): "[\(JinjaValue.joined(list))]"
    case .tuple(let list): list.count == 1 ? "(\(list[0].represented),)" : "(\(JinjaValue.joined(list)))"
    case .iterator: "<generator object>"
    case .dictionary(let map):
      "{\(map.entries.map { "\($0.key.represented): \($0.value.represented)" }.joined(separator: ", "))}"
    case .object(let object): "<\(object.kind)>"
    case .function(let function): "<function \(function.name)>"
    }
  }

  private static func joined(_ list: [JinjaValue]) -> String {
    list.map(\.represented).joined(separator: ", ")
  }

  /// Python's spelling of a float: the shortest digits that give it back, with an exponent below 1e-4 and from 1e16.
  static func spelled(_ number: Double) -> String {
    if number.isNaN { return "nan" }
    if number.isInfinite { return number < 0 ? "-inf" : "inf" }
    let parts = "\(number.magnitude)".split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    var digits = String(mantissa[0] + (mantissa.count > 1 ? mantissa[1] : ""))
    var point = mantissa[0].count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
    while digits.count > 1, digits.hasPrefix("0") {
      digits.removeFirst()
      point -= 1
    }
    while digits.count > 1, digits.hasSuffix("0") { digits.removeLast() }
    let sign = number.sign == .minus ? "-" : ""
    if digits == "0" { return sign + "0.0" }
    if point > 16 || point < -3 {
      let exponent = point - 1
      let rest = digits.dropFirst()
      let size = String(exponent.magnitude)
      return sign + digits.prefix(1) + (rest.isEmpty ? "" : ".\(rest)") + (exponent < 0 ? "e-" : "e+")
        + (size.count < 2 ? "0" : "") + size
    }
    if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
    if point >= digits.count {
      return sign + digits + String(repeating: "0", count: point - digits.count) + ".0"
    }
    return sign + digits.prefix(point) + "." + digits.dropFirst(point)
  }

  /// Python's `repr` of a string: single quotes unless only these occur, escapes for what cannot be printed.
  private static func quoted(_ text: String) -> String {
    let scalars = text.unicodeScalars
    let quote: Unicode.Scalar = scalars.contains("'") && !scalars.contains("\"") ? "\"" : "'"
    var out = String.UnicodeScalarView()
    out.append(quote)
    for scalar in scalars {
      switch scalar {
      case "\\": out.append(contentsOf: "\\\\".unicodeScalars)
      case "\n": out.append(contentsOf: "\\n".unicodeScalars)
      case "\r": out.append(contentsOf: "\\r".unicodeScalars)
      case "\t": out.append(contentsOf: "\\t".unicodeScalars)
      case quote: out.append(contentsOf: "\\\(quote)".unicodeScalars)
      case _ where !isPrintable(scalar): out.append(contentsOf: escaped(scalar).unicodeScalars)
      default: out.append(scalar)
      }
    }
    out.append(quote)
    return String(out)
  }

  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    if scalar == " " { return true }
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
      .spaceSeparator:
      return false
    default: return true
    }
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    let (letter, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
    return "\\" + letter + String(repeating: "0", count: width - digits.count) + digits
  }
}
