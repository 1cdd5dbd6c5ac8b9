import FireflyBase

/// One schema's keywords, read by kind.
struct SchemaKeywords {
  private let members: JSONMembers
  let place: String

  init(_ members: JSONMembers, _ place: String) {
    self.members = members
    self.place = place
  }

  subscript(keyword: String) -> OrderedJSON? { members[keyword] }

  /// Say something to people, or hold parts that are referred to.
  private static let silent: Set = [
    "title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly",
    "$schema", "$id",
    "$comment", "$defs", "definitions", "discriminator", "contentMediaType", "contentEncoding",
  ]
  private static let ofTypes: [String: Set<String>] = [
    "string": ["minLength", "maxLength", "format"],
    "integer": ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"], "number": [], "boolean": [],
    "null": [], "array": ["items", "minItems", "maxItems"],
    "object": ["properties", "required", "additionalProperties"],
  ]
  private static let ofAll: Set = ["type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"]
  private static let known = ofTypes.values.reduce(ofAll.union(silent)) { $0.union($1) }

  /// - Throws: `FireflyError` for a keyword that is not supported.
  func refuseUnknown() throws {
    for keyword in members.keys where !SchemaKeywords.known.contains(keyword) {
      throw FireflyError(
        "the schema's keyword \"\(keyword.prefix(60))\" is not supported", at: place,
        fix: "Leave it out, and check the answer for it.")
    }
    // Bounds that hold for every number but cannot be kept for one with a fraction.
    if members["type"]?.string == "number" || members["type"]?.array?.contains(.string("number")) == true {
      for keyword in SchemaKeywords.ofTypes["integer"] ?? [] where members[keyword] != nil {
        throw FireflyError(
          "the schema's keyword \"\(keyword)\" is supported for integers only", at: place,
          fix: "Leave it out, and check the answer for it.")
      }
    }
  }

