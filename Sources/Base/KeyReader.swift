/// Typed access to the keys of one file's JSON object, or of an object within.
///
/// Errors name the file, the key, what was expected and what was found. Each key that is asked for is remembered, so that
/// `finish` can say what becomes of the others: no key passes unseen.
package struct KeyReader: Sendable {
  /// The file, and the key of an object within it: what places in errors begin with.
  package let source: String
  package let document: JSONValue
  /// What keys mean that the object lacks; null is not lacking.
  private let defaults: [String: JSONValue]
  private let log = Locked(Log())

  /// What was asked for. Copies of a reader share it.
  private struct Log: Sendable {
    var asked: Set<String> = []
    /// Readers of the objects within, by their keys.
    var within: [String: KeyReader] = [:]
  }

  package init(_ document: JSONValue, source: String, defaults: [String: JSONValue] = [:]) {
    self.document = document
    self.source = source
    self.defaults = defaults
  }

  /// The member as it stands, or its default; nil when it has none, or is null.
  package func value(_ key: String) -> JSONValue? {
    log.withLock { _ = $0.asked.insert(key) }
    return isWritten(key) ? document[key] : defaults[key]
  }

  /// Whether the object itself says something of the key, null included.
  package func isWritten(_ key: String) -> Bool { document.object?[key] != nil }

  package func has(_ key: String) -> Bool { value(key) != nil }

  /// All keys, sorted.
  package var keys: [String] { (document.object ?? [:]).keys.sorted() }

  /// Takes keys for known that mean nothing beside others that were read.
  package func pass(_ keys: String...) {
    log.withLock { $0.asked.formUnion(keys) }
  }

  // MARK: - By kind

  /// A whole number that sizes may be computed with: it fits 32 bits.
  package func int(_ key: String, default fallback: Int? = nil) throws -> Int {
    let number = try value(key, "a whole number", fallback) { $0.int }
    guard Int32(exactly: number) != nil else {
      throw FireflyError(
        "the number is too large", at: place(key), expected: "at most \(Int32.max)", found: "\(number)")
    }
    return number
  }

  /// A whole number that can be divided by.
  package func positive(_ key: String, default fallback: Int? = nil) throws -> Int {
    let number = try int(key, default: fallback)
    guard number > 0 else { throw FireflyError("must be positive", at: place(key), found: "\(number)") }
    return number
  }

  package func float(_ key: String, default fallback: Float? = nil) throws -> Float {
    try value(key, "a number", fallback) { $0.double.map(Float.init) }
  }

  package func bool(_ key: String, default fallback: Bool) throws -> Bool {
    try value(key, "true or false", fallback) { $0.bool }
  }

  package func string(_ key: String, default fallback: String? = nil) throws -> String {
    try value(key, "a string", fallback) { $0.string }
  }

  /// A list of numbers.
  package func floats(_ key: String) throws -> [Float] {
    try list(key, "a list of numbers") { $0.double.map(Float.init) }
  }

  /// A list of whole numbers.
  package func ints(_ key: String) throws -> [Int] { try list(key, "a list of whole numbers") { $0.int } }

  /// A list of strings; nil when absent.
  package func strings(_ key: String) throws -> [String]? {
    guard has(key) else { return nil }
    return try list(key, "a list of strings") { $0.string }
  }

  private func list<T>(_ key: String, _ expected: String, _ convert: (JSONValue) -> T?) throws -> [T] {
    try value(key, expected, nil) { value in
      value.array.flatMap { list in
        let converted = list.compactMap(convert)
        return converted.count == list.count ? converted : nil
      }
    }
  }

  /// The object under `key`, as a reader of its own.
  package func object(_ key: String) throws -> KeyReader? {
    guard let value = value(key) else { return nil }
    guard value.object != nil else { throw wrong(key, "an object", value) }
    return log.withLock { log in
      if let reader = log.within[key] { return reader }
      let reader = KeyReader(value, source: place(key))
      log.within[key] = reader
      return reader
    }
  }

  private func value<T>(
    _ key: String, _ expected: String, _ fallback: T?, _ convert: (JSONValue) -> T?
  ) throws -> T {
    guard let value = value(key) else {
      if let fallback { return fallback }
      throw FireflyError("missing key", at: place(key), expected: expected)
    }
    guard let converted = convert(value) else { throw wrong(key, expected, value) }
    return converted
  }

  // MARK: - Refusing

  /// Refuses any value of `key` but the listed ones; absent is allowed.
  ///
  /// - Parameter fix: what the user can do.
  package func refuse(_ key: String, unless supported: [JSONValue], fix: String? = nil) throws {
    guard let value = value(key), !supported.contains(where: value.isSame) else { return }
    throw FireflyError(
      "unsupported value", at: place(key),
      expected: supported.isEmpty ? "none" : supported.map { $0.text() }.joined(separator: " or "),
      found: value.excerpt, fix: fix)
  }

  private func wrong(_ key: String, _ expected: String, _ value: JSONValue) -> FireflyError {
    FireflyError("wrong type", at: place(key), expected: expected, found: value.kind)
  }

  private func place(_ key: String) -> String { "\(source): \(key)" }
}

