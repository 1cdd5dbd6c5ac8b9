import FireflyBase

/// Reads `call:NAME{KEY:VALUE,…}`, a call as Gemma 4 writes it: texts between marks of their own, keys without any.
struct GemmaCalls {
  static let quote = "<|\"|>"
  private var rest: Substring

  /// - Returns: nil when it is no call.
  static func read(_ text: Substring) -> ToolCall? {
    guard text.hasPrefix("call:"), let brace = text.firstIndex(of: "{") else { return nil }
    var reader = GemmaCalls(rest: text[brace...])
    let name = text[..<brace].dropFirst("call:".count).trimmed
    guard !name.isEmpty, let arguments = reader.value(), arguments.object != nil, reader.rest.trimmed.isEmpty
    else { return nil }
    return ToolCall(name: String(name), arguments: arguments)
  }

  private mutating func value() -> OrderedJSON? {
    skipSpace()
    if rest.hasPrefix(GemmaCalls.quote) { return text().map(OrderedJSON.string) }
    if take("{") { return object() }
    if take("[") { return list() }
    let literal = rest.prefix { !",]}".contains($0) }
    rest = rest.dropFirst(literal.count)
    switch literal.trimmed {
    case "None": return .null
    case let word: return try? OrderedJSON.parse(String(word), source: "a call")
    }
  }

  private mutating func object() -> OrderedJSON? {
    var members: JSONMembers = [:]
    while !take("}") {
      guard let key = key(), let value = value() else { return nil }
      members[key] = value
      guard take(",") || rest.hasPrefix("}") else { return nil }
    }
    return .object(members)
  }

  private mutating func list() -> OrderedJSON? {
    var values: [OrderedJSON] = []
    while !take("]") {
      guard let value = value(), take(",") || rest.hasPrefix("]") else { return nil }
      values.append(value)
    }
    return .array(values)
  }

  /// A key up to its colon, with or without marks around it.
  private mutating func key() -> String? {
    if rest.hasPrefix(GemmaCalls.quote) {
      let key = text()
      return take(":") ? key : nil
    }
    guard let (key, after) = rest.cut(at: ":") else { return nil }
    rest = after
    return String(key.trimmed)
  }

  /// A text between two marks, which it cannot hold itself.
  private mutating func text() -> String? {
    guard let (text, after) = rest.dropFirst(GemmaCalls.quote.count).cut(at: GemmaCalls.quote) else {
      return nil
    }
    rest = after
    skipSpace()
    return String(text)
  }

  /// Goes behind `mark` and the white space that follows; false where something else stands.
  private mutating func take(_ mark: Character) -> Bool {
    skipSpace()
    guard rest.first == mark else { return false }
    rest = rest.dropFirst()
    skipSpace()
    return true
  }

  private mutating func skipSpace() { rest = rest.drop(while: \.isWhitespace) }
}
