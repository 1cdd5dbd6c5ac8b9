import FireflyBase

/// Takes typed values out of a flat JSON object and gathers everything that is wrong with it.
///
/// Reading goes on after a wrong value, so that the owner hears of all of them at once.
struct ConfigReader {
  /// Above any sensible count, and far from overflow when counts are multiplied.
  static let most = 1 << 30

  private let values: [String: JSONValue]
  private let source: String
  /// Keys given by `--set`, named so in errors.
  private let overridden: Set<String>
  private var known: Set<String> = []
  private var problems: [FireflyError] = []

  init(_ json: JSONValue, source: String, overridden: Set<String>) throws {
    guard case .object(let values) = json else {
      throw FireflyError("not a configuration", at: source, expected: "one JSON object", found: json.kind)
    }
    self.values = values
    self.source = source
    self.overridden = overridden
  }

  // MARK: - Typed values

  mutating func string(_ key: String, default fallback: String? = nil) -> String {
    guard let value = value(key, required: fallback == nil, "a string") else { return fallback ?? "" }
    guard let text = value.string else { return wrong(key, "a string", value, fallback ?? "") }
    if fallback == nil && text.isEmpty { return wrong(key, "a string that is not empty", value, "") }
    return text
  }

  mutating func optionalString(_ key: String) -> String? {
    guard let value = value(key, required: false, "a string") else { return nil }
    guard let text = value.string else { return wrong(key, "a string", value, nil) }
    return text
  }

  mutating func bool(_ key: String, default fallback: Bool) -> Bool {
    guard let value = value(key, required: false, "true or false") else { return fallback }
    return value.bool ?? wrong(key, "true or false", value, fallback)
  }

  mutating func optionalBool(_ key: String) -> Bool? {
    known.insert(key)
    return values[key] == nil || values[key] == .null ? nil : bool(key, default: false)
  }

  /// A whole number within `range`.
  mutating func int(_ key: String, default fallback: Int? = nil, in range: ClosedRange<Int>) -> Int {
    let expected =
      "a whole number \(ConfigReader.bounds(range, range.upperBound == .max ? .max : ConfigReader.most))"
    guard let value = value(key, required: fallback == nil, expected) else {
      return fallback ?? range.lowerBound
    }
    guard let number = value.int, range.contains(number) else {
      return wrong(key, expected, value, fallback ?? range.lowerBound)
    }
    return number
  }

  mutating func optionalInt(_ key: String, in range: ClosedRange<Int>) -> Int? {
    known.insert(key)
    return values[key] == nil || values[key] == .null ? nil : int(key, default: range.lowerBound, in: range)
  }

  /// A number within `range`; `above` excludes the lower bound.
  mutating func double(
    _ key: String, default fallback: Double, in range: ClosedRange<Double>, above: Bool = false
  ) -> Double {
    var expected = "a number \(ConfigReader.bounds(range, .infinity))"
    if above {
      let most = range.upperBound == .infinity ? "" : " and at most \(range.upperBound)"
      expected = "a number above \(range.lowerBound)\(most)"
    }
    guard let value = value(key, required: false, expected) else { return fallback }
    guard let number = value.double, number.isFinite, range.contains(number),
      !above || number > range.lowerBound
    else { return wrong(key, expected, value, fallback) }
    return number
  }

  /// One of an enumeration's names.
  mutating func choice<Choice: RawRepresentable & CaseIterable>(
    _ key: String, default fallback: Choice
  ) -> Choice where Choice.RawValue == String {
    let names = Choice.allCases.map(\.rawValue)
    let expected = "one of \(names.joined(separator: ", "))"
    guard let value = value(key, required: false, expected) else { return fallback }
    if let text = value.string, let choice = Choice(rawValue: text) { return choice }
    let nearest = value.string.flatMap { nearestName(to: $0, among: names) }
    return wrong(key, expected, value, fallback, fix: nearest.map { "Did you mean \"\($0)\"?" })
  }

  mutating func optionalChoice<Choice: RawRepresentable & CaseIterable>(
    _ key: String, default fallback: Choice
  ) -> Choice? where Choice.RawValue == String {
    known.insert(key)
    return values[key] == nil || values[key] == .null ? nil : choice(key, default: fallback)
  }

  /// The value as it stands, for keys with several shapes; nil when absent or null.
  mutating func raw(_ key: String) -> JSONValue? { value(key, required: false, "") }

  // MARK: - Errors

  /// Records that `key` holds something else than `expected`.
  mutating func wrong<Value>(
    _ key: String, _ expected: String, _ found: JSONValue, _ fallback: Value, fix: String? = nil
  ) -> Value {
    problem("\"\(key)\" has a wrong value", key: key, expected: expected, found: found.text(), fix: fix)
    return fallback
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
    for key in values.keys.sorted() where !known.contains(key) {
      let elsewhere = KeysElsewhere.advice(on: key)
      let nearest = elsewhere == nil ? nearestName(to: key, among: known) : nil
      problem(
        "unknown key \"\(key)\"", key: key,
        fix: elsewhere ?? nearest.map { "Did you mean \"\($0)\"?" } ?? "Remove it; the README lists the keys."
      )
    }
    problems += gathered
    guard problems.count != 1 else { throw problems[0] }
    guard problems.isEmpty else {
      let list = problems.map { "\n  - \($0)" }.joined()
      throw FireflyError("\(problems.count) settings are wrong:\(list)", at: source)
    }
  }

  private mutating func value(_ key: String, required: Bool, _ expected: String) -> JSONValue? {
    known.insert(key)
    if let value = values[key], value != .null { return value }
    if required { problem("\"\(key)\" is missing", key: key, expected: expected) }
    return nil
  }

  private static func bounds<Bound>(_ range: ClosedRange<Bound>, _ limit: Bound) -> String {
    range.upperBound == limit
      ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
  }
}

extension FireflyError {
  /// One of two values would be lost.
  static func keyTwice(_ key: String, at place: String) -> FireflyError {
    FireflyError("the key \"\(key)\" stands twice", at: place, fix: "Remove one of the two.")
  }
}
