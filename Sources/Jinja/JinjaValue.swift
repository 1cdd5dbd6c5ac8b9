/// A value of a template, with Python's kinds.
///
/// Lists and dictionaries cannot be changed by a template (transformers renders in an immutable sandbox), so they are
/// plain values; only a namespace has state.
package enum JinjaValue {
  /// A name or member that is missing: empty when printed, an error in most other uses.
  case undefined(String)
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(MarkedText)
  case list([JinjaValue])
  case tuple([JinjaValue])
  /// What Python calls a generator: it can be walked and is always true.
  case iterator([JinjaValue])
  case dictionary(JinjaDictionary)
  /// `namespace()`, `loop` and their like.
  case object(any JinjaObject)
  case function(JinjaFunction)

  package static func text(_ text: String) -> JinjaValue { .string(MarkedText(text)) }

  /// Python's name of the kind.
  var kind: String {
    switch self {
    case .undefined: "Undefined"
    case .null: "NoneType"
    case .bool: "bool"
    case .int: "int"
    case .double: "float"
    case .string: "str"
    case .list: "list"
    case .tuple: "tuple"
    case .iterator: "generator"
    case .dictionary: "dict"
    case .object(let object): object.kind
    case .function: "function"
    }
  }

  var isTrue: Bool {
    switch self {
    case .undefined, .null: false
    case .bool(let flag): flag
    case .int(let number): number != 0
    case .double(let number): number != 0
    case .string(let text): !text.isEmpty
    case .list(let list), .tuple(let list): !list.isEmpty
    case .dictionary(let map): !map.entries.isEmpty
    case .iterator, .object, .function: true
    }
  }

  /// Whether a dictionary may have it as a key.
  var isHashable: Bool {
    switch self {
    case .list, .dictionary: false
    case .tuple(let items): items.allSatisfy(\.isHashable)
    default: true
    }
  }

  /// The number behind an int, a float or a truth value.
  var number: Double? {
    switch self {
    case .bool(let flag): flag ? 1 : 0
    case .int(let number): Double(number)
    case .double(let number): number
    default: nil
    }
  }

  /// The whole number behind an int or a truth value.
  var integer: Int? {
    switch self {
    case .bool(let flag): flag ? 1 : 0
    case .int(let number): number
    default: nil
    }
  }
}

/// Something with attributes.
package protocol JinjaObject: AnyObject {
  var kind: String { get }
  /// nil when there is none of this name.
  func attribute(_ name: String) -> JinjaValue?
}

/// `namespace()`: the one thing that `{% set ns.x = … %}` changes.
final class Namespace: JinjaObject {
  var members = JinjaDictionary()
  var kind: String { "namespace" }

  func attribute(_ name: String) -> JinjaValue? { members[.text(name)] }
}

/// A dictionary in the order of insertion. Looked up by walking: a template's are small.
package struct JinjaDictionary {
  package private(set) var entries: [(key: JinjaValue, value: JinjaValue)] = []

  package init() {}

  package init(_ members: [(String, JinjaValue)]) {
    for (key, value) in members { self[.text(key)] = value }
  }

  /// - Parameter entries: no key stands twice among them.
  package init(unique entries: [(key: JinjaValue, value: JinjaValue)]) { self.entries = entries }

  package subscript(key: JinjaValue) -> JinjaValue? {
    get { entries.first { $0.key.equals(key) }?.value }
    set {
      let place = entries.firstIndex { $0.key.equals(key) }
      switch (place, newValue) {
      case (let place?, let value?): entries[place].value = value
      case (nil, let value?): entries.append((key, value))
      case (let place?, nil): entries.remove(at: place)
      case (nil, nil): break
      }
    }
  }
}

// MARK: - Where it comes from

extension JinjaValue {
  /// What all the texts in it come from; nil when that is nothing, or more than one thing.
  var onlySource: Int? {
    var sources: Set<Int> = []
    gatherSources(into: &sources)
    return sources.count == 1 ? sources.first : nil
  }

  private func gatherSources(into sources: inout Set<Int>) {
    guard sources.count < 2 else { return }
    switch self {
    case .string(let text): sources.formUnion(text.marks.map(\.source))
    case .list(let list), .tuple(let list): for value in list { value.gatherSources(into: &sources) }
    case .dictionary(let map):
      for entry in map.entries {
        entry.key.gatherSources(into: &sources)
        entry.value.gatherSources(into: &sources)
      }
    case .undefined, .null, .bool, .int, .double, .iterator, .object, .function: break
    }
  }
}

// MARK: - Comparing

extension JinjaValue {
  /// Python's `==`.
  func equals(_ other: JinjaValue) -> Bool {
    if let first = integer, let second = other.integer { return first == second }
    if let first = number, let second = other.number { return first == second }
    switch (self, other) {
    case (.undefined, .undefined), (.null, .null): return true
    case (.string(let first), .string(let second)): return first == second
    case (.list(let first), .list(let second)), (.tuple(let first), .tuple(let second)):
      return first.count == second.count && zip(first, second).allSatisfy { $0.equals($1) }
    case (.dictionary(let first), .dictionary(let second)):
      return first.entries.count == second.entries.count
        && first.entries.allSatisfy { entry in second[entry.key]?.equals(entry.value) ?? false }
    case (.object(let first), .object(let second)): return first === second
    default: return false
    }
  }

  /// Python's `<`; nil when the two have no order.
  func precedes(_ other: JinjaValue) -> Bool? {
    if let first = integer, let second = other.integer { return first < second }
    if let first = number, let second = other.number { return first < second }
    switch (self, other) {
    case (.string(let first), .string(let second)): return first.precedes(second)
    case (.list(let first), .list(let second)), (.tuple(let first), .tuple(let second)):
      for (one, two) in zip(first, second) where !one.equals(two) { return one.precedes(two) }
      return first.count < second.count
    default: return nil
    }
  }
}
