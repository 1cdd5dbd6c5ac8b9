import FireflyBase

/// Something that a template can call.
package struct JinjaFunction {
  let name: String
  let body: (CallArguments, Interpreter) throws -> JinjaValue
}

/// The values of a call's arguments.
struct CallArguments {
  var positional: [JinjaValue] = []
  var named: [(name: String, value: JinjaValue)] = []

  /// Takes one named argument out.
  mutating func take(_ name: String) -> JinjaValue? {
    guard let index = named.firstIndex(where: { $0.name == name }) else { return nil }
    return named.remove(at: index).value
  }

  /// The arguments by the names of the parameters.
  ///
  /// - Parameter required: how many of the parameters must be given.
  /// - Throws: `FireflyError` for an argument that is unknown, superfluous, given twice or missing.
  func bind(_ function: String, _ parameters: [String], required: Int = 0) throws -> [String: JinjaValue] {
    guard positional.count <= parameters.count else {
      throw FireflyError(
        "\(function) gets too many arguments", expected: "at most \(parameters.count)",
        found: "\(positional.count)")
    }
    var bound = Dictionary(uniqueKeysWithValues: zip(parameters, positional))
    for (name, value) in named {
      guard parameters.contains(name) else {
        throw FireflyError("\(function) has no argument \"\(name)\"")
      }
      guard bound.updateValue(value, forKey: name) == nil else {
        throw FireflyError("\(function) gets the argument \"\(name)\" twice")
      }
    }
    if let missing = parameters.prefix(required).first(where: { bound[$0] == nil }) {
      throw FireflyError("\(function) needs the argument \"\(missing)\"")
    }
    return bound
  }
}

extension [String: JinjaValue] {
  /// - Throws: `FireflyError` when the argument is something else.
  func text(_ name: String, default fallback: String? = nil) throws -> MarkedText {
    switch self[name] {
    case .string(let text): return text
    case nil: if let fallback { return MarkedText(fallback) }
    default: break
    }
    throw wrong(name, "a string")
  }

  func int(_ name: String, default fallback: Int) throws -> Int {
    guard let value = self[name] else { return fallback }
    guard let number = value.integer else { throw wrong(name, "a whole number") }
    return number
  }

  func flag(_ name: String, default fallback: Bool = false) -> Bool { self[name]?.isTrue ?? fallback }

  /// nil when it is absent or `none`.
  func optional(_ name: String) -> JinjaValue? {
    guard let value = self[name] else { return nil }
    if case .null = value { return nil }
    return value
  }

  func wrong(_ name: String, _ expected: String) -> FireflyError {
    FireflyError(
      "wrong argument \"\(name)\"", expected: expected, found: self[name]?.kind ?? "nothing")
  }
}
