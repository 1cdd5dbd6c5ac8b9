/// A set of characters, and the expression of PCRE2 that matches one of them.
indirect enum CharacterClass {
  /// One character, as it is written in and outside of a class.
  case character(String)
  /// An escape for many characters, as it is written in and outside of a class: the quickest to match.
  case escape(String)
  /// What stands between the brackets of a class.
  case set(String)
  case not(CharacterClass)
  case either([CharacterClass])
  case both(CharacterClass, CharacterClass)

  /// What matches one character of the set. PCRE2's classes hold no others: what they cannot say is said by looking ahead.
  var expression: String {
    switch self {
    case .character(let text), .escape(let text): text
    case .set(let content): "[\(content)]"
    case .not(.set(let content)): "[^\(content)]"
    case .not(let set): "(?:(?!\(set.expression))(?s:.))"
    case .either(let sets): "(?:" + sets.map(\.expression).joined(separator: "|") + ")"
    case .both(let first, let second): "(?:(?=\(first.expression))\(second.expression))"
    }
  }

  var complement: CharacterClass {
    switch self {
    case .character(let text), .escape(let text): .not(.set(text))
    case .not(let set): set
    default: .not(self)
    }
  }

  /// The characters of any of the parts; one class as far as they can be.
  static func union(_ parts: [CharacterClass]) -> CharacterClass {
    var content = ""
    var others: [CharacterClass] = []
    for part in parts {
      switch part {
      case .character(let text), .escape(let text), .set(let text): content += text
      default: others.append(part)
      }
    }
    if others.isEmpty { return .set(content) }
    let all = (content.isEmpty ? [] : [.set(content)]) + others
    return all.count == 1 ? all[0] : .either(all)
  }

  static func common(_ first: CharacterClass?, _ second: CharacterClass) -> CharacterClass {
    first.map { .both($0, second) } ?? second
  }

  /// A character that means itself.
  static func quoted(_ character: Unicode.Scalar) -> String {
    let isSign =
      character.isASCII && !character.properties.isAlphabetic && character.properties.numericType == nil
    return isSign && character.value > 0x20 && character.value != 0x7F ? "\\\(character)" : String(character)
  }
}

// MARK: - Names of sets

extension CharacterClass {
  /// What Oniguruma calls a word's character in classes and properties.
  static let word = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"
  static let hexadecimal = "0-9A-Fa-f"

  /// The set of `\p{…}`: short names of categories and scripts are PCRE2's too, but that a script is without its extensions.
  static func property(_ name: String) -> CharacterClass {
    let key = name.lowercased().filter { $0 != "_" && $0 != " " && $0 != "-" }
    if let known = properties[key] { return .escape("\\p{\(known)}") }
    if let content = posix(key) { return .set(content) }
    return .escape("\\p{" + (key.count <= 2 || key == "any" ? "" : "sc:") + name + "}")
  }

  /// The sets that POSIX names, over all of Unicode; its punctuation has symbols, which the property Punct does not.
  static func posix(_ name: String) -> String? {
    switch name {
    case "alnum": "\\p{Alphabetic}\\p{Nd}"
    case "alpha": "\\p{Alphabetic}"
    case "ascii": "\\x{00}-\\x{7F}"
    case "blank": "\\t\\p{Zs}"
    case "cntrl": "\\p{Cc}"
    case "digit": "\\p{Nd}"
    case "graph": "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}"
    case "lower": "\\p{Lowercase}"
    case "print": "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}\\p{Zs}"
    case "punct": "\\p{P}\\p{S}"
    case "space": "\\p{White_Space}"
    case "upper": "\\p{Uppercase}"
    case "word": word
    case "xdigit": hexadecimal
    default: nil
    }
  }

  /// Long names of categories, and properties that are no scripts.
  private static let properties = [
    "letter": "L", "uppercaseletter": "Lu", "lowercaseletter": "Ll", "titlecaseletter": "Lt",
    "modifierletter": "Lm", "otherletter": "Lo", "mark": "M", "nonspacingmark": "Mn", "spacingmark": "Mc",
    "enclosingmark": "Me", "number": "N", "decimalnumber": "Nd", "letternumber": "Nl", "othernumber": "No",
    "punctuation": "P", "punct": "P", "connectorpunctuation": "Pc", "dashpunctuation": "Pd",
    "openpunctuation": "Ps",
    "closepunctuation": "Pe", "initialpunctuation": "Pi", "finalpunctuation": "Pf", "otherpunctuation": "Po",
    "symbol": "S", "mathsymbol": "Sm", "currencysymbol": "Sc", "modifiersymbol": "Sk", "othersymbol": "So",
    "separator": "Z", "spaceseparator": "Zs", "lineseparator": "Zl", "paragraphseparator": "Zp", "other": "C",
    "control": "Cc", "format": "Cf", "surrogate": "Cs", "privateuse": "Co", "unassigned": "Cn",
    "alphabetic": "Alphabetic", "uppercase": "Uppercase", "lowercase": "Lowercase",
    "whitespace": "White_Space",
    "ideographic": "Ideographic", "emoji": "Emoji", "extendedpictographic": "Extended_Pictographic",
  ]
}
