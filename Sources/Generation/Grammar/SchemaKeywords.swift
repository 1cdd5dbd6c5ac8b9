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
    "number": ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"], "boolean": [], "null": [],
    "array": ["items", "prefixItems", "minItems", "maxItems", "uniqueItems"],
    "object": ["properties", "patternProperties", "required", "additionalProperties"],
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
    guard members["uniqueItems"].map({ $0 == .bool(false) }) ?? true else {
      throw FireflyError(
        "the schema's keyword \"uniqueItems\" is not supported", at: place,
        fix: "Leave it out, and check the answer for it.")
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
      return try ofType([value])
    }
    guard let value = members["enum"] else { return nil }
    try allow(["enum", "type"])
    guard let list = value.array, !list.isEmpty else {
      throw SchemaKeywords.wrong("enum", "a list of at least one value", value, place)
    }
    return try ofType(list)
  }

  private func ofType(_ values: [OrderedJSON]) throws -> [OrderedJSON] {
    guard members["type"] != nil else { return values }
    let types = try types()
    let fitting = values.filter { value in types.contains { SchemaKeywords.isOf($0, value.unordered) } }
    guard !fitting.isEmpty else { throw FireflyError("no value of the schema's is of its type", at: place) }
    return fitting
  }

  private static func isOf(_ type: String, _ value: JSONValue) -> Bool {
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

  /// - Parameter notes: is told of a format that is not held to.
  func string(_ notes: inout [String]) throws -> TextPattern {
    let (least, most) = try bounds("minLength", "maxLength")
    guard let content = try content(&notes) else { return JSONGrammar.string(atLeast: least, atMost: most) }
    let longest = content.most ?? .max
    guard content.least >= least, most.map({ longest <= $0 }) ?? true else {
      let keyword = members["pattern"] == nil ? "format" : "pattern"
      throw FireflyError(
        "\"\(keyword)\" beside a length that it may break is not supported", at: place,
        fix: "Leave \(content.least < least ? "minLength" : "maxLength") out, and check the answer for it.")
    }
    return .sequence([.text("\""), content.pattern, .text("\"")])
  }

  /// What `pattern` or `format` asks for within the quotation marks, and its lengths in characters.
  private func content(
    _ notes: inout [String]
  ) throws -> (pattern: TextPattern, least: Int, most: Int?)? {
    let format = try text("format")
    let known = format.flatMap { StringFormat.patterns[$0] }
    if let pattern = try text("pattern") {
      do {
        let expression = try RegularPattern(pattern, at: place)
        if let format { notes.append(notHeld("format", format)) }
        return (expression.pattern, expression.least, expression.most)
      } catch {
        // Zod writes both, and means the same.
        guard known != nil else { throw error }
        notes.append(notHeld("pattern", pattern))
      }
    }
    guard let format else { return nil }
    guard let known else {
      notes.append(notHeld("format", format))
      return nil
    }
    let counts = known.byteCounts  // all of them ASCII
    return (known, counts.least, counts.most)
  }

  private func text(_ keyword: String) throws -> String? {
    guard let value = members[keyword] else { return nil }
    guard let text = value.string else { throw SchemaKeywords.wrong(keyword, "a string", value, place) }
    return text
  }

  private func notHeld(_ keyword: String, _ value: String) -> String {
    "The schema's \"\(keyword)\": \"\(value.prefix(60))\" is not held to (at \(place))."
  }

  /// The bounds of a number; nil for one without any. A bound that lies beyond all numbers that are written is none: safe integers
  /// of JavaScript, and those of 64 bits.
  private func range() throws -> NumberRange? {
    func bound(_ keyword: String) throws -> NumberRange.Bound? {
      guard let value = members[keyword] else { return nil }
      let isLower = keyword.hasSuffix("inimum")
      if let number = value.unordered.double, abs(number) >= Double(IntegerRange.limit),
        (number < 0) == isLower
      {
        return nil
      }
      guard let bound = NumberRange.Bound(value.unordered, isExclusive: keyword.hasPrefix("exclusive")) else {
        throw SchemaKeywords.wrong(
          keyword, "a number of at most 15 digits before the point and 16 behind it", value, place)
      }
      return bound
    }
    // Of two bounds that are the same, the one that leaves the number itself out.
    let lower = [try bound("exclusiveMinimum"), try bound("minimum")].compactMap(\.self)
      .max { $0.isBelow($1) || !$1.isBelow($0) && $1.isExclusive }
    let upper = [try bound("exclusiveMaximum"), try bound("maximum")].compactMap(\.self)
      .min { $0.isBelow($1) || !$1.isBelow($0) && $0.isExclusive }
    let hasBounds = !SchemaKeywords.ofTypes["number", default: []].isDisjoint(with: members.keys)
    return hasBounds ? NumberRange(lower: lower, upper: upper) : nil
  }

  func number() throws -> TextPattern {
    guard let range = try range() else { return JSONGrammar.number }
    guard let pattern = range.pattern else {
      throw FireflyError("no number is within the schema's bounds", at: place)
    }
    return pattern
  }

  func integer() throws -> TextPattern {
    guard let range = try range() else { return JSONGrammar.integer }
    let whole = IntegerRange(
      range.lower?.leastWhole ?? -IntegerRange.limit + 1, range.upper?.mostWhole ?? IntegerRange.limit - 1)
    guard let pattern = whole.pattern else {
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
