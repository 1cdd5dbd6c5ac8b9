import FireflyBase
import Foundation

/// Python's operators.
enum Operators {
  static func apply(
    _ operation: BinaryOperator, _ first: JinjaValue, _ second: JinjaValue, _ limits: JinjaLimits
  ) throws -> JinjaValue {
    if let one = first.integer, let two = second.integer { return try integers(operation, one, two) }
    if let one = first.number, let two = second.number { return try floats(operation, one, two) }
    switch (operation, first, second) {
    case (.add, .string(let text), .string(let more)): return .string(text.adding(more))
    case (.add, .list(let list), .list(let more)): return .list(list + more)
    case (.add, .tuple(let list), .tuple(let more)): return .tuple(list + more)
    case (.modulo, .string(let format), _): return .string(try PercentFormat.apply(format, second))
    case (.multiply, .string(let text), _), (.multiply, _, .string(let text)):
      if let count = first.integer ?? second.integer { return .string(try repeated(text, count, limits)) }
    case (.multiply, .list(let list), _), (.multiply, _, .list(let list)):
      if let count = first.integer ?? second.integer { return .list(try repeated(list, count, limits)) }
    case (.multiply, .tuple(let list), _), (.multiply, _, .tuple(let list)):
      if let count = first.integer ?? second.integer { return .tuple(try repeated(list, count, limits)) }
    default: break
    }
    for case .undefined(let why) in [first, second] {
      throw FireflyError("cannot apply \"\(operation.rawValue)\": \(why)")
    }
    throw FireflyError(
      "cannot apply \"\(operation.rawValue)\" to values of type \(first.kind) and \(second.kind)")
  }

  private static func integers(_ operation: BinaryOperator, _ one: Int, _ two: Int) throws -> JinjaValue {
    func checked(_ result: (partialValue: Int, overflow: Bool)) throws -> JinjaValue {
      guard !result.overflow else { throw FireflyError("a whole number is too large") }
      return .int(result.partialValue)
    }
    switch operation {
    case .add: return try checked(one.addingReportingOverflow(two))
    case .subtract: return try checked(one.subtractingReportingOverflow(two))
    case .multiply: return try checked(one.multipliedReportingOverflow(by: two))
    case .divide: return try floats(operation, Double(one), Double(two))
    case .floorDivide, .modulo:
      guard two != 0 else { throw FireflyError("division by zero") }
      guard two != -1 else {
        return operation == .modulo ? .int(0) : try checked(0.subtractingReportingOverflow(one))
      }
      let remainder = one % two
      let isAdjusted = remainder != 0 && (remainder < 0) != (two < 0)
      if operation == .modulo { return .int(isAdjusted ? remainder + two : remainder) }
      return .int(isAdjusted ? one / two - 1 : one / two)
    case .power:
      guard two >= 0 else { return try floats(operation, Double(one), Double(two)) }
      return .int(try power(one, two))
    }
  }

  private static func power(_ base: Int, _ exponent: Int) throws -> Int {
    var (result, base, exponent) = (1, base, exponent)
    while exponent > 0 {
      if exponent & 1 == 1 {
        let product = result.multipliedReportingOverflow(by: base)
        guard !product.overflow else { throw FireflyError("a whole number is too large") }
        result = product.partialValue
      }
      exponent >>= 1
      guard exponent > 0 else { break }
      let square = base.multipliedReportingOverflow(by: base)
      guard !square.overflow else { throw FireflyError("a whole number is too large") }
      base = square.partialValue
    }
    return result
  }

  private static func floats(_ operation: BinaryOperator, _ one: Double, _ two: Double) throws -> JinjaValue {
    switch operation {
    case .add: return .double(one + two)
    case .subtract: return .double(one - two)
    case .multiply: return .double(one * two)
    case .divide, .floorDivide, .modulo:
      guard two != 0 else { throw FireflyError("division by zero") }
      if operation == .divide { return .double(one / two) }
      var remainder = fmod(one, two)
      if remainder == 0 { remainder = Double(signOf: two, magnitudeOf: 0) }
      if remainder != 0 && (remainder < 0) != (two < 0) { remainder += two }
      return .double(operation == .modulo ? remainder : ((one - remainder) / two).rounded())
    case .power: return .double(pow(one, two))
    }
  }

  private static func repeated(_ text: MarkedText, _ count: Int, _ limits: JinjaLimits) throws -> MarkedText {
    let (bytes, overflow) = text.byteCount.multipliedReportingOverflow(by: max(0, count))
    guard !overflow, bytes <= limits.bytes else {
      throw FireflyError("the chat template makes too long a text", expected: "at most \(limits.bytes) bytes")
    }
    let repeated =
      text.marks.isEmpty
      ? MarkedText(String(repeating: text.text, count: max(0, count)))
      : MarkedText.joined(repeatElement(text, count: max(0, count)))
    return repeated.safe(text.isSafe)
  }

  private static func repeated(_ list: [JinjaValue], _ count: Int, _ limits: JinjaLimits) throws
    -> [JinjaValue]
  {
    let (members, overflow) = list.count.multipliedReportingOverflow(by: max(0, count))
    guard !overflow, members <= limits.members else {
      throw FireflyError(
        "the chat template makes too large a value", expected: "at most \(limits.members) members")
    }
    return Array(repeatElement(list, count: max(0, count)).joined())
  }

  static func negative(_ value: JinjaValue) throws -> JinjaValue {
    if case .double(let number) = value { return .double(-number) }  // 0 − 0 has no sign
    return try apply(.subtract, .int(0), numeric(value, "-"), JinjaLimits())
  }

  static func positive(_ value: JinjaValue) throws -> JinjaValue {
    if case .double = value { return value }
    return try apply(.add, .int(0), numeric(value, "+"), JinjaLimits())
  }

  private static func numeric(_ value: JinjaValue, _ sign: String) throws -> JinjaValue {
    guard value.number != nil else {
      throw FireflyError("cannot apply \"\(sign)\" to a value of type \(value.kind)")
    }
    return value
  }

  // MARK: - Comparisons

  static func holds(_ comparison: Comparison, _ first: JinjaValue, _ second: JinjaValue) throws -> Bool {
    switch comparison {
    case .equal: return first.equals(second)
    case .unequal: return !first.equals(second)
    case .less: return try precedes(first, second)
    case .greater: return try precedes(second, first)
    case .lessOrEqual: return try precedes(first, second) || first.equals(second)
    case .greaterOrEqual: return try precedes(second, first) || first.equals(second)
    case .isIn: return try contains(second, first)
    case .isNotIn: return try !contains(second, first)
    }
  }

  static func precedes(_ first: JinjaValue, _ second: JinjaValue) throws -> Bool {
    guard let result = first.precedes(second) else {
      for case .undefined(let why) in [first, second] { throw FireflyError("cannot compare: \(why)") }
      throw FireflyError("values of type \(first.kind) and \(second.kind) have no order")
    }
    return result
  }

  static func contains(_ container: JinjaValue, _ item: JinjaValue) throws -> Bool {
    switch container {
    case .string(let text):
      guard case .string(let part) = item else {
        throw FireflyError("only a string can be in a string", found: item.kind)
      }
      return text.contains(part)
    case .list(let items), .tuple(let items), .iterator(let items): return items.contains { $0.equals(item) }
    case .dictionary(let map):
      guard item.isHashable else { throw FireflyError("no key can be a value of type \(item.kind)") }
      return map[item] != nil
    case .undefined: return false
    default: throw FireflyError("nothing can be in a value of type \(container.kind)")
    }
  }
}