// MARK: - What was not asked for

extension KeyReader {
  /// Goes through the keys that nobody has asked for; to be called when all has been read.
  ///
  /// - Returns: for the user to read, a note for each key that has no effect here and might have elsewhere.
  /// - Throws: `FireflyError` for the first value that the table refuses.
  package func finish(_ table: KeyTable) throws -> [String] {
    let log = log.withLock { $0 }
    var notes: [String] = []
    var strangers: [String] = []
    for key in keys where !log.asked.contains(key) {
      guard let value = document[key], !table.harmless.contains(key) else { continue }
      if let neutral = table.told[key] {
        guard !neutral.contains(where: value.isSame) else { continue }
        notes.append("\(place(key)) is not supported and has no effect (found \(value.excerpt))")
      } else if table.refusesStrangers && value.switchesOn {
        throw FireflyError(
          "an unknown key that may change the result", at: place(key), found: value.excerpt,
          fix: "Remove it if you know that it does not.")
      } else {
        strangers.append(key)
      }
    }
    if !strangers.isEmpty {
      notes.append(
        "\(source): keys that are not known and have no effect: " + strangers.joined(separator: ", "))
    }
    for (key, reader) in log.within.sorted(by: { $0.key < $1.key }) {
      notes += try reader.finish(table.within[key] ?? KeyTable())
    }
    return notes
  }
}

/// What becomes of a file's keys that its reader does not ask for.
///
/// A key that is in neither list is told as unknown.
package struct KeyTable: Sendable {
  /// Change nothing of what is computed here, whatever their values.
  package var harmless: Set<String>
  /// Change the result elsewhere and not here, so that the user is told; and the values at which they do nothing anywhere.
  package var told: [String: [JSONValue]]
  /// Unknown keys that switch something on are an error: where a program that does not know a key computes something else.
  package var refusesStrangers: Bool
  /// Of the objects within, by their keys.
  package var within: [String: KeyTable]

  package init(
    harmless: Set<String> = [], told: [String: [JSONValue]] = [:], refusesStrangers: Bool = false,
    within: [String: KeyTable] = [:]
  ) {
    self.harmless = harmless
    self.told = told
    self.refusesStrangers = refusesStrangers
    self.within = within
  }
}

extension JSONValue {
  /// Equality in which 1 is 1.0.
  package func isSame(_ other: JSONValue) -> Bool {
    if let own = double, let others = other.double { return own == others }
    return self == other
  }

  /// True, or a list or object that is not empty: a number or a text alone only says how much or which.
  fileprivate var switchesOn: Bool {
    switch self {
    case .bool(let flag): flag
    case .array(let list): !list.isEmpty
    case .object(let members): !members.isEmpty
    case .null, .int, .double, .string: false
    }
  }

  /// The value as text, cut where it is long.
  package var excerpt: String {
    let text = text()
    return text.count > 80 ? text.prefix(80) + "…" : text
  }
}
