import FireflyBase

/// JSON Schema as rules of a grammar: a text of the grammar is JSON that the schema allows.
///
/// Members come in the schema's order; without `additionalProperties` or `patternProperties` there are no others. A keyword that
/// is not understood is refused by its name and place.
struct JSONSchema {
  private var root: OrderedJSON
  private var rules: [TextPattern] = [.choice([])] + JSONGrammar.shared
  /// Rules of what `$ref` has named.
  private var references: [String: Int] = [:]
  private var notes: [String] = []

  /// The rules of a whole text, the first the text itself, and what of the schema they do not hold to.
  ///
  /// - Throws: `FireflyError` for a keyword or value that is not supported.
  static func rules(_ schema: OrderedJSON) throws -> (rules: [TextPattern], notes: [String]) {
    var compiler = JSONSchema(root: schema)
    let value = try compiler.rule(schema, "schema")
    compiler.rules[0] = .sequence([JSONGrammar.gap, .rule(value)])
    return (compiler.rules, compiler.notes)
  }

  /// The rules of one of several calls.
  static func rules(
    _ functions: [(name: String, schema: OrderedJSON)], between: String, after: String
  ) throws -> (rules: [TextPattern], notes: [String]) {
    var compiler = JSONSchema(root: .null)
    compiler.rules[0] = .choice(
      try functions.map { name, schema in
        (compiler.root, compiler.references) = (schema, [:])
        let takesAny = schema.object?.isEmpty == true
        let arguments = takesAny ? JSONGrammar.object : .rule(try compiler.rule(schema, name))
        return .sequence([.text(name + between), arguments, .text(after)])
      })
    return (compiler.rules, compiler.notes)
  }

  private init(root: OrderedJSON) { self.root = root }

