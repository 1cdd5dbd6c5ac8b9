import FireflyBase

/// `value.name`, `value[key]` and `value[from:to:by]`.
enum Members {
  /// A method or attribute first, then a dictionary's member, as Jinja's dot.
  static func attribute(_ name: String, of value: JinjaValue, orItem: Bool = true) throws -> JinjaValue {
    if let found = try method(name, of: value) { return found }
    if orItem, case .dictionary(let map) = value, let member = map[.text(name)] { return member }
    if case .undefined(let why) = value { throw FireflyError("cannot take .\(name): \(why)") }
    return .undefined("a value of type \(value.kind) has no member \"\(name)\"")
  }

  /// A member or item first, then a method, as Jinja's brackets.
  static func item(_ key: JinjaValue, of value: JinjaValue) throws -> JinjaValue {
    let missing = JinjaValue.undefined("a value of type \(value.kind) has no member \(key.represented)")
    switch (value, key) {
    case (.undefined(let why), _): throw FireflyError("cannot take a member: \(why)")
    case (.dictionary(let map), _):
      if let member = map[key] { return member }
    case (.list(let items), _), (.tuple(let items), _):
      if let number = key.integer { return place(number, items.count).map { items[$0] } ?? missing }
    case (.string(let text), _):
      if let number = key.integer {
        let offsets = text.scalarOffsets
        return place(number, offsets.count - 1).map { .string(text.slice(offsets[$0]..<offsets[$0 + 1])) }
          ?? missing
      }
    default: break
    }
    guard case .string(let name) = key else { return missing }
    return try method(name.text, of: value) ?? missing
  }

  private static func method(_ name: String, of value: JinjaValue) throws -> JinjaValue? {
    switch value {
    case .object(let object): return object.attribute(name)
    case .string(let text):
      return TextMethods.table[name].map { method in
        .function(
          JinjaFunction(name: name) { arguments, interpreter in try method(text, arguments, interpreter) })
      }
    case .dictionary(let map): return try CollectionMethods.of(map, name)
    case .list(let items), .tuple(let items): return try CollectionMethods.of(items, name)
    default: return nil
    }
  }

  /// The index that Python means; negative ones count from the end.
  private static func place(_ index: Int, _ count: Int) -> Int? {
    let place = index < 0 ? index + count : index
    return (0..<count).contains(place) ? place : nil
  }

  /// Python's slices: bounds beyond the ends are cut, negative ones count from the end, steps may be negative.
  static func slice(_ value: JinjaValue, from: JinjaValue?, to: JinjaValue?, by: JinjaValue?) throws
    -> JinjaValue
  {
    let (from, to, by) = (try bound(from), try bound(to), try bound(by) ?? 1)
    guard by != 0 else { throw FireflyError("a slice's step cannot be 0") }
    switch value {
    case .list(let items): return .list(places(items.count, from, to, by).map { items[$0] })
    case .tuple(let items): return .tuple(places(items.count, from, to, by).map { items[$0] })
    case .string(let text):
      let offsets = text.scalarOffsets
      let places = places(offsets.count - 1, from, to, by)
      guard by == 1 else {
        let parts = places.map { text.slice(offsets[$0]..<offsets[$0 + 1]) }
        return .string(MarkedText.joined(parts).safe(text.isSafe))
      }
      guard let first = places.first, let last = places.last else { return .string(MarkedText()) }
      return .string(text.slice(offsets[first]..<offsets[last + 1]))
    case .undefined(let why): throw FireflyError("cannot take a slice: \(why)")
    default: throw FireflyError("a value of type \(value.kind) has no slices")
    }
  }

  private static func bound(_ value: JinjaValue?) throws -> Int? {
    switch value {
    case nil, .some(.null): return nil
    case .some(let value):
      guard let number = value.integer else {
        throw FireflyError("a slice's bounds are whole numbers", found: value.kind)
      }
      return number
    }
  }

  private static func places(_ count: Int, _ from: Int?, _ to: Int?, _ by: Int) -> [Int] {
    func cut(_ bound: Int, _ range: ClosedRange<Int>) -> Int {
      let place = bound < 0 ? bound.addingReportingOverflow(count).partialValue : bound
      return min(max(place, range.lowerBound), range.upperBound)
    }
    // A step longer than the sequence takes one item, whatever its length.
    let step = min(max(by, -count - 1), count + 1)
    if by > 0 {
      return Array(stride(from: cut(from ?? 0, 0...count), to: cut(to ?? count, 0...count), by: step))
    }
    let range = -1...max(-1, count - 1)
    let end = to.map { cut($0, range) } ?? -1
    return Array(stride(from: from.map { cut($0, range) } ?? count - 1, to: end, by: step))
  }
}

/// Methods of dictionaries and lists. Those that would change them are refused, as in transformers' sandbox.
enum CollectionMethods {
  static func of(_ map: JinjaDictionary, _ name: String) throws -> JinjaValue? {
    switch name {
    case "items":
      return function(name) { _ in .list(map.entries.map { .tuple([$0.key, $0.value]) }) }
    case "keys": return function(name) { _ in .list(map.entries.map(\.key)) }
    case "values": return function(name) { _ in .list(map.entries.map(\.value)) }
    case "copy": return function(name) { _ in .dictionary(map) }
    case "get":
      return function(name) { arguments in
        let given = try arguments.bind("get", ["key", "default"], required: 1)
        return map[given["key"] ?? .null] ?? given["default"] ?? .null
      }
    case "update", "pop", "popitem", "clear", "setdefault": throw refused(name, "dictionary")
    default: return nil
    }
  }

  static func of(_ items: [JinjaValue], _ name: String) throws -> JinjaValue? {
    switch name {
    case "index":
      return function(name) { arguments in
        let value = try arguments.bind("index", ["value"], required: 1)["value"] ?? .null
        guard let place = items.firstIndex(where: { $0.equals(value) }) else {
          throw FireflyError("the value is not in the list", found: value.represented)
        }
        return .int(place)
      }
    case "count":
      return function(name) { arguments in
        let value = try arguments.bind("count", ["value"], required: 1)["value"] ?? .null
        return .int(items.count { $0.equals(value) })
      }
    case "copy": return function(name) { _ in .list(items) }
    case "append", "extend", "insert", "pop", "remove", "clear", "reverse", "sort":
      throw refused(name, "list")
    default: return nil
    }
  }

  private static func function(_ name: String, _ body: @escaping (CallArguments) throws -> JinjaValue)
    -> JinjaValue
  {
    .function(JinjaFunction(name: name) { arguments, _ in try body(arguments) })
  }

  private static func refused(_ name: String, _ kind: String) -> FireflyError {
    FireflyError("a template must not change a \(kind): .\(name)() is refused, as in transformers")
  }
}
