import FireflyBase

/// JSON Schema as rules of a grammar: a text of the grammar is JSON that the schema allows.
///
/// Members come in the schema's order; without `additionalProperties` there are no others. A keyword that is not understood is
/// refused by its name and place.
struct JSONSchema {
  private var root: OrderedJSON
  private var rules: [TextPattern] = [.choice([])] + JSONGrammar.shared
  /// Rules of what `$ref` has named.
  private var references: [String: Int] = [:]

  /// The rules of a whole text, the first the text itself.
  ///
  /// - Throws: `FireflyError` for a keyword or value that is not supported.
  static func rules(_ schema: OrderedJSON) throws -> [TextPattern] {
    var compiler = JSONSchema(root: schema)
    let value = try compiler.rule(schema, "schema")
    compiler.rules[0] = .sequence([JSONGrammar.gap, .rule(value)])
    return compiler.rules
  }

  /// The rules of one of several calls.
  static func rules(
    _ functions: [(name: String, schema: OrderedJSON)], between: String, after: String
  ) throws -> [TextPattern] {
    var compiler = JSONSchema(root: .null)
    compiler.rules[0] = .choice(
      try functions.map { name, schema in
        (compiler.root, compiler.references) = (schema, [:])
        let takesAny = schema.object?.isEmpty == true
        let arguments = takesAny ? JSONGrammar.object : .rule(try compiler.rule(schema, name))
        return .sequence([.text(name + between), arguments, .text(after)])
      })
    return compiler.rules
  }

  private init(root: OrderedJSON) { self.root = root }

  /// Parts of a schema, each of which is a rule.
  private static let mostRules = 10_000
  private static let deepest = 100

  /// Adds a schema as a rule.
  mutating func rule(_ schema: OrderedJSON, _ place: String) throws -> Int {
    let number = rules.count
    guard number < JSONSchema.mostRules else {
      throw FireflyError(
        "the schema is too large", at: place, expected: "at most \(JSONSchema.mostRules) parts")
    }
    guard place.count(where: { $0 == "." }) < JSONSchema.deepest else {
      throw FireflyError("the schema is nested too deep", expected: "at most \(JSONSchema.deepest) levels")
    }
    rules.append(.choice([]))
    rules[number] = try pattern(schema, place)
    return number
  }

  private mutating func pattern(_ schema: OrderedJSON, _ place: String) throws -> TextPattern {
    if schema == .bool(true) { return .rule(JSONGrammar.value) }
    guard let members = schema.object else {
      throw SchemaKeywords.wrong("a schema", "an object, or true", schema, place)
    }
    let keywords = SchemaKeywords(members, place)
    try keywords.refuseUnknown()
    if let name = keywords["$ref"] {
      try keywords.allow(["$ref"])
      return .rule(try reference(name, place))
    }
    if let values = try keywords.values() { return .choice(values.map { .text($0.unordered.text()) }) }
    if let parts = try keywords.alternatives() {
      if keywords["oneOf"] != nil { try checkApart(parts) }
      return .choice(try parts.map { .rule(try rule($0.schema, $0.place)) })
    }
    let types = try keywords.types()
    guard !types.isEmpty else { return .rule(JSONGrammar.value) }
    return .choice(try types.map { try pattern(of: $0, keywords) })
  }

  private mutating func pattern(of type: String, _ keywords: SchemaKeywords) throws -> TextPattern {
    switch type {
    case "null": JSONGrammar.null
    case "boolean": JSONGrammar.boolean
    case "integer": try keywords.integer()
    case "number": JSONGrammar.number
    case "string": try keywords.string()
    case "array": try list(keywords)
    default: try object(keywords)
    }
  }

  // MARK: - References

  private mutating func reference(_ value: OrderedJSON, _ place: String) throws -> Int {
    if let known = value.string.flatMap({ references[$0] }) { return known }
    let (name, target) = try target(of: value, place)
    // Known before it is read: it may refer to itself.
    references[name] = rules.count
    return try rule(target, name)
  }