  /// - Throws: `FireflyError` for a keyword beside `keywords` that says more than they do.
  func allow(_ keywords: Set<String>) throws {
    for keyword in members.keys where !keywords.contains(keyword) && !SchemaKeywords.silent.contains(keyword)
    {
      throw FireflyError(
        "\"\(keyword)\" beside \(keywords.sorted().map { "\"\($0)\"" }.joined(separator: " or ")) is not supported",
        at: place, fix: "Write it into the parts.")
    }
  }

  // MARK: - One of several

  /// What `enum` or `const` allows; nil without either.
  func values() throws -> [OrderedJSON]? {
    if let value = members["const"] {
      try allow(["const", "type"])
      return [value]
    }
    guard let value = members["enum"] else { return nil }
    try allow(["enum", "type"])
    guard let list = value.array, !list.isEmpty else {
      throw SchemaKeywords.wrong("enum", "a list of at least one value", value, place)
    }
    return list
  }

  /// The parts of `anyOf`, of `oneOf` where they can be told apart, or of `allOf` with one.
  func alternatives() throws -> [(schema: OrderedJSON, place: String)]? {
    guard let keyword = ["anyOf", "oneOf", "allOf"].first(where: { members[$0] != nil }) else { return nil }
    try allow([keyword])
    guard let parts = members[keyword]?.array, !parts.isEmpty else {
      throw SchemaKeywords.wrong(keyword, "a list of at least one schema", members[keyword] ?? .null, place)
    }
    guard keyword != "allOf" || parts.count == 1 else {
      throw FireflyError(
        "\"allOf\" of several schemas is not supported", at: place, fix: "Write them as one schema.")
    }
    return parts.enumerated().map { ($1, "\(place).\(keyword)[\($0)]") }
  }

  // MARK: - Types

  /// Of `type`, or what the other keywords are about; empty: any.
  func types() throws -> [String] {
    guard let value = members["type"] else {
      let types = SchemaKeywords.ofTypes.filter { !$1.isDisjoint(with: members.keys) }.keys.sorted()
      guard types.count < 2 else {
        throw FireflyError("the schema's \"type\" is missing", at: place, expected: "one of \(types)")
      }
      return types
    }
    let names = (value.array ?? [value]).map(\.string)
    guard let types = names as? [String], !types.isEmpty,
      types.allSatisfy({ SchemaKeywords.ofTypes[$0] != nil })
    else {
      throw SchemaKeywords.wrong(
        "type", SchemaKeywords.ofTypes.keys.sorted().joined(separator: ", ") + ", or a list of them", value,
        place)
    }
    return types
  }

  private func count(_ keyword: String) throws -> Int? {
    guard let value = members[keyword] else { return nil }
    guard let count = value.unordered.int, count >= 0 else {
      throw SchemaKeywords.wrong(keyword, "a whole number of at least 0", value, place)
    }
    return count
  }

  /// Two bounds of a count.
  func bounds(_ least: String, _ most: String) throws -> (least: Int, most: Int?) {
    let bounds = (try count(least) ?? 0, try count(most))
    // Each is a place of the grammar, so larger ones cannot be kept anyway.
    guard bounds.0 <= ByteGrammar.mostNodes, bounds.1.map({ $0 <= ByteGrammar.mostNodes }) ?? true else {
      throw FireflyError(
        "the bound is too large", at: "\(place).\(bounds.0 > ByteGrammar.mostNodes ? least : most)",
        expected: "at most \(ByteGrammar.mostNodes)")
    }
    guard bounds.1.map({ $0 >= bounds.0 }) ?? true else {
      throw FireflyError("\(most) is below \(least)", at: place)
    }
    return bounds
  }

  func properties() throws -> JSONMembers? {
    guard let value = members["properties"] else { return nil }
    guard let properties = value.object else {
      throw SchemaKeywords.wrong("properties", "an object", value, place)
    }
    return properties.isEmpty ? nil : properties
  }

  func required() throws -> [String] {
    guard let value = members["required"] else { return [] }
    guard let names = value.array?.map(\.string) as? [String], Set(names).count == names.count else {
      throw SchemaKeywords.wrong("required", "a list of names", value, place)
    }
    return names
  }

  // MARK: - Strings and integers

  func string() throws -> TextPattern {
    let (least, most) = try bounds("minLength", "maxLength")
    guard let format = members["format"] else { return JSONGrammar.string(atLeast: least, atMost: most) }
    guard members["minLength"] == nil, members["maxLength"] == nil else {
      throw FireflyError("\"format\" beside a length is not supported", at: place)
    }
    guard let text = format.string.flatMap({ StringFormat.patterns[$0] }) else {
      throw SchemaKeywords.wrong(
        "format", StringFormat.patterns.keys.sorted().joined(separator: ", "), format, place)
    }
    return .sequence([.text("\""), text, .text("\"")])
  }

  func integer() throws -> TextPattern {
    func bound(_ keyword: String) throws -> Int? {
      guard let value = members[keyword] else { return nil }
      guard let bound = value.unordered.int, abs(bound) < IntegerRange.limit else {
        throw SchemaKeywords.wrong(keyword, "a whole number of at most 15 digits", value, place)
      }
      return bound
    }
    let least = [try bound("minimum"), try bound("exclusiveMinimum").map { $0 + 1 }].compactMap(\.self).max()
    let most = [try bound("maximum"), try bound("exclusiveMaximum").map { $0 - 1 }].compactMap(\.self).min()
    guard least != nil || most != nil else { return JSONGrammar.integer }
    let range = IntegerRange(least ?? -IntegerRange.limit + 1, most ?? IntegerRange.limit - 1)
    guard let pattern = range.pattern else {
      throw FireflyError("no whole number is within the schema's bounds", at: place)
    }
    return pattern
  }

  static func wrong(_ keyword: String, _ expected: String, _ found: OrderedJSON, _ place: String)
    -> FireflyError
  {
    let text = found.unordered.text()
    return FireflyError(
      "\(keyword) of the schema has a wrong value", at: place, expected: expected,
      found: text.count > 60 ? found.kind : text)
  }
}
