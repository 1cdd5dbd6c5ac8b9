import FireflyBase

extension Interpreter {
  /// - Throws: `FireflyError` without a place; the statement adds it.
  func evaluate(_ expression: Expression) throws -> JinjaValue {
    try countStep()
    try descend()
    defer { depth -= 1 }
    switch expression {
    case .null: return .null
    case .bool(let flag): return .bool(flag)
    case .int(let number): return .int(number)
    case .double(let number): return .double(number)
    case .string(let text): return .string(text)
    case .name(let name): return scope.lookUp(name) ?? .undefined("\"\(name)\" is undefined")
    case .list(let items): return try bounded(.list(items.map(evaluate)))
    case .tuple(let items): return try bounded(.tuple(items.map(evaluate)))
    case .dictionary(let members): return try bounded(try dictionary(members))
    case .attribute(let base, let name): return try Members.attribute(name, of: try evaluate(base))
    case .item(let base, let key): return try Members.item(try evaluate(key), of: try evaluate(base))
    case .slice(let base, let from, let to, let by):
      return try Members.slice(
        try evaluate(base), from: from.map(evaluate), to: to.map(evaluate), by: by.map(evaluate))
    case .call: return try evaluateCall(expression, caller: nil)
    case .filter(let value, let call): return try evaluateFilter(try evaluate(value), call)
    case .test(let value, let call):
      return .bool(try test(try evaluate(value), call.name, try values(call.arguments)))
    case .not(let value): return .bool(!(try evaluate(value).isTrue))
    case .negative(let value): return try Operators.negative(try evaluate(value))
    case .positive(let value): return try Operators.positive(try evaluate(value))
    case .and(let first, let second):
      let value = try evaluate(first)
      return value.isTrue ? try evaluate(second) : value
    case .or(let first, let second):
      let value = try evaluate(first)
      return value.isTrue ? value : try evaluate(second)
    case .binary(let operation, let first, let second):
      return try bounded(try Operators.apply(operation, try evaluate(first), try evaluate(second), limits))
    case .concatenation(let parts):
      return try bounded(.string(MarkedText.joined(try parts.map { try evaluate($0).printed })))
    case .comparison(let first, let rest): return .bool(try compare(first, rest))
    case .conditional(let condition, let then, let otherwise):
      if try evaluate(condition).isTrue { return try evaluate(then) }
      return try otherwise.map(evaluate) ?? .undefined("the condition does not hold and there is no else")
    }
  }

  private func dictionary(_ members: [(key: Expression, value: Expression)]) throws -> JinjaValue {
    var map = JinjaDictionary()
    for (key, value) in members { map[try evaluate(key)] = try evaluate(value) }
    return .dictionary(map)
  }

  private func compare(_ first: Expression, _ rest: [(Comparison, Expression)]) throws -> Bool {
    var left = try evaluate(first)
    for (comparison, operand) in rest {
      let right = try evaluate(operand)
      guard try Operators.holds(comparison, left, right) else { return false }
      left = right
    }
    return true
  }

  // MARK: - Calls

  func values(_ arguments: [Argument]) throws -> CallArguments {
    var values = CallArguments()
    for argument in arguments {
      let value = try evaluate(argument.value)
      if let name = argument.name {
        values.named.append((name, value))
      } else {
        values.positional.append(value)
      }
    }
    return values
  }

  /// - Parameter caller: what a macro finds under this name, in `{% call %}`.
  func evaluateCall(_ expression: Expression, caller: JinjaValue?) throws -> JinjaValue {
    guard case .call(let callee, let arguments) = expression else { return try evaluate(expression) }
    let value = try evaluate(callee)
    var given = try values(arguments)
    if let caller { given.named.append(("caller", caller)) }
    switch value {
    case .function(let function): return try bounded(try function.body(given, self))
    case .undefined(let why): throw FireflyError("the chat template calls what is not there: \(why)")
    default: throw FireflyError("the chat template calls a value of type \(value.kind)")
    }
  }

  func evaluateFilter(_ value: JinjaValue, _ call: FilterCall) throws -> JinjaValue {
    try bounded(try filter(value, call.name, try values(call.arguments)))
  }

  func filter(_ value: JinjaValue, _ name: String, _ arguments: CallArguments) throws -> JinjaValue {
    guard let filter = Filters.table[name] else {
      throw FireflyError("the chat template uses the filter \"\(name)\", which is not supported")
    }
    return try filter(value, arguments, self)
  }

  func test(_ value: JinjaValue, _ name: String, _ arguments: CallArguments) throws -> Bool {
    guard let test = Predicates.table[name] else {
      throw FireflyError("the chat template uses the test \"\(name)\", which is not supported")
    }
    return try test(value, arguments)
  }

  // MARK: - Sequences and bounds

  /// What a loop or filter walks over.
  ///
  /// - Throws: `FireflyError` for what has no items.
  func sequence(_ value: JinjaValue, _ what: String) throws -> [JinjaValue] {
    switch value {
    case .list(let items), .tuple(let items), .iterator(let items): return items
    case .dictionary(let map): return map.entries.map(\.key)
    case .string(let text):
      guard text.byteCount <= 4 * limits.members, text.scalarCount <= limits.members else {
        throw FireflyError(
          "the chat template makes too large a value", expected: "at most \(limits.members) members")
      }
      let offsets = text.scalarOffsets
      return zip(offsets, offsets.dropFirst()).map { .string(text.slice($0..<$1).safe(false)) }
    case .undefined: return []
    default: throw FireflyError("\(what) has no items: it is of type \(value.kind)")
    }
  }

  /// `value`, unless it has grown beyond the limits.
  private func bounded(_ value: JinjaValue) throws -> JinjaValue {
    var count = 0
    func add(_ value: JinjaValue, _ level: Int) throws {
      guard level <= limits.depth else {
        throw FireflyError("the chat template makes a value that is nested too deeply")
      }
      count += 1
      guard count <= limits.members else {
        throw FireflyError(
          "the chat template makes too large a value", expected: "at most \(limits.members) members")
      }
      switch value {
      case .string(let text): try countText(text)
      case .list(let items), .tuple(let items), .iterator(let items):
        try items.forEach { try add($0, level + 1) }
      case .dictionary(let map): try map.entries.forEach { try add($0.value, level + 1) }
      default: break
      }
    }
    try add(value, 0)
    return value
  }
}
