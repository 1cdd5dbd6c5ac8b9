import FireflyBase

/// What a key's value may be: the check of a value, the words of an error, the documents and the schema come from it.
///
/// null is always the same as no value, and not part of a shape.
package indirect enum KeyShape: Sendable, Equatable {
  /// A text. `suggesting`: values that have a meaning of their own.
  case text(isEmptyAllowed: Bool, suggesting: [String] = [])
  case flag
  case whole(ClosedRange<Int>)
  /// A finite number; `above` leaves out the range's lower bound.
  case number(ClosedRange<Double>, above: Bool = false)
  /// A number above 0 and below 1: a part of what `of` says.
  case part(of: Wording)
  /// A number of bytes as people write it: "20GiB".
  case size
  /// One of a few names.
  case names([String])
  /// A list of values; `of` says what they are, in the plural.
  case list(KeyShape, of: Wording, isEmptyAllowed: Bool)
  /// An object with these members, of which the first must be there; empty: with any.
  case members([Member])
  /// Any of several shapes.
  case either([KeyShape])

  package struct Member: Sendable, Equatable {
    package let name: String
    package let shape: KeyShape
  }

  /// The largest count: above any sensible one, and far from overflow when counts are multiplied.
  static let most = 1 << 30

  /// A number of things, at least `least`.
  static func count(from least: Int) -> KeyShape { .whole(least...most) }

  /// A text that is not empty.
  static let filled = KeyShape.text(isEmptyAllowed: false)

  static let partOfSteps = KeyShape.part(of: Wording("all steps", "总步数"))
}

extension KeyShape {
  package func accepts(_ value: JSONValue) -> Bool {
    switch self {
    case .text(let isEmptyAllowed, _): value.string.map { isEmptyAllowed || !$0.isEmpty } ?? false
    case .flag: value.bool != nil
    case .whole(let range): value.int.map(range.contains) ?? false
    case .number(let range, let above):
      value.double.map { $0.isFinite && range.contains($0) && (!above || $0 > range.lowerBound) } ?? false
    case .part: value.double.map { $0 > 0 && $0 < 1 } ?? false
    case .size: value.string.flatMap(MemoryLimit.parse) != nil
    case .names(let names): value.string.map(names.contains) ?? false
    case .list(let element, _, let isEmptyAllowed):
      value.array.map { (isEmptyAllowed || !$0.isEmpty) && $0.allSatisfy(element.accepts) } ?? false
    case .members(let members): KeyShape.accepts(value, members)
    case .either(let shapes): shapes.contains { $0.accepts(value) }
    }
  }

  private static func accepts(_ value: JSONValue, _ members: [Member]) -> Bool {
    guard let object = value.object else { return false }
    guard let first = members.first else { return true }
    return value[first.name] != nil
      && object.allSatisfy { name, value in
        value == .null || members.contains { $0.name == name && $0.shape.accepts(value) }
      }
  }

  /// Words that complete what is begun, in a shell: names, and true or false.
  package var completions: [String] {
    switch self {
    case .text(_, let words), .names(let words): words
    case .flag: ["true", "false"]
    case .either(let shapes): shapes.flatMap(\.completions)
    case .whole, .number, .part, .size, .list, .members: []
    }
  }
}

// MARK: - In words

extension KeyShape {
  /// What a value must be: the `expected` of an error.
  var expected: String { words(.english, suggestions: false) }

  /// - Parameter suggestions: with the words that have a meaning of their own among other texts.
  package func words(_ language: KeyLanguage, suggestions: Bool = true) -> String {
    switch self {
    case .text(let isEmptyAllowed, let words):
      let text =
        isEmptyAllowed ? Wording("a string", "字符串") : Wording("a string that is not empty", "非空字符串")
      guard suggestions, !words.isEmpty else { return text[language] }
      let list = words.map { "\"\($0)\"" }.joined(separator: ", ")
      return text[language] + Wording(" (among them \(list))", "（其中有 \(list)）")[language]
    case .flag: return Wording("true or false", "true 或 false")[language]
    case .whole(let range):
      let isOpen = range.upperBound == .max || range.upperBound == KeyShape.most
      let (low, high) = (range.lowerBound, range.upperBound)
      return isOpen
        ? Wording("a whole number of at least \(low)", "不小于 \(low) 的整数")[language]
        : Wording("a whole number from \(low) to \(high)", "\(low) 到 \(high) 的整数")[language]
    case .number(let range, let above): return KeyShape.words(range, above)[language]
    case .part(let of):
      return Wording("a part of \(of[.english]) below 1", "小于 1 的数，即占\(of[.chinese])的比例")[language]
    case .size: return Wording("a size such as \"20GiB\"", "容量，例如 \"20GiB\"")[language]
    case .names(let names) where names.count == 1: return "\"\(names[0])\""
    case .names(let names):
      let list = names.joined(separator: ", ")
      return Wording("one of \(list)", "以下之一：\(list)")[language]
    case .list(_, let of, _): return Wording("a list of \(of[.english])", "\(of[.chinese])的列表")[language]
    case .members(let members):
      let names = members.map { "\"\($0.name)\"" }.joined(separator: ", ")
      return names.isEmpty
        ? Wording("an object of names and values", "由名称和值组成的对象")[language]
        : Wording("an object {\(names)}", "对象 {\(names)}")[language]
    case .either(let shapes):
      return KeyShape.joined(shapes.map { $0.words(language, suggestions: suggestions) }, language)
    }
  }

  private static func words(_ range: ClosedRange<Double>, _ above: Bool) -> Wording {
    let (low, high) = (number(range.lowerBound), number(range.upperBound))
    return switch (above, range.upperBound == .infinity) {
    case (true, true): Wording("a number above \(low)", "大于 \(low) 的数")
    case (true, false): Wording("a number above \(low) and at most \(high)", "大于 \(low) 且不超过 \(high) 的数")
    case (false, true): Wording("a number of at least \(low)", "不小于 \(low) 的数")
    case (false, false): Wording("a number from \(low) to \(high)", "\(low) 到 \(high) 的数")
    }
  }

  /// `1.0` as `1`.
  private static func number(_ value: Double) -> String { Int(exactly: value).map(String.init) ?? "\(value)" }

  private static func joined(_ parts: [String], _ language: KeyLanguage) -> String {
    guard let last = parts.last, parts.count > 1 else { return parts.first ?? "" }
    return parts.dropLast().joined(separator: language == .english ? ", " : "、")
      + (language == .english ? ", or " : "，或") + last
  }
}
