import FireflyBase

/// The members of a request's body, read by kind and range; errors name the parameter.
struct Parameters: Sendable {
  let members: [String: JSONValue]

  /// - Throws: `APIError` for a body that is not UTF-8, not JSON or not an object.
  init(body: [UInt8]) throws {
    guard let text = String(validating: body, as: UTF8.self) else {
      throw APIError.invalid("The body is not valid UTF-8.")
    }
    let value: JSONValue
    do {
      value = try JSONValue.parse(text, source: "body")
    } catch let error as FireflyError {
      throw APIError.invalid(error)
    }
    guard let members = value.object else {
      throw APIError.invalid("The body must be a JSON object, not \(value.kind).")
    }
    self.members = members.filter { $0.value != .null }
  }

  subscript(name: String) -> JSONValue? { members[name] }

  /// Refuses every parameter that is neither in `known` nor harmless.
  func refuseOthers(than known: some Collection<String>) throws {
    for name in members.keys.sorted() where !known.contains(name) && !Parameters.harmless.contains(name) {
      let guess = nearestName(to: name, among: known).map { " Did you mean \"\($0)\"?" } ?? ""
      throw APIError.invalid("The parameter \"\(name)\" is not supported.\(guess)", name, code: "unsupported")
    }
  }

  /// What clients send for their own ends; no answer depends on it.
  private static let harmless: Set<String> = [
    "metadata", "parallel_tool_calls", "prompt_cache_key", "safety_identifier", "service_tier", "store",
    "user",
  ]

  /// Refuses a parameter unless its value is one that changes nothing.
  func refuse(_ name: String, unless neutral: [JSONValue]) throws {
    guard let value = members[name], !neutral.contains(value) else { return }
    let allowed = neutral.map { $0.text() }.joined(separator: " or ")
    throw APIError.invalid(
      "The parameter \"\(name)\" is not supported" + (allowed.isEmpty ? "." : ", except as \(allowed)."),
      name,
      code: "unsupported")
  }

  func text(_ name: String) throws -> String? {
    try members[name].map { value in
      guard let text = value.string else { throw wrong(name, "a string", value) }
      return text
    }
  }

  func flag(_ name: String) throws -> Bool? {
    try members[name].map { value in
      guard let flag = value.bool else { throw wrong(name, "true or false", value) }
      return flag
    }
  }

  func whole(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
    try members[name].map { value in
      guard let number = value.int, range.contains(number) else {
        throw wrong(name, Parameters.wholeNumber(in: range), value)
      }
      return number
    }
  }

  func number(_ name: String, in range: ClosedRange<Double>) throws -> Double? {
    try members[name].map { value in
      guard let number = value.double, range.contains(number) else {
        throw wrong(name, "a number from \(range.lowerBound) to \(range.upperBound)", value)
      }
      return number
    }
  }

  /// A string or a list of strings, none of them empty.
  func texts(_ name: String, atMost limit: Int) throws -> [String] {
    guard let value = members[name] else { return [] }
    let texts = (value.array ?? [value]).map(\.string)
    guard let whole = texts as? [String], whole.count <= limit, !whole.contains("") else {
      throw wrong(name, "a string or a list of at most \(limit), none of them empty", value)
    }
    return whole
  }

  func wrong(_ name: String, _ expected: String, _ value: JSONValue) -> APIError {
    let found =
      switch value {
      case .string(let text) where text.utf8.count > 40: "a longer string"
      case .array, .object: value.kind
      default: value.text()
      }
    return .invalid("\"\(name)\" must be \(expected), not \(found).", name)
  }

  private static func wholeNumber(in range: ClosedRange<Int>) -> String {
    switch (range.lowerBound, range.upperBound) {
    case (.min, .max): "a whole number"
    case (let least, .max): "a whole number of at least \(least)"
    case (let least, let most): "a whole number from \(least) to \(most)"
    }
  }
}
