import FireflyBase
import FireflyJinja
import Foundation

/// What tools/reference/jinja_fixtures.py wrote.
enum Fixtures {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures").path
  /// 2024-03-05 16:07:08 in the local time zone, the clock that the fixtures were made with.
  static let now = Calendar(identifier: .gregorian).date(
    from: DateComponents(year: 2024, month: 3, day: 5, hour: 16, minute: 7, second: 8))

  static func rows(_ name: String) throws -> [JSONValue] {
    let path = "\(folder)/\(name)"
    let text = String(decoding: try MappedFile(path).data, as: UTF8.self)
    return try text.split(separator: "\n").map { try JSONValue.parse(String($0), source: path) }
  }

  static func members(_ json: JSONValue) -> [(String, JinjaValue)] {
    (json["dict"]?.array ?? []).compactMap { pair in
      guard let pair = pair.array, pair.count == 2, let key = pair[0].string else { return nil }
      return (key, value(pair[1]))
    }
  }

  /// From the fixtures' spelling, which keeps the order of dictionaries.
  static func value(_ json: JSONValue) -> JinjaValue {
    switch json {
    case .null: .null
    case .bool(let flag): .bool(flag)
    case .int(let number): .int(number)
    case .double(let number): .double(number)
    case .string(let text): .text(text)
    case .array(let list): .list(list.map(value))
    case .object:
      json["list"]?.array.map { .list($0.map(value)) } ?? .dictionary(JinjaDictionary(members(json)))
    }
  }
}
