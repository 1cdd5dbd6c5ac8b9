import FireflyBase

/// Reads a regular expression from its first character to its last.
struct RegularPatternParser {
  typealias Part = RegularPart
  var rest: ArraySlice<Unicode.Scalar>
  let place: String
  let spelling: TextSpelling
  private var depth = 0

  init(rest: ArraySlice<Unicode.Scalar>, place: String, _ spelling: TextSpelling) {
    self.rest = rest
    self.place = place
    self.spelling = spelling
  }

  /// - Parameter isWhole: not within a group, so that the ends of the text may be asked for.
  mutating func alternatives(_ scope: Scope) throws -> [Alternative] {
    depth += 1
    defer { depth -= 1 }
    guard depth < 50 else { throw unsupported("so many groups within groups") }
    var found: [Alternative] = []
    repeat {
      var alternative = Alternative()
      alternative.isStart = scope.hasStart && take("^")
      while let next = rest.first, next != "|", next != ")" {
        if scope.hasEnd, next == "$" {
          rest.removeFirst()
          alternative.isEnd = true
          guard rest.first == nil || rest.first == "|" || rest.first == ")" else {
            throw unsupported("$ before the end")
          }
          break
        }
        alternative.pieces.append(try scope == .whole ? lookAround() ?? .part(term()) : .part(term()))
      }
      found.append(alternative)
    } while take("|")
    return found
  }

  mutating func term() throws -> Part {
    let atom = try atom()
    guard let count = try quantifier() else { return atom }
    _ = take("?")  // lazy: the same texts
    if let next = rest.first, "*+?".unicodeScalars.contains(next) { throw unsupported("\(next) twice") }
    return atom.repeated(count)
  }

  private mutating func atom() throws -> Part {
    let first = rest.removeFirst()
    switch first {
    case "(": return try group()
    case "[": return .one(try set(), spelling)
    case ".": return .one(ScalarSet("\n\r\u{2028}\u{2029}").complement, spelling)
    case "\\": return .one(try escape(inSet: false), spelling)
    case "^", "$", "*", "+", "?", "{", "}", "]": throw unsupported(String(Character(first)))
    default: return .one(ScalarSet([first.value...first.value]), spelling)
    }
  }

  private mutating func group() throws -> Part {
    if take("?") {
      let isNamed = rest.first == "<" && !["=", "!"].contains(rest.dropFirst().first)
      if isNamed {
        guard let end = rest.firstIndex(of: ">") else { throw unsupported("(?<") }
        rest = rest[(end + 1)...]
      } else if !take(":") {
        throw unsupported("(?" + String(String.UnicodeScalarView(rest.prefix(2))))
      }
    }
    let parts = try alternatives(.group)
    guard take(")") else { throw unsupported("a group without an end") }
    return Part.oneOf(parts.map { Part.joined($0.parts) })
  }

  private mutating func quantifier() throws -> (least: Int, most: Int?)? {
    switch rest.first {
    case "*", "+", "?":
      let sign = rest.removeFirst()
      return (sign == "+" ? 1 : 0, sign == "?" ? 1 : nil)
    case "{":
      guard let end = rest.firstIndex(of: "}") else { throw unsupported("{") }
      let text = String(String.UnicodeScalarView(rest[(rest.startIndex + 1)..<end]))
      rest = rest[(end + 1)...]
      let bounds = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
      guard let least = bounds.first ?? nil, least >= 0, bounds.count <= 2,
        text.utf8.allSatisfy({ ByteSet("0123456789,").contains($0) })
      else { throw unsupported("{\(text)}") }
      let most = bounds.count == 1 ? least : bounds[1]
      guard bounds.count == 1 || most != nil || text.hasSuffix(","), most ?? least >= least,
        max(least, most ?? 0) <= ByteGrammar.mostNodes
      else { throw unsupported("{\(text)}") }
      return (least, most)
    default: return nil
    }
  }

  // MARK: - Characters

  private mutating func set() throws -> ScalarSet {
    let isNegated = take("^")
    var ranges: [ClosedRange<UInt32>] = []
    while !take("]") {
      let first = try member()
      guard rest.first == "-", let next = rest.dropFirst().first, next != "]" else {
        ranges += first.ranges
        continue
      }
      rest.removeFirst()
      let last = try member()
      guard let low = first.single, let high = last.single, low <= high else { throw unsupported("[-]") }
      ranges.append(low...high)
    }
    let set = ScalarSet(ranges)
    return isNegated ? set.complement : set
  }

  private mutating func member() throws -> ScalarSet {
    guard let first = rest.popFirst() else { throw unsupported("a set without an end") }
    return first == "\\" ? try escape(inSet: true) : ScalarSet([first.value...first.value])
  }

  private static let digits = ScalarSet([0x30...0x39])
  private static let word = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
  private static let space = ScalarSet([
    0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F,
    0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
  ])
  private static let controls: [Unicode.Scalar: UInt32] = [
    "t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D,
  ]

  private mutating func escape(inSet: Bool) throws -> ScalarSet {
    guard let name = rest.popFirst() else { throw unsupported("\\") }
    switch name {
    case "d": return Self.digits
    case "D": return Self.digits.complement
    case "w": return Self.word
    case "W": return Self.word.complement
    case "s": return Self.space
    case "S": return Self.space.complement
    case "x": return try code(digits: 2)
    case "u": return try unicode()
    case "0" where rest.first.map({ !Self.digits.contains($0.value) }) ?? true: return ScalarSet([0...0])
    case "b" where inSet: return ScalarSet([8...8])
    default:
      if let control = Self.controls[name] { return ScalarSet([control...control]) }
      guard name.isASCII, !name.properties.isAlphabetic, !Self.digits.contains(name.value) else {
        throw unsupported("\\\(name)")
      }
      return ScalarSet([name.value...name.value])
    }
  }

