import FireflyBase

/// The members of a request's body, or of an object within it, read by kind and range; errors name the parameter.
struct Parameters: Sendable {
  var members: [String: JSONValue]
  /// The names that the request gave to parameters that have another here.
  var spelt: [String: String] = [:]
  /// The same members, those of objects in the order of the request.
  private var inOrder: JSONMembers
  /// What stands before the members' names in errors; empty for the body itself.
  private let prefix: String
  /// Of the whole request.
  let warnings: Warnings

  /// - Throws: `APIError` for a body that is not UTF-8, not JSON or not an object.
  init(body: [UInt8]) throws {
    guard let text = String(validating: body, as: UTF8.self) else {
      throw APIError.invalid("The body is not valid UTF-8.")
    }
    let value: OrderedJSON
    do {
      value = try OrderedJSON.parse(text, source: "body")
    } catch let error as FireflyError {
      throw APIError.invalid(error)
    }
    guard let members = value.object else {
      throw APIError.invalid("The body must be a JSON object, not \(value.kind).")
    }
    self.init(members, place: nil, Warnings())
  }

  /// - Parameters:
  ///   - place: of an object within the body, for example `messages[0]`; nil: the body itself.
  ///   - warnings: of the whole request.
  init(_ members: JSONMembers, place: String?, _ warnings: Warnings) {
    self.warnings = warnings
    inOrder = members
    self.members = Dictionary(
      members.entries.compactMap { $0.value == .null ? nil : ($0.key, $0.value.unordered) }
    ) { $1 }
    prefix = place.map { $0 + "." } ?? ""
  }

  subscript(name: String) -> JSONValue? { members[name] }

  /// A parameter with the members of objects in their order.
  func ordered(_ name: String) -> OrderedJSON? {
    members[name] == nil ? nil : inOrder[spelt[name] ?? name]
  }

  /// A parameter's name as the request has it.
  func given(_ name: String) -> String { prefix + (spelt[name] ?? name) }

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

  /// A string or a list of strings, none of them empty or longer than `longest` bytes.
  func texts(_ name: String, atMost limit: Int, longest: Int) throws -> [String] {
    guard let value = members[name] else { return [] }
    let list = value.array ?? [value]
    guard list.count <= limit, let texts = list.map(\.string) as? [String],
      texts.allSatisfy({ (1...longest).contains($0.utf8.count) })
    else {
      throw wrong(
        name, "a string or a list of at most \(limit), none of them empty or longer than \(longest) bytes",
        value)
    }
    return texts
  }

  /// A list of token ids below `vocabularySize`.
  func tokens(_ name: String, below vocabularySize: Int) throws -> [Int32] {
    guard let value = members[name] else { return [] }
    let list = value.array ?? []
    let ids = list.compactMap { $0.int.flatMap { Int32(exactly: $0) } }
    guard value.array != nil, ids.count == list.count,
      ids.allSatisfy({ $0 >= 0 && $0 < vocabularySize })
    else { throw wrong(name, "a list of token ids below \(vocabularySize)", value) }
    return ids
  }

  func wrong(_ name: String, _ expected: String, _ value: JSONValue) -> APIError {
    let found =
      switch value {
      case .string(let text) where text.utf8.count > 40: "a longer string"
      case .array([]): "an empty list"
      case .object([:]): "an empty object"
      case .array: expected.contains("list") ? "such a list" : "a list"
      case .object: expected.contains("object") ? "such an object" : "an object"
      default: value.text()
      }
    return .invalid("\"\(given(name))\" must be \(expected), not \(found).", given(name))
  }

  private static func wholeNumber(in range: ClosedRange<Int>) -> String {
    switch (range.lowerBound, range.upperBound) {
    case (.min, .max): "a whole number"
    case (let least, .max): "a whole number of at least \(least)"
    case (let least, let most): "a whole number from \(least) to \(most)"
    }
  }
}
