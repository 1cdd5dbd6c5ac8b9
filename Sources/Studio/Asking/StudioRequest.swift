import FireflyBase
import FireflyServer

/// The object that a request brings.
struct StudioRequest {
  let members: [String: JSONValue]

  init(body: [UInt8]) throws {
    guard let members = try JSONValue.parse(String(decoding: body, as: UTF8.self), source: "request").object
    else {
      throw APIError.invalid("The request is no JSON object.")
    }
    self.members = members
  }

  /// nil when it is not there, null or empty.
  func text(_ name: String) throws -> String? {
    guard let value = members[name], value != .null else { return nil }
    guard let text = value.string else { throw APIError.invalid("\"\(name)\" must be a text.", name) }
    return text.isEmpty ? nil : text
  }

  func requiredText(_ name: String) throws -> String {
    guard let text = try text(name) else { throw APIError.invalid("\"\(name)\" is missing.", name) }
    return text
  }

  func texts(_ name: String) throws -> [String] {
    guard let texts = members[name]?.array?.map(\.string) as? [String] else {
      throw APIError.invalid("\"\(name)\" must be a list of texts.", name)
    }
    return texts
  }

  func flag(_ name: String) -> Bool { members[name]?.bool ?? false }
}
