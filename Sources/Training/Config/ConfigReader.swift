import FireflyBase

/// Takes typed values out of a flat JSON object and gathers everything that is wrong with it.
///
/// Reading goes on after a wrong value, so that the owner hears of all of them at once.
struct ConfigReader {
  private let values: [String: JSONValue]
  private let source: String
  /// Keys given by `--set`, named so in errors.
  private let overridden: Set<String>
  private var problems: [FireflyError] = []

  init(_ json: JSONValue, source: String, overridden: Set<String>) throws {
    guard case .object(let values) = json else {
      throw FireflyError("not a configuration", at: source, expected: "one JSON object", found: json.kind)
    }
    self.values = values
    self.source = source
    self.overridden = overridden
  }

  // MARK: - Values

  /// What the configuration says of `key`, or what holds without it.
  mutating func value<Value>(_ key: ConfigKey<Value>) -> Value {
    precondition(ConfigKeys.named(key.name) != nil, "\(key.name) is not in the table of keys")
    guard let value = member(key.name) else {
      if key.declaration.standard == .required {
        problem("\"\(key.name)\" is missing", key: key.name, expected: key.declaration.shape.expected)
      }
      return key.fallback
    }
    if let fault = key.declaration.shape.fault(in: value) {
      problem(
        "\"\(key.name)\" has a wrong value\(fault.place)", key: key.name, expected: fault.expected,
        found: fault.found, fix: fault.fix)
      return key.fallback
    }
    guard let converted = key.read(value) else {
      preconditionFailure("\(key.name) accepts \(value.text()) and cannot read it")
    }
    return converted
  }

  /// Whether the configuration says anything of the key.
  func has(_ key: KeyDeclaration) -> Bool { member(key.name) != nil }

  func has<Value>(_ key: ConfigKey<Value>) -> Bool { has(key.declaration) }

  /// A value as it stands; nil when absent or null.
  func member(_ name: String) -> JSONValue? { values[name].flatMap { $0 == .null ? nil : $0 } }

  // MARK: - Errors

  /// Records that `key` has a value that does not fit others.
  mutating func wrong<Value>(_ key: ConfigKey<Value>, expected: String, found: String, fix: String? = nil) {
    problem("\"\(key.name)\" has a wrong value", key: key.name, expected: expected, found: found, fix: fix)
  }

  mutating func problem(
    _ what: String, key: String? = nil, expected: String? = nil, found: String? = nil, fix: String? = nil
  ) {
    let place = key.map { overridden.contains($0) ? "--set \($0)" : source } ?? source
    problems.append(FireflyError(what, at: place, expected: expected, found: found, fix: fix))
  }

  /// Throws what has gathered, unknown keys first.
  mutating func finish() throws {
    let gathered = problems
    problems = []
    for key in values.keys.sorted() where ConfigKeys.named(key) == nil && !ForeignKeys.knows(key) {
      problem("unknown key \"\(key)\"", key: key, fix: UnknownKey.advice(on: key))
    }
    problems += gathered
    guard problems.count != 1 else { throw problems[0] }
    guard problems.isEmpty else {
      let list = problems.map { "\n  - \($0)" }.joined()
      throw FireflyError("\(problems.count) settings are wrong:\(list)", at: source)
    }
  }
}

extension FireflyError {
  /// One of two values would be lost.
  static func keyTwice(_ key: String, at place: String) -> FireflyError {
    FireflyError("the key \"\(key)\" stands twice", at: place, fix: "Remove one of the two.")
  }
}
