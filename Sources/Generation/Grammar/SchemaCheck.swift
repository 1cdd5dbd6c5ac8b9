import FireflyBase

/// Whether a value that a schema lists is of other keywords, too.
struct SchemaCheck {
  /// The schema that a `$ref` at a place names.
  let target: (_ reference: OrderedJSON, _ place: String) throws -> OrderedJSON

  /// - Throws: `FireflyError` for a keyword that values are not checked for.
  func allows(_ value: OrderedJSON, _ schema: OrderedJSON, _ place: String, depth: Int = 0) throws -> Bool {
    if let isAll = schema.bool { return isAll }
    guard let members = schema.object.map(SchemaDialect.translated), depth < 50 else {
      throw SchemaKeywords.wrong("a schema", "an object, true or false", schema, place)
    }
    let keywords = SchemaKeywords(members, place)
    try keywords.refuseUnknown()
    for entry in members.entries where !SchemaKeywords.silent.contains(entry.key) {
      guard try holds(value, entry.key, keywords, depth) else { return false }
    }
    return true
  }

  private func holds(
    _ value: OrderedJSON, _ keyword: String, _ keywords: SchemaKeywords, _ depth: Int
  ) throws -> Bool {
    let place = keywords.place
    func part(_ value: OrderedJSON, _ schema: OrderedJSON) throws -> Bool {
      try allows(value, schema, place, depth: depth + 1)
    }
    switch keyword {
    case "type": return try keywords.types().contains { SchemaKeywords.isOf($0, value.unordered) }
    case "enum", "const":
      let values = keyword == "const" ? [keywords[keyword] ?? .null] : keywords[keyword]?.array ?? []
      return values.contains { SchemaCheck.areSame($0, value) }
    case "allOf": return try keywords.parts(keyword).allSatisfy { try part(value, $0) }
    case "anyOf": return try keywords.parts(keyword).contains { try part(value, $0) }
    case "oneOf": return try keywords.parts(keyword).count { try part(value, $0) } == 1
    case "not": return try !part(value, keywords[keyword] ?? .bool(false))
    case "$ref": return try part(value, target(keywords[keyword] ?? .null, place))
    default: break
    }
    switch value {
    case .int, .double: return try number(value.unordered, keyword, keywords)
    case .string(let text): return try string(text, keyword, keywords)
    // Values of other types are of every keyword that is not about theirs.
    case .null, .bool: return true
    case .array, .object:
      throw FireflyError(
        "\"\(keyword)\" beside lists or objects as values is not supported", at: place,
        fix: "Leave it out, and check the answer for it.")
    }
  }

  private func number(
    _ value: JSONValue, _ keyword: String, _ keywords: SchemaKeywords
  ) throws -> Bool {
    guard let number = value.double, let limit = keywords[keyword]?.unordered.double else { return true }
    switch keyword {
    case "minimum": return number >= limit
    case "maximum": return number <= limit
    case "exclusiveMinimum": return number > limit
    case "exclusiveMaximum": return number < limit
    case "multipleOf":
      guard let text = NumberRange.Bound(value, isExclusive: false)?.text else { return false }
      return try keywords.multiple()?.automaton(at: keywords.place).allows(text) ?? true
    default: return true
    }
  }

  private func string(_ text: String, _ keyword: String, _ keywords: SchemaKeywords) throws -> Bool {
    switch keyword {
    case "minLength": text.unicodeScalars.count >= keywords[keyword]?.unordered.int ?? 0
    case "maxLength": text.unicodeScalars.count <= keywords[keyword]?.unordered.int ?? .max
    case "pattern":
      try RegularPattern(keywords[keyword]?.string ?? "", at: keywords.place).allows(text)
    default: true
    }
  }

  /// Whether two values are one to JSON Schema: 1 and 1.0 are.
  static func areSame(_ first: OrderedJSON, _ second: OrderedJSON) -> Bool {
    if let own = first.double, let other = second.double { return own == other }
    return first.unordered == second.unordered
  }
}
