import FireflyBase

/// Translates a pattern of tokenizer.json, which is Oniguruma's syntax, into PCRE2's.
///
/// The two differ in classes (`[^(\s|[.,])]` is one set in Oniguruma, and `[a&&b]` what two have in common), in what `\s` and `\w`
/// hold, in repetitions (`a{2}?` is `(?:a{2})?`), in options and in some escapes. What has no equal here is refused by name.
struct RegularExpressionSyntax {
  private static let space = "\\t-\\r\\x{85}\\p{Z}"
  /// `\w` and `\p{Word}` on their own. Of the numbers that are no digits it has those of Latin-1: Oniguruma has a table of
  /// its own for the first 256 characters, at which classes do not look.
  static let word = CharacterClass.word + "\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}"

  let pattern: [Unicode.Scalar]
  private let place: String
  var position = 0
  private var depth = 0
  /// PCRE2's own limit of brackets within brackets.
  private static let deepest = 250

  /// The same expression in PCRE2's syntax.
  static func translate(_ pattern: String, at place: String) throws -> String {
    var syntax = RegularExpressionSyntax(pattern: Array(pattern.unicodeScalars), place: place)
    let out = try syntax.alternatives()
    if syntax.peek() != nil { throw syntax.unsupported("a bracket \")\" without its opening one") }
    return out
  }

  private init(pattern: [Unicode.Scalar], place: String) {
    self.pattern = pattern
    self.place = place
  }

  func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
    position + ahead < pattern.count ? pattern[position + ahead] : nil
  }

  /// Goes past `text` where it stands next.
  mutating func take(_ text: String) -> Bool {
    guard pattern[position...].starts(with: text.unicodeScalars) else { return false }
    position += text.unicodeScalars.count
    return true
  }

  func unsupported(_ what: String) -> FireflyError {
    FireflyError(
      "unsupported regular expression: \(what)", at: place, found: String(String.UnicodeScalarView(pattern)))
  }

  /// What `body` reads, one bracket deeper.
  mutating func inside<Result>(_ body: (inout Self) throws -> Result) throws -> Result {
    depth += 1
    defer { depth -= 1 }
    if depth > Self.deepest { throw unsupported("more than \(Self.deepest) brackets within each other") }
    return try body(&self)
  }

  // MARK: - Alternatives and groups

  /// Everything up to the end of the group or of the pattern.
  private mutating func alternatives() throws -> String {
    var out = ""
    while let next = peek(), next != ")" {
      if next == "|" {
        out += "|"
        position += 1
      } else if let options = try isolatedOptions() {
        // They hold for the rest of the group, and its further alternatives are inside: a(?i)b|c is a(?i:b|c).
        out += "(?\(options):" + (try inside { try $0.alternatives() }) + ")"
      } else {
        out += try repeated(atom(next))
      }
    }
    return out
  }

  private mutating func atom(_ next: Unicode.Scalar) throws -> String {
    switch next {
    case "\\": return try escape()
    case "[": return try characterClass().expression
    case "(": return try group()
    case "*", "+", "?": throw unsupported("a repetition of nothing")
    default:
      position += 1
      return "^$.".unicodeScalars.contains(next) ? String(next) : CharacterClass.quoted(next)
    }
  }

  /// A group; what it matched is asked for by nothing, so that none is a capturing one.
  private mutating func group() throws -> String {
    position += 1
    guard peek() == "?" else { return try rest(of: "(?:") }
    for kind in ["?:", "?=", "?!", "?>", "?<=", "?<!"] where take(kind) { return try rest(of: "(" + kind) }
    if take("?#") {
      // A comment, in which a backslash takes the next character's meaning.
      while let next = peek(), next != ")" { position += next == "\\" && peek(1) != nil ? 2 : 1 }
      return try rest(of: "(?:")
    }
    if take("?<"), let end = pattern[position...].firstIndex(of: ">") {
      position = end + 1
      return try rest(of: "(?:")
    }
    position += 1
    guard let options = try options(), take(":") else {
      throw unsupported("the group \"(?\(peek().map(String.init) ?? "")\"")
    }
    return try rest(of: "(?\(options):")
  }

  private mutating func rest(of group: String) throws -> String {
    let inside = try inside { try $0.alternatives() }
    guard take(")") else { throw unsupported("a group without its end") }
    return group + inside + ")"
  }

  /// `(?i)`; nil where something else stands.
  private mutating func isolatedOptions() throws -> String? {
    let start = position
    if take("(?"), let options = try options(), take(")") { return options }
    position = start
    return nil
  }

  /// Letters of options as PCRE2 has them: `m` makes `.` match line ends here.
  private mutating func options() throws -> String? {
    var out = ""
    while let next = peek(), ["i", "m", "-"].contains(next) {
      out += next == "m" ? "s" : String(next)
      position += 1
    }
    return out.isEmpty ? nil : out
  }

  // MARK: - Repetitions

  private mutating func repeated(_ atom: String) throws -> String {
    var out = atom
    var isRepeated = false
    while let (quantifier, mayBeLazy) = try quantifier() {
      // A further repetition is one of the whole.
      out = (isRepeated ? "(?:\(out))" : out) + quantifier
      isRepeated = true
      if mayBeLazy, take("?") { out += "?" } else if !quantifier.hasPrefix("{"), take("+") { out += "+" }
    }
    return out
  }

  /// How often what stands before is repeated, and whether a `?` behind makes that as little as may be.
  private mutating func quantifier() throws -> (text: String, mayBeLazy: Bool)? {
    for sign in ["*", "+", "?"] where take(sign) { return (sign, true) }
    guard peek() == "{", let end = pattern[position...].firstIndex(of: "}") else { return nil }
    let bounds = String(String.UnicodeScalarView(pattern[(position + 1)..<end])).split(
      separator: ",", omittingEmptySubsequences: false)
    let isInterval =
      (1...2).contains(bounds.count) && bounds.contains { !$0.isEmpty }
      && bounds.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    guard isInterval else { return nil }  // the brace itself
    position = end + 1
    guard bounds.count == 2 else { return ("{\(bounds[0])}", false) }
    if let low = Int(bounds[0]), let high = Int(bounds[1]), low > high {
      throw unsupported("the repetition \"{\(low),\(high)}\"")
    }
    return ("{\(bounds[0].isEmpty ? "0" : bounds[0]),\(bounds[1])}", true)
  }

  // MARK: - Escapes

  /// One escape sequence outside of classes.
  private mutating func escape() throws -> String {
    switch peek(1) {
    case "s": return named("[\(RegularExpressionSyntax.space)]")
    case "S": return named("[^\(RegularExpressionSyntax.space)]")
    case "w": return named("[\(RegularExpressionSyntax.word)]")
    case "W": return named("[^\(RegularExpressionSyntax.word)]")
    case "b": return named(boundary("!", "="))
    case "B": return named(boundary("=", "!"))
    case "A": return named("\\A")
    case "z": return named("\\z")
    case "Z": return named("\\Z")
    case "N": return named("[^\\n]")
    case "O": return named("(?s:.)")
    case "R": return named("(?>\\r\\n|[\\n-\\r\\x{85}\\x{2028}\\x{2029}])")
    default: return try escapedSet(inClass: false).expression
    }
  }

  private mutating func named(_ translation: String) -> String {
    position += 2
    return translation
  }

  /// Where a word begins or ends; or, the other way about, where neither is.
  private func boundary(_ before: String, _ after: String) -> String {
    let word = "[\(RegularExpressionSyntax.word)]"
    return "(?:(?<=\(word))(?\(before)\(word))|(?<!\(word))(?\(after)\(word)))"
  }
}
