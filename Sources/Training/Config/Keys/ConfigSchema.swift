import FireflyBase

/// The JSON Schema (draft 2020-12) of a configuration, by which editors complete and check it.
///
/// It says of each key by itself what the reader says; how keys go together is the reader's alone.
package enum ConfigSchema {
  package static func json(_ language: KeyLanguage) -> JSONValue {
    let own = ConfigKeys.all.map { ($0.name, property($0, language)) }
    let foreign = ForeignKeys.table.map { ($0.key, property($0.value, language)) }
    let renamed = FormerKeys.renamed.compactMap { old, new in
      ConfigKeys.named(new).map { (old, former($0, language)) }
    }
    return .object([
      "$schema": .string("https://json-schema.org/draft/2020-12/schema"),
      "title": .string(Wording("A training run of Firefly", "Firefly 训练配置")[language]),
      "type": .string("object"),
      "required": .array(ConfigKeys.all.filter { $0.standard == .required }.map { .string($0.name) }),
      "properties": .object(Dictionary(uniqueKeysWithValues: own + foreign + renamed)),
      "additionalProperties": .bool(false),
    ])
  }

  private static func property(_ key: KeyDeclaration, _ language: KeyLanguage) -> JSONValue {
    var members = key.shape.schema(isNullAllowed: key.standard != .required)
    var description = key.about.meaning[language]
    if let unit = key.about.unit { description += " (\(unit[language]))" }
    switch key.standard {
    case .required: break
    case .value(let value): members["default"] = value
    case .told(let text): description += Wording(" Default: ", " 默认值：")[language] + text[language]
    }
    members["description"] = .string(description)
    members["examples"] = .array([key.about.example])
    return .object(members)
  }

  private static func former(_ key: KeyDeclaration, _ language: KeyLanguage) -> JSONValue {
    var members = key.shape.schema(isNullAllowed: true)
    members["deprecated"] = .bool(true)
    members["description"] = .string(
      Wording("The former name of \(key.name).", "\(key.name) 的旧名。")[language])
    return .object(members)
  }

  private static func property(_ rule: ForeignKeys.Rule, _ language: KeyLanguage) -> JSONValue {
    switch rule {
    case .harmless:
      return .object([
        "description": .string(Wording("Accepted; changes nothing here.", "可以填写，但在此不起作用。")[language])
      ])
    case .told(_, let why):
      return .object(["description": .string(Wording("Not followed: ", "不生效：")[language] + why)])
    case .refused(let accepted, let why):
      return .object([
        "enum": .array(accepted + [.null]),
        "description": .string(Wording("Not supported: ", "不支持：")[language] + why),
      ])
    }
  }
}

extension KeyShape {
  /// The schema's members that say what is accepted.
  fileprivate func schema(isNullAllowed: Bool) -> [String: JSONValue] {
    guard isNullAllowed else { return members }
    switch self {
    case .names(let names): return ["enum": .array(names.map(JSONValue.string) + [.null])]
    case .either(let shapes):
      return ["anyOf": .array(shapes.map { .object($0.members) } + [.object(["type": .string("null")])])]
    default:
      var members = members
      if let type = members["type"] { members["type"] = .array([type, .string("null")]) }
      return members
    }
  }

  private var members: [String: JSONValue] {
    switch self {
    case .text(let isEmptyAllowed, let words):
      var members: [String: JSONValue] = ["type": .string("string")]
      if !isEmptyAllowed { members["minLength"] = .int(1) }
      if !words.isEmpty { members["examples"] = .array(words.map(JSONValue.string)) }
      return members
    case .flag: return ["type": .string("boolean")]
    case .whole(let range):
      return [
        "type": .string("integer"), "minimum": .int(range.lowerBound), "maximum": .int(range.upperBound),
      ]
    case .number(let range, let above):
      var members: [String: JSONValue] = ["type": .string("number")]
      members[above ? "exclusiveMinimum" : "minimum"] = .double(range.lowerBound)
      if range.upperBound.isFinite { members["maximum"] = .double(range.upperBound) }
      return members
    case .part:
      return ["type": .string("number"), "exclusiveMinimum": .int(0), "exclusiveMaximum": .int(1)]
    case .size: return ["type": .string("string"), "pattern": .string(MemoryLimit.pattern)]
    case .names(let names): return ["enum": .array(names.map(JSONValue.string))]
    case .list(let element, _, let isEmptyAllowed):
      var members: [String: JSONValue] = ["type": .string("array"), "items": .object(element.members)]
      if !isEmptyAllowed { members["minItems"] = .int(1) }
      return members
    case .members(let list):
      guard let first = list.first else { return ["type": .string("object")] }
      let properties = list.map { ($0.name, JSONValue.object($0.shape.schema(isNullAllowed: $0 != first))) }
      return [
        "type": .string("object"), "required": .array([.string(first.name)]),
        "properties": .object(Dictionary(uniqueKeysWithValues: properties)),
        "additionalProperties": .bool(false),
      ]
    case .either(let shapes): return ["anyOf": .array(shapes.map { .object($0.members) })]
    }
  }
}
