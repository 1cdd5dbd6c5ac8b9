import FireflyBase

/// Several schemas that hold together, as one: `allOf`, what stands beside `anyOf`, `oneOf` and `$ref`, and what says the same as
/// those: `not`, `if`, `dependentRequired` and `dependentSchemas`.
struct SchemaMerge {
  /// The schema that a `$ref` at a place names.
  let target: (_ reference: OrderedJSON, _ place: String) throws -> OrderedJSON

  private static let combining = ["$ref", "allOf", "anyOf", "oneOf"]
  /// What is said by those.
  private static let conditional = ["not", "if", "then", "else", "dependentRequired", "dependentSchemas"]

  /// Whether a schema has more than one part that must hold.
  static func isNeeded(_ members: JSONMembers) -> Bool {
    let spoken = members.keys.filter { !SchemaKeywords.silent.contains($0) }
    if spoken.contains(where: { $0 != "not" && conditional.contains($0) }) { return true }
    if let other = members["not"], !SchemaNegation.isPlain(other) { return true }
    return members["allOf"] != nil || spoken.contains(where: combining.contains) && spoken.count > 1
  }

  /// The schema without `$ref` and `allOf`, and with `anyOf` or `oneOf` only where nothing stands beside it.
  ///
  /// - Throws: `FireflyError` for keywords that cannot hold together, or not as one.
  func flattened(_ schema: OrderedJSON, _ place: String, depth: Int = 0) throws -> OrderedJSON {
    guard let members = schema.object.map(SchemaDialect.translated) else { return schema }
    guard depth < 50 else {
      throw FireflyError(
        "a part of the schema is itself, with nothing around it", at: place,
        fix: "Take the $ref out of the circle.")
    }
    try SchemaKeywords(members, place).refuseUnknown()
    var plain = JSONMembers()
    for entry in members.entries
    where !(Self.combining + Self.conditional).contains(entry.key)
      && !SchemaKeywords.silent.contains(entry.key)
    {
      plain[entry.key] = entry.value
    }
    if let value = plain["const"] {
      plain["const"] = nil
      plain["enum"] =
        try plain["enum"].map { try both($0, .array([value]), of: "enum", place) } ?? .array([value])
    }
    var whole = OrderedJSON.object(plain)
    if let reference = members["$ref"] {
      whole = try merged(whole, flattened(target(reference, place), place, depth: depth + 1), place)
    }
    for part in members["allOf"] == nil ? [] : try SchemaKeywords(members, place).parts("allOf") {
      whole = try merged(whole, flattened(part, place, depth: depth + 1), place)
    }
    for keyword in ["anyOf", "oneOf"] where members[keyword] != nil {
      let parts = try SchemaKeywords(members, place).parts(keyword)
      whole = try merged(whole, .object([keyword: .array(parts)]), place)
    }
    for part in try conditions(members, place, depth) { whole = try merged(whole, part, place) }
    return whole
  }

  /// What the conditional keywords say, in the words of the others.
  private func conditions(_ members: JSONMembers, _ place: String, _ depth: Int) throws -> [OrderedJSON] {
    func any(_ parts: [OrderedJSON]) -> OrderedJSON { .object(["anyOf": .array(parts)]) }
    func all(_ parts: [OrderedJSON]) -> OrderedJSON { .object(["allOf": .array(parts)]) }
    func absent(_ name: String) -> OrderedJSON { .object(["properties": .object([name: .bool(false)])]) }
    var found: [OrderedJSON] = []
    if let other = members["not"] {
      if SchemaNegation.isPlain(other) {
        found.append(.object(["not": other]))
      } else {
        let parts = try SchemaNegation(target: target).parts(not: other, place)
        guard !parts.isEmpty else {
          throw SchemaContradiction("\"not\" of the schema leaves no value", at: place)
        }
        found.append(parts.count == 1 ? try flattened(parts[0], place, depth: depth + 1) : any(parts))
      }
    }
    if let condition = members["if"] {
      found.append(
        any([
          all([condition, members["then"] ?? .bool(true)]),
          all([.object(["not": condition]), members["else"] ?? .bool(true)]),
        ]))
    }
    for keyword in ["dependentRequired", "dependentSchemas"] {
      guard let value = members[keyword] else { continue }
      guard let entries = value.object?.entries,
        keyword == "dependentSchemas" || entries.allSatisfy({ $0.value.array != nil })
      else { throw SchemaKeywords.wrong(keyword, "an object", value, place) }
      for entry in entries {
        let names = [.string(entry.key)] + (entry.value.array ?? [])
        let present = OrderedJSON.object(["required": .array(names)])
        found.append(
          any([absent(entry.key), entry.value.array == nil ? all([present, entry.value]) : present]))
      }
    }
    return found
  }

