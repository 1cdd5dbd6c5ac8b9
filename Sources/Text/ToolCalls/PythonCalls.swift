import FireflyBase

/// Reads `[NAME(KEY=VALUE, …), …]`, calls as Python writes them, the values literals of Python or JSON.
struct PythonCalls: CallValues {
  var rest: Substring
  var depth = 0

  private init(rest: Substring) { self.rest = rest }

  /// - Returns: none when it is no list of calls.
  static func read(_ text: Substring) -> [ToolCall] {
    var reader = PythonCalls(rest: text)
    return reader.calls() ?? []
  }

  private mutating func calls() -> [ToolCall]? {
    guard take("[") else { return nil }
    var calls: [ToolCall] = []
    repeat {
      guard let call = call() else { return nil }
      calls.append(call)
    } while take(",")
    return take("]") && rest.isEmpty ? calls : nil
  }

  private mutating func call() -> ToolCall? {
    guard let name = name(), take("(") else { return nil }
    var members: JSONMembers = [:]
    while !take(")") {
      guard let key = self.name(), take("="), let value = value() else { return nil }
      members[key] = value
      guard take(",") || rest.hasPrefix(")") else { return nil }
    }
    return ToolCall(name: name, arguments: .object(members))
  }

  private mutating func name() -> String? {
    let name = rest.prefix(while: \.isNameLike)
    rest = rest.dropFirst(name.count)
    skipSpace()
    return name.isEmpty ? nil : String(name)
  }

  // MARK: - Values

  private static let words: [String: OrderedJSON] = [
    "True": .bool(true), "False": .bool(false), "None": .null, "true": .bool(true), "false": .bool(false),
    "null": .null,
  ]

  mutating func value() -> OrderedJSON? {
    if rest.hasPrefix("\"") || rest.hasPrefix("'") { return text().map(OrderedJSON.string) }
    if take("[") { return nested { $0.list() } }
    if take("{") { return nested { $0.object() } }
    let literal = String(rest.prefix { !",)]}:".contains($0) && !$0.isWhitespace })
    rest = rest.dropFirst(literal.count)
    skipSpace()
    return PythonCalls.words[literal] ?? (try? OrderedJSON.parse(literal, source: "a call"))
  }

  private mutating func object() -> OrderedJSON? {
    var members: JSONMembers = [:]
    while !take("}") {
      guard let key = text(), take(":"), let value = value(), take(",") || rest.hasPrefix("}") else {
        return nil
      }
      members[key] = value
    }
    return .object(members)
  }

  private static let escapes: [Character: Character] = ["n": "\n", "t": "\t", "r": "\r"]

  /// A text within quotation marks of either kind.
  private mutating func text() -> String? {
    guard let quote = rest.first, quote == "\"" || quote == "'" else { return nil }
    rest = rest.dropFirst()
    var text = ""
    while let next = rest.popFirst() {
      if next == quote {
        skipSpace()
        return text
      }
      guard next == "\\" else {
        text.append(next)
        continue
      }
      guard let escaped = rest.popFirst() else { return nil }
      if escaped == "u", let code = UInt32(rest.prefix(4), radix: 16), let scalar = Unicode.Scalar(code) {
        text.unicodeScalars.append(scalar)
        rest = rest.dropFirst(4)
      } else if let known = PythonCalls.escapes[escaped] {
        text.append(known)
      } else {
        // Python keeps the stroke before what it does not know.
        text += ("\\'\"".contains(escaped) ? "" : "\\") + String(escaped)
      }
    }
    return nil
  }
}
