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
  /// Python's `json.dumps(…, ensure_ascii=False)`, what `tojson` writes when nothing more is said; empty for what JSON cannot
  /// hold.
  package var jsonText: String { (try? json(JSONStyle()).text) ?? "" }

  /// The same over several lines.
  package func jsonText(indent: Int) -> String {
    let style = JSONStyle(indent: String(repeating: " ", count: indent), itemSeparator: ",")
    return (try? json(style).text) ?? ""
  }

  /// Each text in it keeps its mark, quotation marks and all.
  ///
  /// - Throws: `FireflyError` for what JSON cannot hold.
  func json(_ style: JSONStyle) throws -> MarkedText {
    var out = MarkedText()
    try appendJSON(to: &out, style, depth: 1)
    return out
  }

  private func appendJSON(to out: inout MarkedText, _ style: JSONStyle, depth: Int) throws {
    switch self {
    case .null: out.append("null")
    case .bool(let flag): out.append(flag ? "true" : "false")
    case .int(let number): out.append(String(number))
    case .double(let number):
      out.append(
        number.isNaN ? "NaN" : number.isInfinite ? (number < 0 ? "-Infinity" : "Infinity") : represented)
    case .string(let text): out.append(text.quoted(style))
    case .list(let list), .tuple(let list):
      try JinjaValue.appendGroup("[", "]", list, to: &out, style, depth) { value, out in
        try value.appendJSON(to: &out, style, depth: depth + 1)
      }
    case .dictionary(let map):
      let members = try map.entries.map { (key: try $0.key.jsonKey(), value: $0.value) }
      let ordered =
        style.sortsKeys
        ? members.sorted { $0.key.precedes($1.key) } : members
      try JinjaValue.appendGroup("{", "}", ordered, to: &out, style, depth) { member, out in
        out.append(member.key.quoted(style))
        out.append(style.keySeparator)
        try member.value.appendJSON(to: &out, style, depth: depth + 1)
      }
    case .undefined, .iterator, .object, .function:
      throw FireflyError("tojson cannot write a value of type \(kind)")
    }
  }

  private static func appendGroup<Element>(
    _ open: String, _ close: String, _ members: [Element], to out: inout MarkedText, _ style: JSONStyle,
    _ depth: Int, _ body: (Element, inout MarkedText) throws -> Void
  ) throws {
    out.append(open)
    for (index, member) in members.enumerated() {
      if index > 0 { out.append(style.itemSeparator) }
      if let indent = style.indent { out.append("\n" + String(repeating: indent, count: depth)) }
      try body(member, &out)
    }
    if let indent = style.indent, !members.isEmpty {
      out.append("\n" + String(repeating: indent, count: depth - 1))
    }
    out.append(close)
  }

  private func jsonKey() throws -> MarkedText {
    switch self {
    case .string(let text): return text
    case .null, .bool, .int, .double: return try json(JSONStyle())
    default: throw FireflyError("tojson cannot write a key of type \(kind)")
    }
  }
}

extension MarkedText {
  fileprivate func quoted(_ style: JSONStyle) -> MarkedText {
    respelled { text in
      var out = ""
      JSONValue.appendQuoted(text, to: &out, escapesNonASCII: style.escapesNonASCII)
      return out
    }
  }
}
