/// Classes of characters, and the escapes that stand for one character or for a class.
extension RegularExpressionSyntax {
  /// A class in brackets, with the classes inside it.
  mutating func characterClass() throws -> CharacterClass {
    position += 1
    let isNegated = take("^")
    var parts: [CharacterClass] = []
    var common: CharacterClass?
    // A bracket that closes nothing yet is a character.
    if peek() == "]", pattern[(position + 1)...].contains("]") {
      position += 1
      parts.append(try range(from: "\\]"))
    }
    while let next = peek(), next != "]" {
      if take("&&") {
        common = try CharacterClass.common(common, union(parts))
        parts = []
      } else {
        parts.append(try classItem(next))
      }
    }
    guard take("]") else { throw unsupported("a class that has no end") }
    let whole = CharacterClass.common(common, try union(parts))
    return isNegated ? whole.complement : whole
  }

  private func union(_ parts: [CharacterClass]) throws -> CharacterClass {
    guard !parts.isEmpty else { throw unsupported("an empty class") }
    return .union(parts)
  }

  private mutating func classItem(_ next: Unicode.Scalar) throws -> CharacterClass {
    if next == "[" { return try posixClass() ?? inside { try $0.characterClass() } }
    guard next == "\\" else {
      position += 1
      return try range(from: CharacterClass.quoted(next))
    }
    switch peek(1) {
    case "w": return named(.set(CharacterClass.word))
    case "W": return named(CharacterClass.set(CharacterClass.word).complement)
    case "s": return named(.set("\\p{White_Space}"))
    case "S": return named(.set("\\P{White_Space}"))
    default:
      let item = try escapedSet()
      guard case .character(let character) = item else { return item }
      return try range(from: character)
    }
  }

  private mutating func named(_ set: CharacterClass) -> CharacterClass {
    position += 2
    return set
  }

  /// The character `first`, or the range that it begins.
  private mutating func range(from first: String) throws -> CharacterClass {
    guard peek() == "-", let next = peek(1), next != "]", !(next == "&" && peek(2) == "&") else {
      return .set(first)
    }
    position += 1
    var last = CharacterClass.quoted(next)
    if next == "\\" {
      guard case .character(let character) = try escapedSet() else {
        throw unsupported("a range that ends with a class")
      }
      last = character
    } else if next == "[" {
      throw unsupported("a range that ends with a class")
    } else {
      position += 1
    }
    return .set("\(first)-\(last)")
  }

  /// `[:alpha:]`; nil where something else stands.
  private mutating func posixClass() throws -> CharacterClass? {
    let start = position
    guard take("[:") else { return nil }
    let isNegated = take("^")
    let name = String(String.UnicodeScalarView(pattern[position...].prefix { $0.properties.isAlphabetic }))
    position += name.unicodeScalars.count
    guard take(":]") else {
      position = start
      return nil
    }
    guard let set = CharacterClass.posix(name) else { throw unsupported("the class \"[:\(name):]\"") }
    return isNegated ? CharacterClass.set(set).complement : .set(set)
  }

  /// An escape that stands for one character or for a class, wherever it stands.
  mutating func escapedSet(inClass: Bool = true) throws -> CharacterClass {
    guard let kind = peek(1) else { throw unsupported("a backslash at the end") }
    position += 2
    switch kind {
    case "d": return .escape("\\p{Nd}")
    case "D": return .escape("\\P{Nd}")
    case "h": return .set(CharacterClass.hexadecimal)
    case "H": return CharacterClass.set(CharacterClass.hexadecimal).complement
    case "p", "P": return try property(braces(after: "\\\(kind)"), isNegated: kind == "P", inClass: inClass)
    case "x" where peek() == "{": return .character("\\x{" + (try braces(after: "\\x")) + "}")
    case "x": return .character("\\x{" + (try hexadecimal(2)) + "}")
    case "u": return .character("\\x{" + (try hexadecimal(4)) + "}")
    case "n", "r", "t", "f", "a", "e": return .character("\\\(kind)")
    case "v": return .character("\\x{0B}")
    case _ where kind.isASCII && !kind.properties.isAlphabetic && kind.properties.numericType == nil:
      return .character("\\\(kind)")
    case _ where !kind.isASCII: return .character(String(kind))
    default: throw unsupported("the escape \"\\\(kind)\"")
    }
  }

  private func property(_ name: String, isNegated: Bool, inClass: Bool) throws -> CharacterClass {
    let isInverse = name.hasPrefix("^")
    let bare = isInverse ? String(name.dropFirst()) : name
    let isWord = !inClass && bare.lowercased() == "word"
    let set = isWord ? .set(RegularExpressionSyntax.word) : CharacterClass.property(bare)
    return isInverse == isNegated ? set : set.complement
  }

  private mutating func braces(after what: String) throws -> String {
    guard peek() == "{", let end = pattern[position...].firstIndex(of: "}") else {
      throw unsupported("\(what) without braces")
    }
    defer { position = end + 1 }
    return String(String.UnicodeScalarView(pattern[(position + 1)..<end]))
  }

  private mutating func hexadecimal(_ count: Int) throws -> String {
    let digits = pattern[position...].prefix(count)
    guard digits.count == count, digits.allSatisfy({ $0.properties.isASCIIHexDigit }) else {
      throw unsupported("an escape without \(count) hexadecimal digits")
    }
    position += count
    return String(String.UnicodeScalarView(digits))
  }
}
