import FireflyBase

/// Filters of lists and dictionaries. Where Python gives a generator, so do these.
extension Filters {
  static let sequences: [String: Filter] = [
    "length": plain { .int(try length($0)) },
    "count": plain { .int(try length($0)) },
    "list": { value, _, interpreter in .list(try interpreter.sequence(value, "list")) },
    "first": { value, _, interpreter in
      try interpreter.sequence(value, "first").first ?? .undefined("there is no first item")
    },
    "last": { value, _, interpreter in
      try interpreter.sequence(value, "last").last ?? .undefined("there is no last item")
    },
    "reverse": { value, _, interpreter in
      if case .string(let text) = value {
        return try Members.slice(.string(text), from: nil, to: nil, by: .int(-1))
      }
      return .iterator(try interpreter.sequence(value, "reverse").reversed())
    },
    "join": { value, arguments, interpreter in
      let given = try arguments.bind("join", ["d", "attribute"])
      let items = try interpreter.sequence(value, "join").map {
        try picked(given.optional("attribute"), of: $0)
      }
      return .string(
        try TextMethods.joined(items, given["d"]?.printed ?? MarkedText(), interpreter) { $0.printed })
    },
    "items": { value, _, _ in
      switch value {
      case .undefined: return .iterator([])
      case .dictionary(let map): return .iterator(map.entries.map { .tuple([$0.key, $0.value]) })
      default: throw FireflyError("items needs a dictionary", found: value.kind)
      }
    },
    "map": map,
    "select": { try chosen($0, $1, $2, byAttribute: false, keeps: true) },
    "reject": { try chosen($0, $1, $2, byAttribute: false, keeps: false) },
    "selectattr": { try chosen($0, $1, $2, byAttribute: true, keeps: true) },
    "rejectattr": { try chosen($0, $1, $2, byAttribute: true, keeps: false) },
    "sort": sort, "dictsort": dictsort, "unique": unique,
    "min": { value, arguments, interpreter in
      try extreme(value, arguments, interpreter) { try Operators.precedes($0, $1) }
    },
    "max": { value, arguments, interpreter in
      try extreme(value, arguments, interpreter) { try Operators.precedes($1, $0) }
    },
    "sum": { value, arguments, interpreter in
      let given = try arguments.bind("sum", ["attribute", "start"])
      return try interpreter.sequence(value, "sum").reduce(given["start"] ?? .int(0)) {
        try Operators.apply(.add, $0, try picked(given.optional("attribute"), of: $1), interpreter.limits)
      }
    },
    "batch": { value, arguments, interpreter in
      let given = try arguments.bind("batch", ["linecount", "fill_with"], required: 1)
      let size = try given.int("linecount", default: 1)
      guard size > 0 else { throw FireflyError("batch needs a number above 0", found: "\(size)") }
      let items = try interpreter.sequence(value, "batch")
      return .iterator(
        stride(from: 0, to: items.count, by: size).map { start in
          let part = Array(items[start..<min(start + size, items.count)])
          let filler = given.optional("fill_with")
          let missing = filler == nil ? 0 : min(size - part.count, interpreter.limits.members)
          return .list(part + Array(repeating: filler ?? .null, count: missing))
        })
    },
    "attr": { value, arguments, _ in
      try Members.attribute(
        try arguments.bind("attr", ["name"], required: 1).text("name").text, of: value, orItem: false)
    },
  ]

  private static func length(_ value: JinjaValue) throws -> Int {
    switch value {
    case .string(let text): return text.scalarCount
    case .list(let items), .tuple(let items): return items.count
    case .dictionary(let map): return map.entries.count
    case .undefined: return 0
    default: throw FireflyError("a value of type \(value.kind) has no length")
    }
  }

  /// The member at a dotted path such as `function.name` or `0`; the value itself when there is no path.
  private static func picked(_ path: JinjaValue?, of value: JinjaValue) throws -> JinjaValue {
    guard let path else { return value }
    return try path.printed.text.split(separator: ".").reduce(value) { value, part in
      try Members.item(Int(part).map { .int($0) } ?? .text(String(part)), of: value)
    }
  }

  @Sendable private static func map(
    _ value: JinjaValue, _ arguments: CallArguments, _ interpreter: Interpreter
  ) throws -> JinjaValue {
    let items = try value.isTrue ? interpreter.sequence(value, "map") : []
    var rest = arguments
    if let attribute = rest.take("attribute") {
      let fallback = rest.take("default")
      return .iterator(
        try items.map { item in
          let found = try picked(attribute, of: item)
          if case .undefined = found, let fallback { return fallback }
          return found
        })
    }
    guard !rest.positional.isEmpty else { throw FireflyError("map needs a filter or attribute=") }
    let name = rest.positional.removeFirst().printed.text
    return .iterator(
      try items.map {
        try interpreter.countStep()
        return try interpreter.filter($0, name, rest)
      })
  }