  /// `\u` with four digits, of which two may be a pair, or with any number in braces.
  private mutating func unicode() throws -> ScalarSet {
    if take("{") {
      guard let end = rest.firstIndex(of: "}") else { throw unsupported("\\u{") }
      let count = end - rest.startIndex
      let scalar = try code(digits: count)
      rest.removeFirst()
      return scalar
    }
    let first = try number(digits: 4)
    guard (0xD800..<0xDC00).contains(first) else { return try scalar(first) }
    guard take("\\"), take("u") else { throw unsupported("half a character") }
    let second = try number(digits: 4)
    guard (0xDC00..<0xE000).contains(second) else { throw unsupported("half a character") }
    return try scalar(0x1_0000 + (first - 0xD800) << 10 + (second - 0xDC00))
  }

  private mutating func code(digits: Int) throws -> ScalarSet { try scalar(number(digits: digits)) }

  private func scalar(_ number: UInt32) throws -> ScalarSet {
    guard let scalar = Unicode.Scalar(number) else { throw unsupported("what is no character") }
    return ScalarSet([scalar.value...scalar.value])
  }

  private mutating func number(digits: Int) throws -> UInt32 {
    let text = String(String.UnicodeScalarView(rest.prefix(digits)))
    guard (1...8).contains(digits), text.unicodeScalars.count == digits, let number = UInt32(text, radix: 16),
      text.first != "+"
    else { throw unsupported("\\\(text)") }
    rest.removeFirst(digits)
    return number
  }

  mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard rest.first == scalar else { return false }
    rest.removeFirst()
    return true
  }

  func unsupported(_ what: String) -> FireflyError {
    FireflyError(
      spelling == .inJSON
        ? "the schema's \"pattern\" has a part that is not supported"
        : "the expression has a part that is not supported", at: place, found: what,
      fix: "Leave it out, and check the answer for it.")
  }
}

// MARK: - Looking around

extension RegularPatternParser {
  /// Where alternatives stand, so whether they may ask for the ends of the text.
  enum Scope {
    case whole, group, ahead, behind

    var hasStart: Bool { self == .whole || self == .behind }
    var hasEnd: Bool { self == .whole || self == .ahead }
  }

  enum Piece {
    case part(Part)
    /// What must follow, or must not.
    case ahead(TextPattern, isNegated: Bool)
    /// What must stand before.
    case behind(TextPattern, isNegated: Bool)
  }

  struct Alternative {
    var pieces: [Piece] = []
    var isStart = false
    var isEnd = false

    /// Of one that does not look around.
    var parts: [Part] { pieces.compactMap { if case .part(let part) = $0 { part } else { nil } } }
  }

  /// `(?=…)`, `(?!…)`, `(?<=…)` or `(?<!…)`; nil where something else stands.
  mutating func lookAround() throws -> Piece? {
    let marks: [(text: String, isAhead: Bool, isNegated: Bool)] = [
      ("(?=", true, false), ("(?!", true, true), ("(?<=", false, false), ("(?<!", false, true),
    ]
    guard let mark = marks.first(where: { rest.starts(with: $0.text.unicodeScalars) }) else { return nil }
    rest.removeFirst(mark.text.unicodeScalars.count)
    let found = try alternatives(mark.isAhead ? .ahead : .behind).map { alternative in
      let before = mark.isAhead || alternative.isStart ? [] : [Part.anything(spelling)]
      let after = mark.isAhead && !alternative.isEnd ? [Part.anything(spelling)] : []
      return Part.joined(before + alternative.parts + after)
    }
    guard take(")") else { throw unsupported("a group without an end") }
    if let next = rest.first, "*+?{".unicodeScalars.contains(next) { throw unsupported(mark.text) }
    let pattern = Part.oneOf(found).pattern
    return mark.isAhead
      ? .ahead(pattern, isNegated: mark.isNegated) : .behind(pattern, isNegated: mark.isNegated)
  }

  /// The whole text of an alternative: what looks behind holds for what stands before it, what looks ahead for what follows.
  func whole(_ alternative: Alternative) throws -> Part {
    var pieces = alternative.pieces
    if !alternative.isStart { pieces.insert(.part(.anything(spelling)), at: 0) }
    if !alternative.isEnd { pieces.append(.part(.anything(spelling))) }
    var before: [Part] = []
    var later: [Piece] = []
    for piece in pieces {
      switch piece {
      case .part(let part) where later.isEmpty: before.append(part)
      case .behind(let pattern, let isNegated):
        guard later.isEmpty else { throw unsupported("(?<= or (?<! behind (?= or (?!") }
        before = [try Part.joined(before).cut(with: pattern, isNegated)]
      case .part, .ahead: later.append(piece)
      }
    }
    var after: [Part] = []
    for piece in later.reversed() {
      switch piece {
      case .part(let part): after.insert(part, at: 0)
      case .ahead(let pattern, let isNegated), .behind(let pattern, let isNegated):
        after = [try Part.joined(after).cut(with: pattern, isNegated)]
      }
    }
    return Part.joined(before + after)
  }
}

extension ScalarSet {
  /// The only one.
  fileprivate var single: UInt32? {
    guard ranges.count == 1, ranges[0].count == 1 else { return nil }
    return ranges[0].lowerBound
  }
}
