import FireflyBase

/// Reads `call:NAME{KEY:VALUE,…}`, a call as Gemma 4 writes it: texts between marks of their own, keys without any.
struct GemmaCalls: CallValues {
  static let quote = "<|\"|>"
  var rest: Substring
  var depth = 0

  private init(rest: Substring) { self.rest = rest }

  /// - Returns: nil when it is no call.
  static func read(_ text: Substring) -> ToolCall? {
    guard text.hasPrefix("call:"), let brace = text.firstIndex(of: "{") else { return nil }
    var reader = GemmaCalls(rest: text[brace...])
    let name = text[..<brace].dropFirst("call:".count).trimmed
    guard !name.isEmpty, let arguments = reader.value(), arguments.object != nil, reader.rest.trimmed.isEmpty
    else { return nil }
    return ToolCall(name: String(name), arguments: arguments)
  }

  mutating func value() -> OrderedJSON? {
    skipSpace()
    if rest.hasPrefix(GemmaCalls.quote) { return text().map(OrderedJSON.string) }
    if take("{") { return nested { $0.object() } }
    if take("[") { return nested { $0.list() } }
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
}
