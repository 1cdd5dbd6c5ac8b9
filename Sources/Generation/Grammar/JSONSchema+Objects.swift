import FireflyBase

/// Objects of a schema.
extension JSONSchema {
  /// An entry of `patternProperties`.
  private struct Named {
    let expression: RegularPattern
    let schema: OrderedJSON
  }

  mutating func object(_ keywords: SchemaKeywords) throws -> TextPattern {
    let (least, most) = try keywords.bounds("minProperties", "maxProperties")
    let required = try keywords.required()
    let properties = try keywords.properties() ?? [:]
    let patterns = try named(keywords)
    let isSilent = properties.isEmpty && required.isEmpty && patterns.isEmpty
    let additional = keywords["additionalProperties"] ?? (isSilent ? .bool(true) : nil)
    let names = properties.keys + required.filter { properties[$0] == nil }
    let needed = Set(required)
    let members = try names.map { name in
      let schema = try listed(name, properties[name], patterns, additional, keywords)
      return PatternGraph.Member(
        pattern: JSONGrammar.member(
          .text(JSONValue.string(name).text()), try rule(schema, "\(keywords.place).properties.\(name)")),
        isRequired: needed.contains(name))
    }
    let further = try further(names, patterns, additional, keywords)
    guard further == nil || least <= names.count + 1 else {
      throw FireflyError(
        "\"minProperties\" is supported for members that are listed and one more", at: keywords.place,
        fix: "List members in \"properties\", or leave it out, and check the answer for it.")
    }
    guard (names.count + 2) * max(least, most ?? 0) <= ByteGrammar.mostNodes else {
      throw FireflyError(
        "the bound is too large", at: keywords.place, expected: "at most \(ByteGrammar.mostNodes)")
    }
    return JSONGrammar.object(members, further: further, atLeast: least, atMost: most)
  }

  private func named(_ keywords: SchemaKeywords) throws -> [Named] {
    guard let value = keywords["patternProperties"] else { return [] }
    guard let entries = value.object?.entries else {
      throw SchemaKeywords.wrong("patternProperties", "an object", value, keywords.place)
    }
    // Each set of them may be what a name is of.
    guard entries.count <= 4 else {
      throw FireflyError(
        "\"patternProperties\" is supported with at most 4 patterns", at: keywords.place,
        found: "\(entries.count)")
    }
    return try entries.map {
      Named(
        expression: try RegularPattern($0.key, at: keywords.place + ".patternProperties"), schema: $0.value)
    }
  }

  /// The schema of a member that is listed in `properties` or `required`.
  private func listed(
    _ name: String, _ own: OrderedJSON?, _ patterns: [Named], _ additional: OrderedJSON?,
    _ keywords: SchemaKeywords
  ) throws -> OrderedJSON {
    if let names = keywords["propertyNames"],
      try !check.allows(.string(name), names, keywords.place + ".propertyNames")
    {
      return .bool(false)
    }
    let matching = try patterns.filter { try $0.expression.allows(name) }.map(\.schema)
    let parts = (own.map { [$0] } ?? []) + matching
    if !parts.isEmpty { return parts.count == 1 ? parts[0] : .object(["allOf": .array(parts)]) }
    guard additional != .bool(false) else {
      throw SchemaContradiction(
        "\"required\" names a member that \"additionalProperties\" leaves out", at: keywords.place,
        found: name)
    }
    return additional ?? .bool(true)
  }

  /// Members with other names than those that are listed; nil where there are none. Without a word of them there are none.
  private mutating func further(
    _ listed: [String], _ patterns: [Named], _ additional: OrderedJSON?, _ keywords: SchemaKeywords
  ) throws -> TextPattern? {
    let place = keywords.place
    let rest = additional == .bool(false) ? nil : additional
    guard !patterns.isEmpty || rest != nil else { return nil }
    guard !patterns.isEmpty || keywords["propertyNames"] != nil else {
      let key = listed.isEmpty ? JSONGrammar.string() : JSONGrammar.string(otherThan: listed)
      return JSONGrammar.member(key, try rule(rest ?? .bool(true), place + ".additionalProperties"))
    }
    // The names of each set of patterns, and of none of the others.
    let expressions = try patterns.map { try ByteAutomaton($0.expression.pattern) }
    let free = try names(otherThan: listed, keywords)
    var members: [TextPattern] = []
    for set in 0..<1 << patterns.count {
      let schemas = patterns.indices.filter { set >> $0 & 1 == 1 }.map { patterns[$0].schema }
      guard let schema = schemas.isEmpty ? rest : .object(["allOf": .array(schemas)]) else { continue }
      var key = free
      for (index, expression) in expressions.enumerated() {
        key = try set >> index & 1 == 1 ? key.cut(with: expression) : key.without(expression)
      }
      members.append(
        JSONGrammar.member(
          .sequence([.text("\""), key.pattern, .text("\"")]), try rule(schema, place + ".patternProperties")))
    }
    return .choice(members)
  }

  /// The names that `propertyNames` allows, without quotation marks.
  private mutating func names(otherThan listed: [String], _ keywords: SchemaKeywords) throws -> ByteAutomaton
  {
    let place = keywords.place + ".propertyNames"
    var names = TextPattern.characters()
    if let schema = keywords["propertyNames"] {
      let texts = OrderedJSON.object(["allOf": .array([schema, .object(["type": .string("string")])])])
      guard let members = try merge.flattened(texts, place).object,
        !["enum", "anyOf", "oneOf"].contains(where: { members[$0] != nil })
      else {
        throw FireflyError(
          "\"propertyNames\" is supported with values alone, or with keywords of strings", at: place,
          fix: "Leave it out, and check the answer for it.")
      }
      names = try SchemaKeywords(members, place).characters(&notes)
    }
    return try ByteAutomaton(names).without(ByteAutomaton(.choice(listed.map { .characters(of: $0) })))
  }
}
