import FireflyBase

/// JSON Schema as rules of a grammar: a text of the grammar is JSON that the schema allows.
///
/// Members come in the schema's order; without `additionalProperties` or `patternProperties` there are no others. A keyword that
/// is not understood is refused by its name and place. A part of which no value is leaves the grammar with what needs it.
struct JSONSchema {
  private var root = OrderedJSON.null
  private var rules: [TextPattern] = [.choice([])] + JSONGrammar.shared
  /// Rules of what `$ref` has named.
  private var references: [String: Int] = [:]
  var notes: [String] = []
  private var contradictions: [FireflyError] = []

  /// A schema that is a document of its own, as a rule: what it refers to is looked up in it.
  ///
  /// - Throws: `FireflyError` for a keyword or value that is not supported, and where no value is of the schema.
  mutating func document(_ schema: OrderedJSON, _ place: String) throws -> Int {
    (root, references, contradictions) = (schema, [:], [])
    let value = try rule(schema, place)
    guard TextPattern.possible(rules)[value] else {
      throw contradictions.first ?? FireflyError("no value is of the schema", at: place)
    }
    return value
  }

  /// All rules, the first of which is `whole`.
  func rules(of whole: TextPattern) -> [TextPattern] { [whole] + rules.dropFirst() }

  /// Parts of a schema, each of which is a rule.
  private static let mostRules = 10_000
  private static let deepest = 100
  /// Values that are checked one by one for what stands beside them.
  private static let mostChecked = 5000
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
    rules[number] = try possible { try $0.pattern(schema, place) }
    return number
  }

  /// A part; without a text where its keywords contradict each other.
  private mutating func possible(
    _ part: (inout JSONSchema) throws -> TextPattern
  ) throws -> TextPattern {
    do {
      return try part(&self)
    } catch let contradiction as SchemaContradiction {
      contradictions.append(contradiction.reason)
      return .choice([])
    }
  }

  private mutating func pattern(_ schema: OrderedJSON, _ place: String) throws -> TextPattern {
    if schema == .bool(true) { return .rule(JSONGrammar.value) }
    if schema == .bool(false) { throw SchemaContradiction("false of the schema allows no value", at: place) }
    guard let members = schema.object.map(SchemaDialect.translated) else {
      throw SchemaKeywords.wrong("a schema", "an object, true or false", schema, place)
    }
    let keywords = SchemaKeywords(members, place)
    try keywords.refuseUnknown()
    if SchemaMerge.isNeeded(members) { return .rule(try merged(.object(members), place)) }
    if let name = keywords["$ref"] { return .rule(try reference(name, place)) }
    if let values = try values(keywords) { return .choice(values.map { .text($0.unordered.text()) }) }
    if let parts = try keywords.alternatives() {
      if keywords["oneOf"] != nil { try checkApart(parts) }
      return .choice(try parts.map { .rule(try rule($0.schema, $0.place)) })
    }
    var types = try keywords.types()
    guard !types.isEmpty || !keywords.excluded.isEmpty else { return .rule(JSONGrammar.value) }
    if types.isEmpty { types = SchemaKeywords.allTypes }
    return .choice(try types.map { type in try possible { try $0.pattern(of: type, keywords) } })
  }

  private mutating func pattern(of type: String, _ keywords: SchemaKeywords) throws -> TextPattern {
    let excluded = keywords.excluded.flatMap { $0["enum"]?.array ?? [] }
    switch type {
    case "null": return excluded.contains(.null) ? .choice([]) : JSONGrammar.null
    case "boolean":
      return .choice([true, false].filter { !excluded.contains(.bool($0)) }.map { .text("\($0)") })
    case "integer": return try keywords.integer()
    case "number": return try keywords.number()
    case "string": return try keywords.string(&notes)
    default:
      guard !excluded.contains(where: { SchemaKeywords.isOf(type, $0.unordered) }) else {
        throw FireflyError(
          "\"not\" with lists or objects as values is not supported", at: keywords.place,
          fix: "Leave it out, and check the answer for it.")
      }
      return try type == "array" ? list(keywords) : object(keywords)
    }
  }

  /// What `enum` or `const` allows, as far as the other keywords do; nil without either.
  private func values(_ keywords: SchemaKeywords) throws -> [OrderedJSON]? {
    guard let values = try keywords.values() else { return nil }
    let others = keywords.besideValues
    guard others.object?.isEmpty == true || values.count <= JSONSchema.mostChecked else {
      throw FireflyError(
        "the schema is too large", at: keywords.place,
        expected: "at most \(JSONSchema.mostChecked) values beside other keywords")
    }
    let fitting = try values.filter { try check.allows($0, others, keywords.place) }
    guard !fitting.isEmpty else {
      throw SchemaContradiction("none of the schema's values is of its other keywords", at: keywords.place)
    }
    return fitting
  }

  var check: SchemaCheck { SchemaCheck { [self] in try target(of: $0, $1).schema } }
  var merge: SchemaMerge { SchemaMerge { [self] in try target(of: $0, $1).schema } }

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
    let whole = try parts.compactMap { part -> (schema: OrderedJSON, place: String)? in
      do {
        return (try merge.flattened(part.schema, part.place), part.place)
      } catch is SchemaContradiction {
        return nil
      }
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
}
