import FireflyBase

/// An object of a row, with its place for error messages. Null members count as absent.
struct Row {
  let members: [String: JSONValue]
  /// Path, line, and inside the row the path to this object.
  let place: String
  let line: Int

  init(_ object: [String: JSONValue], place: String, line: Int) {
    members = object.filter { $0.value != .null }
    self.place = place
    self.line = line
  }

  func text(_ key: String) throws -> String {
    guard let value = members[key] else { throw wrong(key, expected: "a string", found: "nothing") }
    guard let text = value.string else { throw wrong(key, expected: "a string", found: value.kind) }
    return text
  }

  /// A string, or the texts of a list of parts `{"type": "text", "text": …}` one after the other.
  func textOrParts(_ key: String) throws -> String {
    guard let parts = members[key]?.array else { return try text(key) }
    return try parts.enumerated().map { index, part in
      guard let object = part.object else {
        throw wrong("\(key)[\(index)]", expected: "an object", found: part.kind)
      }
      let part = Row(object, place: "\(place): \(key)[\(index)]", line: line)
      guard try part.optionalText("type") ?? "text" == "text" else {
        throw part.wrong("type", expected: "\"text\"", found: try part.text("type"))
      }
      return try part.text("text")
    }.joined()
  }

  /// What stands at `key`, for error messages.
  func kind(_ key: String) -> String { members[key]?.kind ?? "nothing" }

  func optionalText(_ key: String) throws -> String? {
    members[key] == nil ? nil : try text(key)
  }

  func optionalList(_ key: String) throws -> [JSONValue]? {
    guard let value = members[key] else { return nil }
    guard let list = value.array else { throw wrong(key, expected: "a list", found: value.kind) }
    return list
  }

  /// The list `key`, which must hold at least one object and nothing else.
  func objects(_ key: String) throws -> [Row] {
    let list = try optionalList(key) ?? []
    guard !list.isEmpty else { throw wrong(key, expected: "at least one turn", found: "an empty list") }
    return try list.enumerated().map { index, value in
      guard let object = value.object else {
        throw wrong("\(key)[\(index)]", expected: "an object", found: value.kind)
      }
      return Row(object, place: "\(place): \(key)[\(index)]", line: line)
    }
  }

  func wrong(_ key: String, expected: String, found: String) -> FireflyError {
    FireflyError("wrong \"\(key)\"", at: place, expected: expected, found: found)
  }
}
