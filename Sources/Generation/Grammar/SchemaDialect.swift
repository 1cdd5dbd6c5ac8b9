import FireflyBase

/// Words of other versions of JSON Schema, in those of the newest: OpenAPI's, draft 4's and 7's, and names of members in a form
/// that grammars have.
enum SchemaDialect {
  static func translated(_ members: JSONMembers) -> JSONMembers {
    var members = members
    for key in members.keys where key.hasPrefix("x-") { members[key] = nil }
    takeExclusive(&members)
    takeItems(&members)
    takePropertyNames(&members)
    takeDependencies(&members)
    guard let isNullable = members["nullable"]?.bool else { return members }
    members["nullable"] = nil
    guard isNullable else { return members }
    return ["anyOf": .array([.object(members), .object(["type": .string("null")])])]
  }

  /// Draft 4: whether a bound is out of the range, beside it.
  private static func takeExclusive(_ members: inout JSONMembers) {
    for (flag, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
      guard let isExclusive = members[flag]?.bool else { continue }
      members[flag] = isExclusive ? members[bound] : nil
      if isExclusive { members[bound] = nil }
    }
  }

  /// Draft 7: a list of schemas in `items` is the first items', and `additionalItems` the others'.
  private static func takeItems(_ members: inout JSONMembers) {
    if let first = members["items"], first.array != nil {
      members["prefixItems"] = first
      members["items"] = members["additionalItems"]
    }
    members["additionalItems"] = nil
  }

  /// Drafts up to 7: what a member asks for is a list of others, or a schema.
  private static func takeDependencies(_ members: inout JSONMembers) {
    guard let dependencies = members["dependencies"]?.object else { return }
    members["dependencies"] = nil
    for keyword in ["dependentRequired", "dependentSchemas"] {
      var own = members[keyword]?.object ?? JSONMembers()
      for entry in dependencies.entries where (entry.value.array != nil) == (keyword == "dependentRequired") {
        own[entry.key] = entry.value
      }
      if !own.isEmpty { members[keyword] = .object(own) }
    }
  }

  /// Names that are listed are properties, and names of a pattern are `patternProperties`.
  private static func takePropertyNames(_ members: inout JSONMembers) {
    guard let names = members["propertyNames"] else { return }
    let said = (names.object?.entries ?? []).filter {
      !SchemaKeywords.silent.contains($0.key) && !($0.key == "type" && $0.value == .string("string"))
    }
    guard said.count < 2, names == .bool(true) || names.object != nil, members["patternProperties"] == nil
    else { return }
    let values = members["additionalProperties"] ?? .bool(true)
    switch said.first?.key {
    case nil: members["propertyNames"] = nil
    case "enum", "const":
      let listed = (said[0].value.array ?? [said[0].value]).compactMap(\.string)
      var properties = JSONMembers()
      for name in listed { properties[name] = members["properties"]?[name] ?? values }
      members["properties"] = .object(properties)
    case "pattern" where members["properties"] == nil && members["required"] == nil:
      members["patternProperties"] = .object([said[0].value.string ?? "": values])
    default: return
    }
    if !said.isEmpty { members["additionalProperties"] = .bool(false) }
    members["propertyNames"] = nil
  }
}
