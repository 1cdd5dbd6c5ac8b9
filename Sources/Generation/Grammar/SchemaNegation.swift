import FireflyBase

/// The complement of a schema, as other schemas.
struct SchemaNegation {
  /// The schema that a `$ref` at a place names.
  let target: (_ reference: OrderedJSON, _ place: String) throws -> OrderedJSON

  /// Whether what `not` says is held to as it is: values, expressions and divisors, in the form of `plain`.
  static func isPlain(_ schema: OrderedJSON) -> Bool {
    guard let members = schema.object, members.entries.count == 1, let parts = members["anyOf"]?.array else {
      return false
    }
    return parts.allSatisfy { part in
      part.object.map {
        $0.entries.count == 1 && $0.keys.allSatisfy(["enum", "pattern", "multipleOf"].contains)
      }
        ?? false
    }
  }

  /// What is not of one keyword that has no opposite.
  private static func plain(_ keyword: String, _ value: OrderedJSON, type: String? = nil) -> OrderedJSON {
    var members: JSONMembers = ["not": .object(["anyOf": .array([.object([keyword: value])])])]
    members["type"] = type.map(OrderedJSON.string)
    return .object(members)
  }

  /// Schemas of which what is not of `schema` is one at least; none where everything is of it.
  ///
  /// - Throws: `FireflyError` for a keyword whose opposite no schema says.
  func parts(not schema: OrderedJSON, _ place: String, depth: Int = 0) throws -> [OrderedJSON] {
    if let isAll = schema.bool { return isAll ? [] : [.bool(true)] }
    guard let members = schema.object.map(SchemaDialect.translated) else {
      throw SchemaKeywords.wrong("not", "a schema", schema, place)
    }
    guard depth < 20 else {
      throw FireflyError("the schema is nested too deep", at: place, expected: "at most 20 levels of \"not\"")
    }
    return try members.entries.filter { !SchemaKeywords.silent.contains($0.key) }.flatMap { entry in
      try parts(not: entry.key, entry.value, place, depth)
    }
  }

  private func parts(
    not keyword: String, _ value: OrderedJSON, _ place: String, _ depth: Int
  ) throws -> [OrderedJSON] {
    switch keyword {
    case "type": return try SchemaNegation.types(value, place)
    case "enum": return [SchemaNegation.plain("enum", value)]
    case "const": return [SchemaNegation.plain("enum", .array([value]))]
    case "pattern": return [SchemaNegation.plain("pattern", value, type: "string")]
    case "multipleOf": return [SchemaNegation.plain("multipleOf", value, type: "number")]
    case "not": return [value]
    case "$ref": return try parts(not: target(value, place), place, depth: depth + 1)
    case "allOf":
      return try list(value, keyword, place).flatMap { try parts(not: $0, place, depth: depth + 1) }
    case "anyOf":
      return [.object(["allOf": .array(try list(value, keyword, place).map { .object(["not": $0]) })])]
    case "properties":
      return (value.object?.entries ?? []).map { entry in
        .object([
          "type": .string("object"), "required": .array([.string(entry.key)]),
          "properties": .object([entry.key: .object(["not": entry.value])]),
        ])
      }
    case "required":
      return (value.array ?? []).compactMap(\.string).map {
        .object(["type": .string("object"), "properties": .object([$0: .bool(false)])])
      }
    case "items":
      return [.object(["type": .string("array"), "contains": .object(["not": value])])]
    case "contains":
      return [.object(["type": .string("array"), "items": .object(["not": value])])]
    default: return try SchemaNegation.bound(keyword, value, place)
    }
  }

  private func list(_ value: OrderedJSON, _ keyword: String, _ place: String) throws -> [OrderedJSON] {
    guard let parts = value.array, !parts.isEmpty else {
      throw SchemaKeywords.wrong(keyword, "a list of at least one schema", value, place)
    }
    return parts
  }

  private static func types(_ value: OrderedJSON, _ place: String) throws -> [OrderedJSON] {
    let names = (value.array ?? [value]).compactMap(\.string)
    let others = ["null", "boolean", "number", "string", "array", "object"].filter { name in
      !names.contains(name) && !(name == "number" && names.contains("integer"))
    }
    let parts: [OrderedJSON] =
      others.isEmpty ? [] : [.object(["type": .array(others.map(OrderedJSON.string))])]
    let isOnlyWhole = names.contains("integer") && !names.contains("number")
    return parts + (isOnlyWhole ? [plain("multipleOf", .int(1), type: "number")] : [])
  }

  /// By keyword: the type it is about, the keyword of what is beyond it, and how far beyond that begins.
  private static let bounds: [String: (type: String, opposite: String, step: Int)] = [
    "minimum": ("number", "exclusiveMaximum", 0), "exclusiveMinimum": ("number", "maximum", 0),
    "maximum": ("number", "exclusiveMinimum", 0), "exclusiveMaximum": ("number", "minimum", 0),
    "minLength": ("string", "maxLength", -1), "maxLength": ("string", "minLength", 1),
    "minItems": ("array", "maxItems", -1), "maxItems": ("array", "minItems", 1),
    "minProperties": ("object", "maxProperties", -1), "maxProperties": ("object", "minProperties", 1),
  ]

  private static func bound(
    _ keyword: String, _ value: OrderedJSON, _ place: String
  ) throws -> [OrderedJSON] {
    guard let (type, opposite, step) = bounds[keyword] else {
      throw FireflyError(
        "\"\(keyword.prefix(60))\" within \"not\" or \"if\" is not supported", at: place,
        fix: "Leave it out, and check the answer for it.")
    }
    var limit = value
    if step != 0 {
      guard let count = value.unordered.int, count >= 0, count < ByteGrammar.mostNodes else {
        throw SchemaKeywords.wrong(keyword, "a whole number of at least 0", value, place)
      }
      guard count + step >= 0 else { return [] }
      limit = .int(count + step)
    }
    return [.object(["type": .string(type), opposite: limit])]
  }
}
