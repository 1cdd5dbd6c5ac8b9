import FireflyBase
import FireflyTensors

/// Typed access to config.json whose errors name the file, the key, what was expected and what was found.
struct ConfigReader: Sendable {
  let config: JSONValue
  let source: String

  init(_ config: JSONValue, source: String) {
    self.config = config
    self.source = source
  }

  /// A whole number that sizes may be computed with: it fits 32 bits.
  func int(_ key: String, default fallback: Int? = nil) throws -> Int {
    let number = try value(key, "a whole number", fallback) { $0.int }
    guard Int32(exactly: number) != nil else {
      throw FireflyError(
        "the number is too large", at: "\(source): \(key)", expected: "at most \(Int32.max)",
        found: "\(number)")
    }
    return number
  }

  /// A whole number that can be divided by.
  func positive(_ key: String, default fallback: Int? = nil) throws -> Int {
    let number = try int(key, default: fallback)
    guard number > 0 else {
      throw FireflyError("must be positive", at: "\(source): \(key)", found: "\(number)")
    }
    return number
  }

  func float(_ key: String, default fallback: Float? = nil) throws -> Float {
    try value(key, "a number", fallback) { $0.double.map(Float.init) }
  }

  func bool(_ key: String, default fallback: Bool) throws -> Bool {
    try value(key, "true or false", fallback) { $0.bool }
  }

  func string(_ key: String, default fallback: String? = nil) throws -> String {
    try value(key, "a string", fallback) { $0.string }
  }

  /// The activation function under `key`, of those that the family has; the first when absent.
  func activation(_ key: String, _ supported: [(name: String, activation: Activation)]) throws -> Activation {
    try refuse(key, unless: supported.map { .string($0.name) })
    let name = try string(key, default: supported[0].name)
    return supported.first { $0.name == name }?.activation ?? supported[0].activation
  }

  /// A list of numbers.
  func floats(_ key: String) throws -> [Float] {
    try list(key, "a list of numbers") { $0.double.map(Float.init) }
  }

  /// A list of whole numbers.
  func ints(_ key: String) throws -> [Int] { try list(key, "a list of whole numbers") { $0.int } }

  private func list<T>(_ key: String, _ expected: String, _ convert: (JSONValue) -> T?) throws -> [T] {
    try value(key, expected, nil) { value in
      value.array.flatMap { list in
        let numbers = list.compactMap(convert)
        return numbers.count == list.count ? numbers : nil
      }
    }
  }

  /// The object under `key`, as a reader of its own.
  func object(_ key: String) throws -> ConfigReader? {
    guard let value = config[key] else { return nil }
    guard value.object != nil else { throw wrong(key, "an object", value) }
    return ConfigReader(value, source: "\(source): \(key)")
  }

  func has(_ key: String) -> Bool { config[key] != nil }

  /// Refuses any value of `key` but the listed ones; absent is allowed.
  func refuse(_ key: String, unless supported: [JSONValue]) throws {
    guard let value = config[key], !supported.contains(value) else { return }
    throw FireflyError(
      "unsupported value", at: "\(source): \(key)",
      expected: supported.isEmpty ? "none" : supported.map { $0.text() }.joined(separator: " or "),
      found: value.text())
  }

  private func value<T>(
    _ key: String, _ expected: String, _ fallback: T?, _ convert: (JSONValue) -> T?
  ) throws -> T {
    guard let value = config[key] else {
      if let fallback { return fallback }
      throw FireflyError("missing key", at: "\(source): \(key)", expected: expected)
    }
    guard let converted = convert(value) else { throw wrong(key, expected, value) }
    return converted
  }

  private func wrong(_ key: String, _ expected: String, _ value: JSONValue) -> FireflyError {
    FireflyError("wrong type", at: "\(source): \(key)", expected: expected, found: value.kind)
  }
}