  private func target(of value: OrderedJSON, _ place: String) throws -> (name: String, schema: OrderedJSON) {
    guard let name = value.string, name.hasPrefix("#") else {
      throw SchemaKeywords.wrong(
        "$ref", "the name of a part of this schema, such as \"#/$defs/Name\"", value, place)
    }
    var target = root
    for step in name.dropFirst().split(separator: "/") {
      let key = String(step).replacing("~1", with: "/").replacing("~0", with: "~")
      guard
        let next = target.object?[key]
          ?? target.array.flatMap({ list in
            Int(key).flatMap { list.indices.contains($0) ? list[$0] : nil }
          })
      else { throw SchemaKeywords.wrong("$ref", "the name of a part of this schema", value, place) }
      target = next
    }
    return (name, target)
  }

  // MARK: - One of several

  /// - Throws: `FireflyError` for parts of a `oneOf` of which two may allow one value.
  private func checkApart(_ parts: [(schema: OrderedJSON, place: String)]) throws {
    let whole = try parts.map { part in
      (
        schema: try part.schema["$ref"].map { try target(of: $0, part.place).schema } ?? part.schema,
        place: part.place
      )
    }
    for (index, part) in whole.enumerated() {
      for other in whole[..<index] where !JSONSchema.areApart(part.schema, other.schema) {
        throw FireflyError(
          "\"oneOf\" is supported for parts of different types, or with a required member that tells them apart",
          at: part.place, fix: "Use \"anyOf\".")
      }
    }
  }

  private static func areApart(_ first: OrderedJSON, _ second: OrderedJSON) -> Bool {
    func values(_ schema: OrderedJSON) -> [JSONValue]? {
      schema["const"].map { [$0.unordered] } ?? schema["enum"]?.array?.map(\.unordered)
    }
    func types(_ schema: OrderedJSON) -> Set<String> {
      let names = (schema["type"]?.array ?? [schema["type"] ?? .null]).compactMap(\.string)
      return Set(names.map { $0 == "integer" ? "number" : $0 })
    }
    if let first = values(first), let second = values(second) {
      return !first.contains(where: second.contains)
    }
    let kinds = (types(first), types(second))
    if !kinds.0.isEmpty, !kinds.1.isEmpty, kinds.0.isDisjoint(with: kinds.1) { return true }
    guard kinds.0 == ["object"], kinds.1 == ["object"], let members = first["properties"]?.object else {
      return false
    }
    return members.entries.contains { member in
      guard let other = second["properties"]?[member.key],
        [first, second].allSatisfy({ $0["required"]?.array?.contains(.string(member.key)) == true }),
        let own = values(member.value), let others = values(other)
      else { return false }
      return !own.contains(where: others.contains)
    }
  }

  // MARK: - Lists and objects

  private mutating func list(_ keywords: SchemaKeywords) throws -> TextPattern {
    let (least, most) = try keywords.bounds("minItems", "maxItems")
    let item = try keywords["items"].map { try rule($0, keywords.place + ".items") } ?? JSONGrammar.value
    return JSONGrammar.list(of: item, atLeast: least, atMost: most)
  }

  private mutating func object(_ keywords: SchemaKeywords) throws -> TextPattern {
    let required = try keywords.required()
    let additional = keywords["additionalProperties"]
    guard let properties = try keywords.properties() else {
      guard required.isEmpty else {
        return try members(required.map { ($0, .bool(true)) }, required, keywords.place)
      }
      switch additional {
      case nil, .bool(true): return JSONGrammar.object
      case .bool(false): return .sequence([.text("{"), JSONGrammar.gap, .text("}")])
      case .some(let schema):
        return JSONGrammar.map(of: try rule(schema, keywords.place + ".additionalProperties"))
      }
    }
    let others = required.filter { properties[$0] == nil }.map { ($0, OrderedJSON.bool(true)) }
    return try members(properties.entries.map { ($0.key, $0.value) } + others, required, keywords.place)
  }

  private mutating func members(
    _ properties: [(key: String, schema: OrderedJSON)], _ required: [String], _ place: String
  ) throws -> TextPattern {
    let needed = Set(required)
    let members = try properties.map { key, schema in
      TextPattern.Member(
        key: .sequence([.text(JSONValue.string(key).text() + ":"), JSONGrammar.gap]),
        value: try rule(schema, "\(place).properties.\(key)"), isRequired: needed.contains(key))
    }
    return .sequence([.text("{"), JSONGrammar.gap, .members(members), JSONGrammar.gap, .text("}")])
  }
}
