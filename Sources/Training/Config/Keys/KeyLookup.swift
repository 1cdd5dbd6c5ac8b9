import FireflyBase

/// What a name is in a configuration.
package enum KeyLookup {
  /// A key that Firefly follows.
  case own(KeyDeclaration)
  /// A key that is accepted or refused and steers nothing; what becomes of it.
  case foreign(String)
  /// A key of another trainer; what to write in its place.
  case elsewhere(String)

  /// - Throws: `FireflyError` with the nearest key for a name that is nobody's.
  package init(_ name: String) throws {
    if let key = ConfigKeys.named(name) {
      self = .own(key)
    } else if let fate = KeyLookup.fate(of: name) {
      self = .foreign(fate)
    } else if let advice = KeysElsewhere.advice(on: name) {
      self = .elsewhere(advice)
    } else {
      throw FireflyError("unknown key \"\(name)\"", fix: UnknownKey.advice(on: name))
    }
  }

  private static func fate(of name: String) -> String? {
    if let new = FormerKeys.renamed[name] { return "The former name of \"\(new)\", which is set by it." }
    return switch ForeignKeys.table[name] {
    case nil: nil
    case .harmless: "Accepted, and changes nothing here, whatever its value."
    case .told(let quiet, let why): "Accepted, and told \(unless(quiet)): \(why)."
    case .refused(let accepted, let why): "Refused \(unless(accepted)): \(why)."
    }
  }

  private static func unless(_ values: [JSONValue]) -> String {
    values.isEmpty
      ? "when given" : "unless it is " + (values.map { $0.text() } + ["null"]).joined(separator: ", ")
  }
}

extension KeyDeclaration {
  /// All that is known of the key, by name.
  package func json(_ language: KeyLanguage) -> JSONValue {
    var members: [String: JSONValue] = [
      "key": .string(name), "values": .string(shape.words(language)),
      "choices": .array(shape.completions.map(JSONValue.string)), "required": .bool(standard == .required),
      "default": .null, "meaning": .string(about.meaning[language]), "example": about.example,
      "origin": .string(about.origin.name[language]),
      "unit": about.unit.map { .string($0[language]) } ?? .null,
      "task_type": .array(about.trainings.tasks.map { .string($0.rawValue) }),
      "train_mode": .array(about.trainings.modes.map { .string($0.rawValue) }),
    ]
    switch standard {
    case .required: break
    case .value(let value): members["default"] = value
    case .told(let text): members["default_note"] = .string(text[language])
    }
    return .object(members)
  }
}
