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
  static let silent: Set = [
    "title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly",
    "$schema", "$id",
    "$comment", "$defs", "definitions", "discriminator", "contentMediaType", "contentEncoding",
  ]
  private static let ofTypes: [String: Set<String>] = [
    "string": ["minLength", "maxLength", "format", "pattern"], "integer": [],
    "number": ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"], "boolean": [],
    "null": [],
    "array": [
      "items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains",
    ],
    "object": [
      "properties", "patternProperties", "propertyNames", "required", "additionalProperties",
      "minProperties", "maxProperties", "dependentRequired", "dependentSchemas",
    ],
  ]
  static let allTypes = ["null", "boolean", "number", "string", "array", "object"]
  private static let ofAll: Set = [
    "type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "not", "if", "then", "else",
  ]
  private static let known = ofTypes.values.reduce(ofAll.union(silent)) { $0.union($1) }

  /// - Throws: `FireflyError` for a keyword that is not supported.
  func refuseUnknown() throws {
    for keyword in members.keys where !SchemaKeywords.known.contains(keyword) {
      throw FireflyError(
        "the schema's keyword \"\(keyword.prefix(60))\" is not supported", at: place,
        fix: "Leave it out, and check the answer for it.")
    }
  }

  // MARK: - One of several

  /// What `enum` or `const` lists; nil without either.
  func values() throws -> [OrderedJSON]? {
    if let value = members["const"] { return [value] }
    guard let value = members["enum"] else { return nil }
    guard let list = value.array, !list.isEmpty else {
      throw SchemaKeywords.wrong("enum", "a list of at least one value", value, place)
    }
    return list
  }

  /// The keywords beside the one that `values` reads, as a schema.
  var besideValues: OrderedJSON {
    var others = members
    others[members["const"] == nil ? "enum" : "const"] = nil
    return .object(others)
  }

  /// The parts of `not`, where it is one of those that are held to as they are.
  var excluded: [OrderedJSON] { members["not"]?["anyOf"]?.array ?? [] }

  static func isOf(_ type: String, _ value: JSONValue) -> Bool {
    switch value {
    case .null: type == "null"
    case .bool: type == "boolean"
    case .string: type == "string"
    case .array: type == "array"
    case .object: type == "object"
    case .int: type == "integer" || type == "number"
    case .double(let number): type == "number" || type == "integer" && number == number.rounded()
    }
  }

  /// The parts of `anyOf`, or of `oneOf` where they can be told apart.
  func alternatives() throws -> [(schema: OrderedJSON, place: String)]? {
    guard let keyword = ["anyOf", "oneOf"].first(where: { members[$0] != nil }) else { return nil }
    return try parts(keyword).enumerated().map { ($1, "\(place).\(keyword)[\($0)]") }
  }

  /// The schemas of a keyword that lists some.
  func parts(_ keyword: String) throws -> [OrderedJSON] {
    guard let parts = members[keyword]?.array, !parts.isEmpty else {
      throw SchemaKeywords.wrong(keyword, "a list of at least one schema", members[keyword] ?? .null, place)
    }
    return parts
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
      throw SchemaContradiction("\(most) is below \(least)", at: place)
    }
    return bounds
  }

  /// How many items must be of `contains`; nil without it.
  func contained() throws -> PatternGraph.Count? {
    guard members["contains"] != nil else { return nil }
    let most = try bounds("minContains", "maxContains").most
    let least = try count("minContains") ?? 1
    guard most.map({ $0 >= least }) ?? true else {
      throw SchemaContradiction("maxContains is below minContains", at: place)
    }
    return (least, most)
  }

  func flag(_ keyword: String) throws -> Bool {
    guard let value = members[keyword] else { return false }
    guard let flag = value.bool else { throw SchemaKeywords.wrong(keyword, "true or false", value, place) }
    return flag
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

  static func wrong(_ keyword: String, _ expected: String, _ found: OrderedJSON, _ place: String)
    -> FireflyError
  {
    let text = found.unordered.text()
    return FireflyError(
      "\(keyword) of the schema has a wrong value", at: place, expected: expected,
      found: text.count > 60 ? found.kind : text)
  }
}

/// Why no value is of a part of a schema; of the rest some may be.
struct SchemaContradiction: Error {
  let reason: FireflyError

  init(_ what: String, at place: String, found: String? = nil) {
    reason = FireflyError(what, at: place, found: found)
  }
}
