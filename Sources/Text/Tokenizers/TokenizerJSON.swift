import FireflyBase

/// A part of tokenizer.json that knows where it stands, so that every error names its file and key.
struct TokenizerJSON {
  let value: JSONValue
  /// Where the value stands: `path/tokenizer.json: model.merges[7]`.
  let place: String

  init(_ value: JSONValue, at place: String) {
    self.value = value
    self.place = place
  }

  /// The member `key`; nil when absent or null.
  func member(_ key: String) -> TokenizerJSON? {
    value[key].map { TokenizerJSON($0, at: place(of: key)) }
  }

  func require(_ key: String) throws -> TokenizerJSON {
    guard let member = member(key) else {
      throw FireflyError("a key is missing", at: place, expected: "\"\(key)\"")
    }
    return member
  }

  /// Refuses members beyond `keys`: what is not understood must not be ignored.
  func allow(only keys: String...) throws {
    guard let object = value.object else { throw mistyped("an object") }
    for key in object.keys.sorted() where !keys.contains(key) && object[key] != .null {
      throw FireflyError("unsupported key", at: place(of: key))
    }
  }

  func string() throws -> String {
    guard let text = value.string else { throw mistyped("a string") }
    return text
  }

  func string(_ key: String) throws -> String { try require(key).string() }

  func bool(_ key: String, default standard: Bool) throws -> Bool {
    guard let member = member(key) else { return standard }
    guard let flag = member.value.bool else { throw member.mistyped("true or false") }
    return flag
  }

  func int(_ key: String, default standard: Int? = nil) throws -> Int {
    if member(key) == nil, let standard { return standard }
    let member = try require(key)
    guard let number = member.value.int else { throw member.mistyped("a whole number") }
    return number
  }

  func list() throws -> [TokenizerJSON] {
    guard let list = value.array else { throw mistyped("a list") }
    return list.enumerated().map { TokenizerJSON($1, at: "\(place)[\($0)]") }
  }

  func list(_ key: String) throws -> [TokenizerJSON] { try require(key).list() }

  /// An id of a token.
  func tokenID(_ key: String) throws -> Int32 {
    let id = try int(key)
    guard (0...TokenTable.largestID).contains(id) else {
      throw FireflyError(
        "token id out of range", at: place(of: key), expected: "0…\(TokenTable.largestID)", found: "\(id)")
    }
    return Int32(id)
  }

  func mistyped(_ expected: String) -> FireflyError {
    FireflyError("wrong type", at: place, expected: expected, found: value.kind)
  }

  func unsupported(_ what: String, _ name: String, supported: String) -> FireflyError {
    FireflyError("unsupported \(what) \"\(name)\"", at: place, expected: supported)
  }

  private func place(of key: String) -> String {
    place.hasSuffix(".json") ? "\(place): \(key)" : "\(place).\(key)"
  }
}
