import FireflyBase

/// Lists of a schema.
extension JSONSchema {
  mutating func list(_ keywords: SchemaKeywords) throws -> TextPattern {
    let place = keywords.place
    let count = try keywords.bounds("minItems", "maxItems")
    if try keywords.flag("uniqueItems"), count.most ?? 2 > 1 { return try distinct(keywords, count) }
    let schemas = keywords["prefixItems"] == nil ? [] : try keywords.parts("prefixItems")
    let counted = try keywords.contained()
    let first = try schemas.enumerated().map {
      try items($1, "\(place).prefixItems[\($0)]", counted, keywords)
    }
    let isClosed = keywords["items"] == .bool(false)
    guard !isClosed || count.least <= first.count else {
      throw SchemaContradiction("minItems is more than the schema's items", at: place)
    }
    let others =
      isClosed
      ? [] : try items(keywords["items"] ?? .bool(true), place + ".items", counted, keywords)
    let places = max(first.count, count.least, count.most ?? 0) * max(counted?.least ?? 1, counted?.most ?? 1)
    guard places <= ByteGrammar.mostNodes else {
      throw FireflyError("the bound is too large", at: place, expected: "at most \(ByteGrammar.mostNodes)")
    }
    return JSONGrammar.list(
      PatternGraph.items(
        first: first, others: others, count, counted: counted ?? (0, nil),
        separator: JSONGrammar.comma))
  }

  /// What an item may be: of `contains`, and counted, or anything that the schema allows, where too many are no matter.
  private mutating func items(
    _ schema: OrderedJSON, _ place: String, _ counted: PatternGraph.Count?, _ keywords: SchemaKeywords
  ) throws -> [PatternGraph.Item] {
    func all(_ parts: OrderedJSON...) -> OrderedJSON { .object(["allOf": .array(parts)]) }
    guard let counted, let contained = keywords["contains"] else {
      return [PatternGraph.Item(pattern: .rule(try rule(schema, place)))]
    }
    let other = counted.most == nil ? schema : all(schema, .object(["not": contained]))
    let found = try rule(all(schema, contained), place)
    return [
      PatternGraph.Item(pattern: .rule(found), isCounted: true),
      PatternGraph.Item(pattern: .rule(try rule(other, place))),
    ]
  }

  // MARK: - uniqueItems

  /// A list whose items are all different: of values that are known beforehand.
  private mutating func distinct(_ keywords: SchemaKeywords, _ count: PatternGraph.Count) throws
    -> TextPattern
  {
    let place = keywords.place
    let item = keywords["items"] ?? .bool(true)
    guard keywords["prefixItems"] == nil, keywords["contains"] == nil,
      let values = try finite(item, place + ".items")
    else {
      throw FireflyError(
        "\"uniqueItems\" is supported for items of an \"enum\", and for at most one item", at: place,
        fix: "Leave it out, and check the answer for it.")
    }
    guard count.least <= values.count else {
      throw SchemaContradiction("minItems is more than there are different items", at: place)
    }
    let texts = values.map { TextPattern.text($0.unordered.text()) }
    if values.count <= PatternGraph.mostInAnyOrder {
      return JSONGrammar.list(.distinct(texts, count, separator: JSONGrammar.comma))
    }
    notes.append(
      "Items that \"uniqueItems\" keeps apart come in the order of the schema's values (at \(place)).")
    return JSONGrammar.list(
      .members(
        texts.map { PatternGraph.Member(pattern: $0) }, atLeast: count.least, atMost: count.most,
        separator: JSONGrammar.comma))
  }

  /// All values of a schema that has an end of them, each once; nil for others.
  private func finite(_ schema: OrderedJSON, _ place: String) throws -> [OrderedJSON]? {
    let whole = try merge.flattened(schema, place)
    guard let members = whole.object else { return whole == .bool(false) ? [] : nil }
    let keywords = SchemaKeywords(members, place)
    var found: [OrderedJSON] = []
    if let parts = try keywords.alternatives() {
      for part in parts {
        guard let values = try finite(part.schema, part.place) else { return nil }
        found += values
      }
    } else if let values = try keywords.values() {
      let others = keywords.besideValues
      found = try values.filter { try check.allows($0, others, place) }
    } else {
      let types = Set(try keywords.types())
      guard !types.isEmpty, types.isSubset(of: ["boolean", "null"]), keywords.excluded.isEmpty else {
        return nil
      }
      found =
        (types.contains("boolean") ? [.bool(true), .bool(false)] : [])
        + (types.contains("null") ? [.null] : [])
    }
    return found.reduce(into: []) { kept, value in
      if !kept.contains(where: { SchemaCheck.areSame($0, value) }) { kept.append(value) }
    }
  }
}
