import FireflyBase

/// Values by patterns of module names, in an order: of the patterns that fit a module the first counts, as of PEFT's
/// `rank_pattern` and `alpha_pattern`.
public struct ModulePatterns<Value: Equatable & Sendable>: Equatable, Sendable {
  /// In their order.
  public private(set) var entries: [Entry] = []

  public struct Entry: Equatable, Sendable {
    /// A module's path or the end of one, as a regular expression: `q_proj`, `layers\.[0-3]\.mlp\.down_proj`.
    public let pattern: String
    public let value: Value
    fileprivate let expression: ModuleExpression
  }

  public init() {}

  /// - Parameter place: names the pattern in errors.
  /// - Throws: `FireflyError` when it is no regular expression.
  public mutating func append(_ pattern: String, _ value: Value, at place: String = "a module's pattern")
    throws
  {
    let expression = try ModuleExpression("(.*\\.)?(\(pattern))", at: place)
    entries.append(Entry(pattern: pattern, value: value, expression: expression))
  }

  public var isEmpty: Bool { entries.isEmpty }

  /// A pattern for each of the modules that one fits, by another name of it.
  func resolved(_ modules: [(module: String, name: String)]) throws -> ModulePatterns {
    var patterns = ModulePatterns()
    for (module, name) in modules {
      guard let value = value(of: module) else { continue }
      try patterns.append(name.replacing(".", with: "\\."), value)
    }
    return patterns
  }

  /// The value of the first pattern that fits; nil where none does.
  package func value(of module: String) -> Value? { entries.first { $0.expression.fits(module) }?.value }
}

/// A regular expression that a whole module name must fit. Names are short, so it always comes to an end.
struct ModuleExpression: Equatable, Sendable {
  private let pattern: String
  private let expression: RegularExpression

  init(_ pattern: String, at place: String) throws {
    // PCRE2 and Python's re, whose dialect PEFT's patterns are in, read these differently.
    guard !pattern.contains("{,"), !pattern.contains("[:") else {
      throw FireflyError(
        "unsupported regular expression: a repetition without a lower bound, or \"[:\"", at: place,
        found: pattern,
        fix: "Write {0,3} for {,3}.")
    }
    self.pattern = pattern
    expression = try RegularExpression("^(?:\(pattern))$", at: place)
  }

  func fits(_ module: String) -> Bool { (try? expression.matches(module)) ?? false }

  static func == (first: ModuleExpression, second: ModuleExpression) -> Bool {
    first.pattern == second.pattern
  }
}
