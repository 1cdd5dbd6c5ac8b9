import Foundation

/// A JSON document whose objects keep the order of their members, as Python's dictionaries do.
///
/// Chat templates write tools and their arguments member by member, so the order is part of the text.
public enum OrderedJSON: Equatable, Sendable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  case array([OrderedJSON])
  case object(JSONMembers)

  public var string: String? { if case .string(let text) = self { text } else { nil } }
  public var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
  public var array: [OrderedJSON]? { if case .array(let list) = self { list } else { nil } }
  public var object: JSONMembers? { if case .object(let members) = self { members } else { nil } }

  /// The member `key` of an object; nil when absent, null, or when this is not an object.
  public subscript(key: String) -> OrderedJSON? { object?[key].flatMap { $0 == .null ? nil : $0 } }

  public var double: Double? {
    switch self {
    case .int(let number): Double(number)
    case .double(let number): number
    default: nil
    }
  }

  /// The kind, for error messages.
  public var kind: String { unordered.kind }

  /// The same with members in no order.
  public var unordered: JSONValue {
    switch self {
    case .null: .null
    case .bool(let flag): .bool(flag)
    case .int(let number): .int(number)
    case .double(let number): .double(number)
    case .string(let text): .string(text)
    case .array(let list): .array(list.map(\.unordered))
    case .object(let members):
      .object(Dictionary(members.entries.map { ($0.key, $0.value.unordered) }) { $1 })
    }
  }
}

/// The members of an object in their order.
public struct JSONMembers: Equatable, Sendable, ExpressibleByDictionaryLiteral {
  public struct Entry: Equatable, Sendable {
    public var key: String
    public var value: OrderedJSON
  }

  public private(set) var entries: [Entry] = []
  /// Where each key stands; empty while there are few, which are found sooner by walking.
  private var places: [ExactKey: Int] = [:]

  /// A key by its bytes: to Swift's `String` two Unicode forms of one text are equal, and one member would vanish.
  private struct ExactKey: Hashable, Sendable {
    let text: String

    static func == (first: ExactKey, second: ExactKey) -> Bool {
      first.text.utf8.elementsEqual(second.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
      var text = text
      text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
  }

  private static let few = 16

  public init() {}

  public init(dictionaryLiteral elements: (String, OrderedJSON)...) {
    for (key, value) in elements { self[key] = value }
  }

  public var isEmpty: Bool { entries.isEmpty }
  public var keys: [String] { entries.map(\.key) }

  /// Null members are there. A new key goes to the end, an old one keeps its place; nil removes it.
  public subscript(key: String) -> OrderedJSON? {
    get { place(of: key).map { entries[$0].value } }
    set {
      switch (place(of: key), newValue) {
      case (let place?, let value?): entries[place].value = value
      case (let place?, nil):
        entries.remove(at: place)
        index()
      case (nil, let value?):
        entries.append(Entry(key: key, value: value))
        if entries.count == JSONMembers.few { index() }
        if entries.count > JSONMembers.few { places[ExactKey(text: key)] = entries.count - 1 }
      case (nil, nil): break
      }
    }
  }

  private func place(of key: String) -> Int? {
    entries.count < JSONMembers.few
      ? entries.firstIndex { $0.key.utf8.elementsEqual(key.utf8) } : places[ExactKey(text: key)]
  }

  private mutating func index() {
    places =
      entries.count < JSONMembers.few
      ? [:] : Dictionary(uniqueKeysWithValues: entries.enumerated().map { (ExactKey(text: $1.key), $0) })
  }

  public static func == (first: JSONMembers, second: JSONMembers) -> Bool { first.entries == second.entries }
}

// MARK: - Reading and writing

extension JSONReader {
  /// The value that comes next, its members in their order. Of a key that stands twice the last value counts, at the
  /// first one's place, as in Python.
  package mutating func orderedValue() throws -> OrderedJSON {
    switch try next() {
    case UInt8(ascii: "{"):
      var members = JSONMembers()
      try forEachMember { key, reader in
        let name = String(decoding: key, as: UTF8.self)
        members[name] = try reader.orderedValue()
      }
      return .object(members)
    case UInt8(ascii: "["):
      var list: [OrderedJSON] = []
      try forEachElement { list.append(try $0.orderedValue()) }
      return .array(list)
    default: return OrderedJSON(scalar: try value())
    }
  }
}

extension OrderedJSON {
  fileprivate init(scalar: JSONValue) {
    switch scalar {
    case .bool(let flag): self = .bool(flag)
    case .int(let number): self = .int(number)
    case .double(let number): self = .double(number)
    case .string(let text): self = .string(text)
    case .null, .array, .object: self = .null
    }
  }

  /// - Parameter source: names the document in the error: a path, or `path:line`.
  /// - Throws: `FireflyError` with what is wrong, its line and its column.
  public static func parse(_ data: Data, source: String) throws -> OrderedJSON {
    try data.withUnsafeBytes { try parse($0, source: source) }
  }

  public static func parse(_ text: String, source: String) throws -> OrderedJSON {
    var text = text
    return try text.withUTF8 { try parse(UnsafeRawBufferPointer($0), source: source) }
  }

  /// - Parameter part: where in `bytes` the document stands, when it is one of several in a file.
  package static func parse(
    _ bytes: UnsafeRawBufferPointer, part: Range<Int>? = nil, source: String
  ) throws -> OrderedJSON {
    var reader = try JSONReader(bytes, part: part, source: source)
    let value = try reader.orderedValue()
    try reader.end()
    return value
  }

  /// A value whose members are in no order: they are sorted by name.
  public init(_ json: JSONValue) {
    switch json {
    case .array(let list): self = .array(list.map { OrderedJSON($0) })
    case .object(let map):
      var members = JSONMembers()
      for (key, value) in map.sorted(by: { $0.key < $1.key }) { members[key] = OrderedJSON(value) }
      self = .object(members)
    default: self.init(scalar: json)
    }
  }
}
