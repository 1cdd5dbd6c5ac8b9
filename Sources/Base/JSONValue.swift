import Foundation

/// A JSON document (RFC 8259) as a value; integers that fit stay integers.
public enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// The member `key` of an object; nil when absent, null, or when this is not an object.
  public subscript(key: String) -> JSONValue? {
    guard case .object(let map) = self, let value = map[key], value != .null else { return nil }
    return value
  }

  public var string: String? { if case .string(let text) = self { text } else { nil } }
  public var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
  public var array: [JSONValue]? { if case .array(let list) = self { list } else { nil } }
  public var object: [String: JSONValue]? { if case .object(let map) = self { map } else { nil } }

  /// A whole number, also when written `1.0` or `1e3`.
  public var int: Int? {
    switch self {
    case .int(let number): number
    case .double(let number): Int(exactly: number)
    default: nil
    }
  }

  public var double: Double? {
    switch self {
    case .int(let number): Double(number)
    case .double(let number): number
    default: nil
    }
  }

  /// The kind, for error messages.
  public var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .int, .double: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }
}

extension JSONValue {
  /// The document as text with sorted keys, no escaped slashes and no ASCII escapes; `indent` spaces, or one line when nil.
  public func text(indent: Int? = nil) -> String {
    var out = ""
    append(to: &out, indent: indent, depth: 0)
    return out
  }

  private func append(to out: inout String, indent: Int?, depth: Int) {
    switch self {
    case .null: out += "null"
    case .bool(let flag): out += flag ? "true" : "false"
    case .int(let number): out += String(number)
    case .double(let number): out += JSONValue.text(of: number)
    case .string(let text): JSONValue.appendQuoted(text, to: &out)
    case .array(let list):
      JSONValue.appendGroup("[", "]", list, to: &out, indent: indent, depth: depth) { value, out in
        value.append(to: &out, indent: indent, depth: depth + 1)
      }
    case .object(let map):
      let members = map.sorted { $0.key < $1.key }
      JSONValue.appendGroup("{", "}", members, to: &out, indent: indent, depth: depth) { member, out in
        JSONValue.appendQuoted(member.key, to: &out)
        out += ": "
        member.value.append(to: &out, indent: indent, depth: depth + 1)
      }
    }
  }

  private static func appendGroup<Element>(
    _ open: String, _ close: String, _ members: [Element], to out: inout String, indent: Int?, depth: Int,
    _ body: (Element, inout String) -> Void
  ) {
    out += open
    for (index, member) in members.enumerated() {
      if index > 0 { out += indent == nil ? ", " : "," }
      if let indent { out += "\n" + String(repeating: " ", count: indent * (depth + 1)) }
      body(member, &out)
    }
    if let indent, !members.isEmpty { out += "\n" + String(repeating: " ", count: indent * depth) }
    out += close
  }

  /// Python's spelling of the values JSON lacks (`NaN`, `Infinity`), as `json.dump` and transformers write them.
  private static func text(of number: Double) -> String {
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
    return "\(number)"
  }

  /// Appends a string as Python's `json.dumps` writes it with `ensure_ascii` as given.
  package static func appendQuoted(_ text: String, to out: inout String, escapesNonASCII: Bool = false) {
    out += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case "\u{8}": out += "\\b"
      case "\u{C}": out += "\\f"
      case _ where scalar.value < 0x20 || (escapesNonASCII && scalar.value > 0x7E):
        for unit in String(scalar).utf16 {
          let digits = String(unit, radix: 16)
          out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      default: out.unicodeScalars.append(scalar)
      }
    }
    out += "\""
  }
}
