import FireflyBase

/// An object of a row, with its place for error messages. Null members count as absent.
struct Row {
  /// In the row's order.
  let members: JSONMembers
  /// Path, line, and inside the row the path to this object.
  let place: String
  let line: Int

  init(_ object: JSONMembers, place: String, line: Int) {
    members = object
    self.place = place
    self.line = line
  }

  /// The names of what is there.
  var keys: [String] { members.entries.filter { $0.value != .null }.map(\.key) }

  subscript(key: String) -> OrderedJSON? { members[key].flatMap { $0 == .null ? nil : $0 } }

  func text(_ key: String) throws -> String {
    guard let value = self[key] else { throw wrong(key, expected: "a string", found: "nothing") }
    guard let text = value.string else { throw wrong(key, expected: "a string", found: value.kind) }
    return text
  }

  /// A string, or the texts of a list of parts `{"type": "text", "text": …}` one after the other.
  func textOrParts(_ key: String) throws -> String {
    guard let parts = self[key]?.array else { return try text(key) }
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
  func kind(_ key: String) -> String { self[key]?.kind ?? "nothing" }

  func optionalText(_ key: String) throws -> String? {
    self[key] == nil ? nil : try text(key)
  }

  func optionalList(_ key: String) throws -> [OrderedJSON]? {
    guard let value = self[key] else { return nil }
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

  func wrong(_ key: String, expected: String, found: String, fix: String? = nil) -> FireflyError {
    FireflyError("wrong \"\(key)\"", at: place, expected: expected, found: found, fix: fix)
  }
}
