import FireflyBase

/// What readers of calls in a syntax of their own share: values from the front of a text, lists in brackets among them.
protocol CallValues {
  var rest: Substring { get set }
  /// Lists and objects that are open.
  var depth: Int { get set }

  /// The next value, and the white space behind it; nil where there is none.
  mutating func value() -> OrderedJSON?
}

/// A model may write brackets without end, each of which would take room on the stack.
private let deepestValue = 512

extension CallValues {
  /// What `body` reads one level deeper; nil beyond the deepest.
  mutating func nested(_ body: (inout Self) -> OrderedJSON?) -> OrderedJSON? {
    guard depth < deepestValue else { return nil }
    depth += 1
    defer { depth -= 1 }
    return body(&self)
  }

  /// A list, behind its opening bracket.
  mutating func list() -> OrderedJSON? {
    var values: [OrderedJSON] = []
    while !take("]") {
      guard let value = value(), take(",") || rest.hasPrefix("]") else { return nil }
      values.append(value)
    }
    return .array(values)
  }

  /// Goes behind `mark` and the white space around it; false where something else stands.
  mutating func take(_ mark: Character) -> Bool {
    skipSpace()
    guard rest.first == mark else { return false }
    rest = rest.dropFirst()
    skipSpace()
    return true
  }

  mutating func skipSpace() { rest = rest.drop(while: \.isWhitespace) }
}
