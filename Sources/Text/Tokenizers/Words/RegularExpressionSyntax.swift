import FireflyBase

/// Translates a pattern of tokenizer.json, which is Oniguruma's syntax, into PCRE2's.
///
/// The two differ in nested character classes (`[^(\s|[.,])]` is one set in Oniguruma), in what `\s`
/// and `\w` hold, and in some escapes. What has no equal here is refused by name.
struct RegularExpressionSyntax {
  /// White_Space: PCRE2's own `\s` also has U+180E.
  private static let space = "\\t-\\r\\x{85}\\p{Z}"
  /// Of the numbers that are no digits, those of Latin-1: Oniguruma has a table of its own for the first 256 characters.
  private static let word = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}"
  private static let groups = [":", "=", "!", ">", "<=", "<!", "i:", "i)"]

  private let pattern: [Unicode.Scalar]
  private let place: String
  private var position = 0
  private var out = ""

  /// The same expression in PCRE2's syntax.
  static func translate(_ pattern: String, at place: String) throws -> String {
    var syntax = RegularExpressionSyntax(pattern: Array(pattern.unicodeScalars), place: place)
    while let next = syntax.peek() { try syntax.translateNext(next) }
    return syntax.out
  }

  private init(pattern: [Unicode.Scalar], place: String) {
    self.pattern = pattern
    self.place = place
  }

  private func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
    position + ahead < pattern.count ? pattern[position + ahead] : nil
  }

  private mutating func translateNext(_ next: Unicode.Scalar) throws {
    switch next {
    case "\\":
      out += try escape(inClass: false)
    case "[":
      let set = try characterClass()
      out += (set.negated ? "[^" : "[") + set.content + "]"
    case "(" where peek(1) == "?":
      let rest = String(String.UnicodeScalarView(pattern[(position + 2)...].prefix(2)))
      guard RegularExpressionSyntax.groups.contains(where: rest.hasPrefix) else {
        throw unsupported("the group \"(?\(rest)\"")
      }
      out += "(?"
      position += 2
    case "}" where peek(1) == "+":
      throw unsupported("the quantifier \"}+\"")
    default:
      out.unicodeScalars.append(next)
      position += 1
    }
  }

  /// One escape sequence; ready for use inside `[…]` when `inClass`.
  private mutating func escape(inClass: Bool) throws -> String {
    guard let kind = peek(1) else { throw unsupported("a backslash at the end") }
    position += 2
    switch kind {
    case "s": return inClass ? RegularExpressionSyntax.space : "[\(RegularExpressionSyntax.space)]"
    case "S": return inClass ? "\\P{White_Space}" : "[^\(RegularExpressionSyntax.space)]"
    case "w": return inClass ? RegularExpressionSyntax.word : "[\(RegularExpressionSyntax.word)]"
    case "W" where !inClass: return "[^\(RegularExpressionSyntax.word)]"
    case "d": return "\\p{Nd}"
    case "D": return "\\P{Nd}"
    case "p", "P": return try "\\\(kind){" + property(braces(after: "\\\(kind)")) + "}"
    case "x" where peek() == "{": return try "\\x" + braces(after: "\\x")
    case "x": return try "\\x{" + hexadecimal(2) + "}"
    case "u": return try "\\x{" + hexadecimal(4) + "}"
    case "n", "r", "t", "f", "a", "e": return "\\\(kind)"
    case "v": return "\\x{0B}"
    case "A" where !inClass, "z" where !inClass: return "\\\(kind)"
    case _ where kind.isASCII && !kind.properties.isAlphabetic && kind.properties.numericType == nil:
      return "\\\(kind)"
    case _ where !kind.isASCII: return String(kind)
    default: throw unsupported("the escape \"\\\(kind)\"")
    }
  }

  private mutating func braces(after what: String) throws -> String {
    guard peek() == "{", let end = pattern[position...].firstIndex(of: "}") else {
      throw unsupported("\(what) without braces")
    }
    defer { position = end + 1 }
    return String(String.UnicodeScalarView(pattern[position...end]))
  }

  /// What is in braces after `\p` as PCRE2 says it: short names of categories, scripts without their extensions.
  private func property(_ braces: String) -> String {
    let name = braces.dropFirst().dropLast()
    let negation = name.hasPrefix("^") ? "^" : ""
    let bare = name.dropFirst(negation.count)
    let key = bare.lowercased().filter { $0 != "_" && $0 != " " && $0 != "-" }
    if let known = RegularExpressionSyntax.properties[key] { return negation + known }
    return negation + (key.count <= 2 || key == "any" ? "" : "sc:") + bare
  }

  /// Long names of categories, and properties that are no scripts.
  private static let properties = [
    "letter": "L", "uppercaseletter": "Lu", "lowercaseletter": "Ll", "titlecaseletter": "Lt",
    "modifierletter": "Lm", "otherletter": "Lo", "mark": "M", "nonspacingmark": "Mn", "spacingmark": "Mc",
    "enclosingmark": "Me", "number": "N", "decimalnumber": "Nd", "letternumber": "Nl", "othernumber": "No",
    "punctuation": "P", "connectorpunctuation": "Pc", "dashpunctuation": "Pd", "openpunctuation": "Ps",
    "closepunctuation": "Pe", "initialpunctuation": "Pi", "finalpunctuation": "Pf", "otherpunctuation": "Po",
    "symbol": "S", "mathsymbol": "Sm", "currencysymbol": "Sc", "modifiersymbol": "Sk", "othersymbol": "So",
    "separator": "Z", "spaceseparator": "Zs", "lineseparator": "Zl", "paragraphseparator": "Zp", "other": "C",
    "control": "Cc", "format": "Cf", "surrogate": "Cs", "privateuse": "Co", "unassigned": "Cn", "digit": "Nd",
    "alphabetic": "Alphabetic", "alpha": "Alphabetic", "uppercase": "Uppercase", "upper": "Uppercase",
    "lowercase": "Lowercase", "lower": "Lowercase", "whitespace": "White_Space", "space": "White_Space",
    "ideographic": "Ideographic", "emoji": "Emoji", "extendedpictographic": "Extended_Pictographic",
  ]

  private mutating func hexadecimal(_ count: Int) throws -> String {
    let digits = pattern[position...].prefix(count)
    guard digits.count == count, digits.allSatisfy({ $0.properties.isASCIIHexDigit }) else {
      throw unsupported("an escape without \(count) hexadecimal digits")
    }
    position += count
    return String(String.UnicodeScalarView(digits))
  }

  /// A character class with the classes inside it taken in, without its brackets.
  private mutating func characterClass() throws -> (content: String, negated: Bool) {
    position += 1
    let negated = peek() == "^"
    if negated { position += 1 }
    var content = ""
    while let next = peek(), next != "]" {
      switch next {
      case "\\":
        content += try escape(inClass: true)
      case "[" where peek(1) == ":":
        throw unsupported("a POSIX class")
      case "[":
        let inner = try characterClass()
        guard !inner.negated else { throw unsupported("a negated class inside a class") }
        content += inner.content
      case "&" where peek(1) == "&":
        throw unsupported("the intersection \"&&\"")
      default:
        content.unicodeScalars.append(next)
        position += 1
      }
    }
    guard peek() == "]", !content.isEmpty else { throw unsupported("a class that is empty or has no end") }
    position += 1
    return (content, negated)
  }

  private func unsupported(_ what: String) -> FireflyError {
    FireflyError(
      "unsupported regular expression: \(what)", at: place, found: String(String.UnicodeScalarView(pattern)))
  }
}