  /// Parts of a schema, each of which is a rule.
  private static let mostRules = 10_000
  private static let deepest = 100
  /// Bytes of schemas that hold together: in a circle they may double at each turn.
  private static let longestMerged = 100_000

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
    guard let members = schema.object.map(SchemaDialect.translated) else {
      throw SchemaKeywords.wrong("a schema", "an object, or true", schema, place)
    }
    let keywords = SchemaKeywords(members, place)
    try keywords.refuseUnknown()
    if SchemaMerge.isNeeded(members) { return .rule(try merged(.object(members), place)) }
    if let name = keywords["$ref"] { return .rule(try reference(name, place)) }
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
    case "number": try keywords.number()
    case "string": try keywords.string(&notes)
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
    guard let name = value.string, name == "#" || name.hasPrefix("#/") else {
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

  /// A schema whose keywords all hold together, as one without such; the same ones are one rule.
  private mutating func merged(_ schema: OrderedJSON, _ place: String) throws -> Int {
    let merge = SchemaMerge { [self] in try target(of: $0, $1).schema }
    let whole = try merge.flattened(schema, place)
    let text = whole.unordered.text()
    guard text.utf8.count <= JSONSchema.longestMerged else {
      throw FireflyError("the schemas that must hold together are too large", at: place)
    }
    if let known = references[text] { return known }
    references[text] = rules.count
    return try rule(whole, place)
  }

  // MARK: - One of several

  /// - Throws: `FireflyError` for parts of a `oneOf` of which two may allow one value.
  private func checkApart(_ parts: [(schema: OrderedJSON, place: String)]) throws {
    let merge = SchemaMerge { [self] in try target(of: $0, $1).schema }
    let whole = try parts.map { (schema: try merge.flattened($0.schema, $0.place), place: $0.place) }
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
    guard keywords["prefixItems"] != nil else {
      if keywords["items"] == .bool(false) { return try emptyList(least, keywords.place) }
      let item = try keywords["items"].map { try rule($0, keywords.place + ".items") } ?? JSONGrammar.value
      return JSONGrammar.list(of: item, atLeast: least, atMost: most)
    }
    let first = try keywords.parts("prefixItems").enumerated().map {
      try rule($1, "\(keywords.place).prefixItems[\($0)]")
    }
    let isClosed = keywords["items"] == .bool(false)
    let others =
      try isClosed
      ? nil : keywords["items"].map { try rule($0, keywords.place + ".items") } ?? JSONGrammar.value
    guard others != nil || least <= first.count else {
      throw FireflyError("minItems is more than the schema's items", at: keywords.place)
    }
    return JSONGrammar.list(of: first, then: others, atLeast: least, atMost: most)
  }

  private func emptyList(_ least: Int, _ place: String) throws -> TextPattern {
    guard least == 0 else { throw FireflyError("minItems is more than the schema's items", at: place) }
    return .sequence([.text("["), JSONGrammar.gap, .text("]")])
  }

  private mutating func object(_ keywords: SchemaKeywords) throws -> TextPattern {
    let required = try keywords.required()
    let properties = try keywords.properties() ?? [:]
    let additional = keywords["additionalProperties"]
    if let patterns = keywords["patternProperties"] {
      return try object(properties, required, patterns, keywords)
    }
    if properties.isEmpty && required.isEmpty && additional == nil { return JSONGrammar.object }
    let unlisted = required.filter { properties[$0] == nil }
    guard unlisted.isEmpty || additional != .bool(false) else {
      throw FireflyError(
        "\"required\" names a member that \"additionalProperties\" leaves out", at: keywords.place,
        found: unlisted.joined(separator: ", "))
    }
    let listed =
      properties.entries.map { ($0.key, $0.value) } + unlisted.map { ($0, additional ?? .bool(true)) }
    var members = try self.members(listed, required, keywords.place)
    if let additional, additional != .bool(false) {
      let key = listed.isEmpty ? JSONGrammar.string() : JSONGrammar.string(otherThan: listed.map(\.0))
      let value = try rule(additional, keywords.place + ".additionalProperties")
      members.append(JSONGrammar.others(key, value))
    }
    return JSONGrammar.object(members)
  }

  /// An object some of whose members are called as an expression says; without another word of them, there are no others.
  private mutating func object(
    _ properties: JSONMembers, _ required: [String], _ patterns: OrderedJSON, _ keywords: SchemaKeywords
  ) throws -> TextPattern {
    guard let entries = patterns.object?.entries, entries.count == 1 else {
      throw FireflyError(
        "\"patternProperties\" is supported with one pattern", at: keywords.place, found: patterns.kind)
    }
    guard [nil, .bool(false)].contains(keywords["additionalProperties"]) else {
      throw FireflyError(
        "\"additionalProperties\" beside \"patternProperties\" is supported as false only", at: keywords.place
      )
    }
    let place = keywords.place + ".patternProperties"
    let expression = try RegularPattern(entries[0].key, at: place)
    for name in properties.keys + required {
      guard try properties[name] == nil || expression.allows(name) else { continue }
      throw FireflyError(
        "a member of \"properties\" or \"required\" that \"patternProperties\" is about too is not supported",
        at: keywords.place, found: String(name.prefix(60)))
    }
    let key = TextPattern.sequence([.text("\""), expression.pattern, .text("\"")])
    let value = try rule(entries[0].value, place)
    return JSONGrammar.object(
      try members(properties.entries.map { ($0.key, $0.value) }, required, keywords.place)
        + [JSONGrammar.others(key, value)])
  }

  private mutating func members(
    _ properties: [(key: String, schema: OrderedJSON)], _ required: [String], _ place: String
  ) throws -> [TextPattern.Member] {
    let needed = Set(required)
    return try properties.map { key, schema in
      TextPattern.Member(
        key: .sequence([.text(JSONValue.string(key).text() + ":"), JSONGrammar.gap]),
        value: try rule(schema, "\(place).properties.\(key)"), isRequired: needed.contains(key))
    }
  }
}
