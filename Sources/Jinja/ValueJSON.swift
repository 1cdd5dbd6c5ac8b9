import FireflyBase

/// How `tojson` writes, with the names and defaults of transformers' filter (Python's `json.dumps`, no ASCII escapes).
struct JSONStyle {
  /// What stands for one level of nesting; nil writes one line.
  var indent: String?
  var itemSeparator = ", "
  var keySeparator = ": "
  var sortsKeys = false
  var escapesNonASCII = false
}

extension JinjaValue {
  /// - Throws: `FireflyError` for what JSON cannot hold.
  func json(_ style: JSONStyle) throws -> String {
    var out = ""
    try appendJSON(to: &out, style, depth: 1)
    return out
  }

  private func appendJSON(to out: inout String, _ style: JSONStyle, depth: Int) throws {
    switch self {
    case .null: out += "null"
    case .bool(let flag): out += flag ? "true" : "false"
    case .int(let number): out += String(number)
    case .double(let number):
      out += number.isNaN ? "NaN" : number.isInfinite ? (number < 0 ? "-Infinity" : "Infinity") : represented
    case .string(let text):
      JSONValue.appendQuoted(text.text, to: &out, escapesNonASCII: style.escapesNonASCII)
    case .list(let list), .tuple(let list):
      try JinjaValue.appendGroup("[", "]", list, to: &out, style, depth) { value, out in
        try value.appendJSON(to: &out, style, depth: depth + 1)
      }
    case .dictionary(let map):
      let members = try map.entries.map { (key: try $0.key.jsonKey(), value: $0.value) }
      let ordered =
        style.sortsKeys
        ? members.sorted { MarkedText($0.key).precedes(MarkedText($1.key)) } : members
      try JinjaValue.appendGroup("{", "}", ordered, to: &out, style, depth) { member, out in
        JSONValue.appendQuoted(member.key, to: &out, escapesNonASCII: style.escapesNonASCII)
        out += style.keySeparator
        try member.value.appendJSON(to: &out, style, depth: depth + 1)
      }
    case .undefined, .iterator, .object, .function:
      throw FireflyError("tojson cannot write a value of type \(kind)")
    }
  }

  private static func appendGroup<Element>(
    _ open: String, _ close: String, _ members: [Element], to out: inout String, _ style: JSONStyle,
    _ depth: Int, _ body: (Element, inout String) throws -> Void
  ) throws {
    out += open
    for (index, member) in members.enumerated() {
      if index > 0 { out += style.itemSeparator }
      if let indent = style.indent { out += "\n" + String(repeating: indent, count: depth) }
      try body(member, &out)
    }
    if let indent = style.indent, !members.isEmpty {
      out += "\n" + String(repeating: indent, count: depth - 1)
    }
    out += close
  }

  private func jsonKey() throws -> String {
    switch self {
    case .string(let text): return text.text
    case .null, .bool, .int, .double: return try json(JSONStyle())
    default: throw FireflyError("tojson cannot write a key of type \(kind)")
    }
  }
}