  /// Both of two flattened schemas.
  private func merged(_ first: OrderedJSON, _ second: OrderedJSON, _ place: String) throws -> OrderedJSON {
    if first == .bool(false) || second == .bool(false) { return .bool(false) }
    guard let own = first.object, !own.isEmpty, let others = second.object else {
      return second == .bool(true) || second.object?.isEmpty == true ? first : second
    }
    if others.isEmpty { return first }
    for keyword in ["anyOf", "oneOf"] {
      // Members keep the order in which the schemas name them.
      if let parts = own[keyword]?.array {
        return .object([keyword: .array(parts.map { .object(["allOf": .array([$0, second])]) })])
      }
      if let parts = others[keyword]?.array {
        return .object([keyword: .array(parts.map { .object(["allOf": .array([first, $0])]) })])
      }
    }
    return .object(try together(own, others, place))
  }

  private func together(_ first: JSONMembers, _ second: JSONMembers, _ place: String) throws -> JSONMembers {
    var whole = first
    for entry in second.entries where entry.value != first[entry.key] {
      guard let own = first[entry.key] else {
        whole[entry.key] = entry.value
        continue
      }
      whole[entry.key] = try both(own, entry.value, of: entry.key, place)
    }
    let properties = try Self.closed(first, by: second, place) + Self.closed(second, by: first, place)
    var united = JSONMembers()
    for (name, schema) in properties {
      united[name] =
        united[name].map { $0 == schema ? $0 : .object(["allOf": .array([$0, schema])]) } ?? schema
    }
    if !united.isEmpty || whole["properties"] != nil { whole["properties"] = .object(united) }
    return whole
  }

  /// The properties that a schema lists, as far as another allows more than it lists itself.
  private static func closed(
    _ own: JSONMembers, by other: JSONMembers, _ place: String
  ) throws -> [(String, OrderedJSON)] {
    let listed = own["properties"]?.object?.entries ?? []
    guard let rest = other["additionalProperties"], rest != .bool(true) else {
      return listed.map { ($0.key, $0.value) }
    }
    guard own["patternProperties"] == nil else { throw unsupported("patternProperties", place) }
    let patterns = try (other["patternProperties"]?.object?.keys ?? []).map {
      try RegularPattern($0, at: place)
    }
    return try listed.compactMap { entry in
      let isOther = try patterns.contains { try $0.allows(entry.key) }
      if isOther || other["properties"]?[entry.key] != nil { return (entry.key, entry.value) }
      return rest == .bool(false)
        ? nil : (entry.key, .object(["allOf": .array([entry.value, rest])]))
    }
  }

  /// Two values of one keyword.
  private func both(
    _ first: OrderedJSON, _ second: OrderedJSON, of keyword: String, _ place: String
  ) throws -> OrderedJSON {
    switch keyword {
    case "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties":
      return try Self.larger(first, second, place)
    case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties":
      return try Self.larger(first, second, place) == first ? second : first
    case "uniqueItems": return .bool(first == .bool(true) || second == .bool(true))
    case "not":
      return .object(["anyOf": .array((first["anyOf"]?.array ?? []) + (second["anyOf"]?.array ?? []))])
    case "multipleOf":
      guard let own = Multiple(first.unordered), let other = Multiple(second.unordered),
        let common = own.common(with: other)
      else { throw Self.unsupported(keyword, place) }
      return common
    case "properties": return first  // united by who calls
    case "required":
      let names = first.array ?? []
      return .array(names + (second.array ?? []).filter { !names.contains($0) })
    case "items", "additionalProperties":
      if first == .bool(false) || second == .bool(false) { return .bool(false) }
      return .object(["allOf": .array([first, second])])
    case "type": return try Self.types(first, second, place)
    case "enum":
      let shared = (first.array ?? []).filter { value in
        second.array?.contains { SchemaCheck.areSame($0, value) } == true
      }
      guard !shared.isEmpty else {
        throw SchemaContradiction("values that must hold together are different", at: place)
      }
      return .array(shared)
    default: throw Self.unsupported(keyword, place)
    }
  }

  private static func larger(_ first: OrderedJSON, _ second: OrderedJSON, _ place: String) throws
    -> OrderedJSON
  {
    guard let own = first.unordered.double, let other = second.unordered.double else {
      throw SchemaKeywords.wrong("a bound", "a number", first.unordered.double == nil ? first : second, place)
    }
    return own >= other ? first : second
  }

  private static func types(_ first: OrderedJSON, _ second: OrderedJSON, _ place: String) throws
    -> OrderedJSON
  {
    func names(_ value: OrderedJSON) -> [String] { (value.array ?? [value]).compactMap(\.string) }
    let (own, others) = (names(first), names(second))
    var shared = own.filter(others.contains)
    // A whole number is a number.
    for (names, wider) in [(own, others), (others, own)] {
      if names.contains("integer"), wider.contains("number"), !shared.contains("number"),
        !shared.contains("integer")
      {
        shared.append("integer")
      }
    }
    guard !shared.isEmpty else {
      throw SchemaContradiction("schemas that must hold together are of different types", at: place)
    }
    return shared.count == 1 ? .string(shared[0]) : .array(shared.map(OrderedJSON.string))
  }

  private static func unsupported(_ keyword: String, _ place: String) -> FireflyError {
    FireflyError(
      "\"\(keyword)\" of schemas that must hold together (\"allOf\") is not supported where they differ",
      at: place, fix: "Write them as one schema.")
  }
}