  /// select, reject and their variants by attribute; without a test, what is true.
  private static func chosen(
    _ value: JinjaValue, _ arguments: CallArguments, _ interpreter: Interpreter, byAttribute: Bool,
    keeps: Bool
  ) throws -> JinjaValue {
    var rest = arguments
    var attribute: JinjaValue?
    if byAttribute {
      guard !rest.positional.isEmpty else { throw FireflyError("selectattr needs an attribute") }
      attribute = rest.positional.removeFirst()
    }
    let name = rest.positional.isEmpty ? nil : rest.positional.removeFirst().printed.text
    return .iterator(
      try (value.isTrue ? interpreter.sequence(value, "select") : []).filter { item in
        try interpreter.countStep()
        let subject = try picked(attribute, of: item)
        return try (name.map { try interpreter.test(subject, $0, rest) } ?? subject.isTrue) == keeps
      })
  }

  // MARK: - Order

  @Sendable private static func sort(
    _ value: JinjaValue, _ arguments: CallArguments, _ interpreter: Interpreter
  ) throws -> JinjaValue {
    let given = try arguments.bind("sort", ["reverse", "case_sensitive", "attribute"])
    let items = try interpreter.sequence(value, "sort")
    let keys = try items.map { item in
      // Several attributes with commas between them order by the first, then the second, …
      let paths = given.optional("attribute").map { $0.printed.text.split(separator: ",") } ?? []
      let parts = try paths.isEmpty ? [item] : paths.map { try picked(.text(String($0)), of: item) }
      return JinjaValue.list(parts.map { folded($0, given.flag("case_sensitive")) })
    }
    return .list(try ordered(items, by: keys, reversed: given.flag("reverse")))
  }

  @Sendable private static func dictsort(
    _ value: JinjaValue, _ arguments: CallArguments, _ interpreter: Interpreter
  ) throws -> JinjaValue {
    let given = try arguments.bind("dictsort", ["case_sensitive", "by", "reverse"])
    guard case .dictionary(let map) = value else {
      throw FireflyError("dictsort needs a dictionary", found: value.kind)
    }
    let by = try given.text("by", default: "key").text
    guard ["key", "value"].contains(by) else { throw FireflyError("dictsort orders by \"key\" or \"value\"") }
    let keys = map.entries.map { folded(by == "key" ? $0.key : $0.value, given.flag("case_sensitive")) }
    let pairs = map.entries.map { JinjaValue.tuple([$0.key, $0.value]) }
    return .list(try ordered(pairs, by: keys, reversed: given.flag("reverse")))
  }

  /// Stable, also when reversed, as Python's.
  private static func ordered(_ items: [JinjaValue], by keys: [JinjaValue], reversed: Bool) throws
    -> [JinjaValue]
  {
    let order = try items.indices.sorted { first, second in
      let (low, high) = reversed ? (second, first) : (first, second)
      if try Operators.precedes(keys[low], keys[high]) { return true }
      return try !Operators.precedes(keys[high], keys[low]) && first < second
    }
    return order.map { items[$0] }
  }

  private static func folded(_ value: JinjaValue, _ isCaseSensitive: Bool) -> JinjaValue {
    if !isCaseSensitive, case .string(let text) = value { return .text(text.text.lowercased()) }
    return value
  }

  @Sendable private static func unique(
    _ value: JinjaValue, _ arguments: CallArguments, _ interpreter: Interpreter
  ) throws -> JinjaValue {
    let given = try arguments.bind("unique", ["case_sensitive", "attribute"])
    var seen: [JinjaValue] = []
    return .iterator(
      try interpreter.sequence(value, "unique").filter { item in
        let key = folded(try picked(given.optional("attribute"), of: item), given.flag("case_sensitive"))
        guard key.isHashable else {
          throw FireflyError("unique cannot tell values of type \(key.kind) apart")
        }
        for other in seen {
          try interpreter.countStep()
          if other.equals(key) { return false }
        }
        seen.append(key)
        return true
      })
  }

  private static func extreme(
    _ value: JinjaValue, _ arguments: CallArguments, _ interpreter: Interpreter,
    _ beats: (JinjaValue, JinjaValue) throws -> Bool
  ) throws -> JinjaValue {
    let given = try arguments.bind("min", ["case_sensitive", "attribute"])
    let items = try interpreter.sequence(value, "min")
    guard var best = items.first else { return .undefined("there is no item") }
    func key(_ item: JinjaValue) throws -> JinjaValue {
      folded(try picked(given.optional("attribute"), of: item), given.flag("case_sensitive"))
    }
    for item in items.dropFirst() {
      if try beats(try key(item), try key(best)) { best = item }
    }
    return best
  }
}
