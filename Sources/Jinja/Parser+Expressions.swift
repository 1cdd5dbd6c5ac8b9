import FireflyBase

/// Expressions, from the loosest binding to the tightest: `if`, or, and, not, comparison, + −, ~, * / // %, **, sign,
/// filters and tests, members and calls.
extension Parser {
  /// An expression, or several with commas between them: a tuple.
  mutating func tupleExpression(allowsConditional: Bool = true) throws -> Expression {
    func one(_ parser: inout Parser) throws -> Expression {
      allowsConditional ? try parser.expression() : try parser.nested { try $0.disjunction() }
    }
    let first = try one(&self)
    guard current.kind == .symbol(",") else { return first }
    var items = [first]
    while skip(.symbol(",")) {
      if endsTuple { break }
      items.append(try one(&self))
    }
    return .tuple(items)
  }

  private var endsTuple: Bool {
    switch current.kind {
    case .blockEnd, .outputEnd, .symbol(")"), .name("in"), .name("if"): true
    default: false
    }
  }

  mutating func expression() throws -> Expression {
    try nested { parser in
      var value = try parser.disjunction()
      while parser.skip(.name("if")) {
        let condition = try parser.disjunction()
        let otherwise = parser.skip(.name("else")) ? try parser.expression() : nil
        value = .conditional(condition, then: value, otherwise: otherwise)
      }
      return value
    }
  }

  mutating func disjunction() throws -> Expression {
    try chain({ try $0.conjunction() }) { $0.skip(.name("or")) ? { .or($0, $1) } : nil }
  }

  private mutating func conjunction() throws -> Expression {
    try chain({ try $0.negation() }) { $0.skip(.name("and")) ? { .and($0, $1) } : nil }
  }

  private mutating func negation() throws -> Expression {
    guard skip(.name("not")) else { return try comparison() }
    return .not(try nested { try $0.negation() })
  }

  private mutating func comparison() throws -> Expression {
    let first = try sum()
    var rest: [(Comparison, Expression)] = []
    while let comparison = nextComparison() {
      advance()
      if comparison == .isNotIn { advance() }
      rest.append((comparison, try sum()))
    }
    return rest.isEmpty ? first : .comparison(first, rest)
  }

  private func nextComparison() -> Comparison? {
    switch current.kind {
    case .symbol(let symbol): Comparison(rawValue: symbol)
    case .name("in"): .isIn
    case .name("not"): following.kind == .name("in") ? .isNotIn : nil
    default: nil
    }
  }

  private mutating func sum() throws -> Expression {
    try chain({ try $0.concatenation() }) { $0.binary([.add, .subtract]) }
  }

  private mutating func concatenation() throws -> Expression {
    var parts = [try product()]
    while skip(.symbol("~")) { parts.append(try product()) }
    return parts.count == 1 ? parts[0] : .concatenation(parts)
  }

  private mutating func product() throws -> Expression {
    try chain({ try $0.power() }) { $0.binary([.multiply, .divide, .floorDivide, .modulo]) }
  }

  private mutating func power() throws -> Expression {
    try chain({ try $0.unary() }) { $0.binary([.power]) }
  }

  private mutating func binary(_ operators: [BinaryOperator]) -> ((Expression, Expression) -> Expression)? {
    guard case .symbol(let symbol) = current.kind,
      let found = operators.first(where: { $0.rawValue == symbol })
    else { return nil }
    advance()
    return { .binary(found, $0, $1) }
  }

  /// Operands of one precedence, from left to right.
  private mutating func chain(
    _ operand: (inout Parser) throws -> Expression,
    _ operation: (inout Parser) -> ((Expression, Expression) -> Expression)?
  ) throws -> Expression {
    try links(try operand(&self)) { parser, value in
      guard let combine = operation(&parser) else { return nil }
      return combine(value, try operand(&parser))
    }
  }

  /// A value with all that follows it: a long chain is as deep as it is long.
  private mutating func links(
    _ value: Expression, _ next: (inout Parser, Expression) throws -> Expression?
  ) throws -> Expression {
    var value = value
    var length = 0
    while let longer = try next(&self, value) {
      length += 1
      guard length <= Parser.deepest else {
        throw error("more than \(Parser.deepest) operators follow each other")
      }
      value = longer
    }
    return value
  }

  private mutating func unary(withFilters: Bool = true) throws -> Expression {
    var value: Expression
    if skip(.symbol("-")) {
      value = .negative(try nested { try $0.unary(withFilters: false) })
    } else if skip(.symbol("+")) {
      value = .positive(try nested { try $0.unary(withFilters: false) })
    } else {
      value = try primary()
    }
    value = try postfix(value)
    return withFilters ? try filtersAndTests(value) : value
  }

  // MARK: - Filters and tests

  private mutating func filtersAndTests(_ value: Expression) throws -> Expression {
    try links(value) { parser, value in
      if parser.skip(.symbol("|")) { return .filter(value, try parser.filterCall()) }
      if parser.skip(.name("is")) {
        let isNegated = parser.skip(.name("not"))
        let test = Expression.test(value, try parser.testCall())
        return isNegated ? .not(test) : test
      }
      return parser.current.kind == .symbol("(") ? .call(value, try parser.arguments()) : nil
    }
  }

  mutating func filterCall() throws -> FilterCall {
    let name = try name("a filter's name")
    return FilterCall(name: name, arguments: current.kind == .symbol("(") ? try arguments() : [])
  }

  /// A test and its argument, which may go without parentheses.
  private mutating func testCall() throws -> FilterCall {
    let name = try name("a test's name")
    switch current.kind {
    case .symbol("("): return FilterCall(name: name, arguments: try arguments())
    case .name("is"): throw error("tests cannot follow each other with \"is\"")
    case .name("else"), .name("or"), .name("and"):
      return FilterCall(name: name, arguments: [])
    case .name, .string, .integer, .float, .symbol("["), .symbol("{"):
      let value = try postfix(try primary())
      return FilterCall(name: name, arguments: [Argument(value: value)])
    default: return FilterCall(name: name, arguments: [])
    }
  }

  // MARK: - Members and calls

  private mutating func postfix(_ value: Expression) throws -> Expression {
    try links(value) { parser, value in
      if parser.skip(.symbol(".")) {
        guard case .integer(let number) = parser.current.kind else {
          return .attribute(value, try parser.name("a member's name"))
        }
        parser.advance()
        return .item(value, .int(number))
      }
      if parser.skip(.symbol("[")) { return try parser.subscripted(value) }
      return parser.current.kind == .symbol("(") ? .call(value, try parser.arguments()) : nil
    }
  }

  private mutating func subscripted(_ value: Expression) throws -> Expression {
    func part(_ parser: inout Parser) throws -> Expression? {
      switch parser.current.kind {
      case .symbol(":"), .symbol("]"): nil
      default: try parser.expression()
      }
    }
    let first = try part(&self)
    guard skip(.symbol(":")) else {
      guard let first else { throw unexpected("an index") }
      try expect(.symbol("]"), "\"]\"")
      return .item(value, first)
    }
    let second = try part(&self)
    let third = skip(.symbol(":")) ? try part(&self) : nil
    try expect(.symbol("]"), "\"]\"")
    return .slice(value, from: first, to: second, by: third)
  }

  mutating func arguments() throws -> [Argument] {
    var arguments: [Argument] = []
    try expect(.symbol("("), "\"(\"")
    while !skip(.symbol(")")) {
      if !arguments.isEmpty { try expect(.symbol(","), "\",\"") }
      if skip(.symbol(")")) { break }
      if current.kind == .symbol("*") || current.kind == .symbol("**") {
        throw error("* and ** before an argument are not supported")
      }
      if case .name(let name) = current.kind, following.kind == .symbol("=") {
        advance()
        advance()
        arguments.append(Argument(name: name, value: try expression()))
      } else {
        if arguments.last?.name != nil { throw error("an argument without a name follows one with a name") }
        arguments.append(Argument(value: try expression()))
      }
    }
    return arguments
  }

  // MARK: - Values

  private mutating func primary() throws -> Expression {
    switch current.kind {
    case .name(let name):
      advance()
      switch name {
      case "true", "True": return .bool(true)
      case "false", "False": return .bool(false)
      case "none", "None": return .null
      default: return .name(name)
      }
    case .string(let text):
      advance()
      var whole = text
      while case .string(let more) = current.kind {
        advance()
        whole += more
      }
      return .string(MarkedText(whole))
    case .integer(let number):
      advance()
      return .int(number)
    case .float(let number):
      advance()
      return .double(number)
    case .symbol("("): return try parenthesised()
    case .symbol("["): return .list(try items(until: "]") { try $0.expression() })
    case .symbol("{"):
      return .dictionary(
        try items(until: "}") { parser in
          let key = try parser.expression()
          try parser.expect(.symbol(":"), "\":\"")
          return (key: key, value: try parser.expression())
        })
    default: throw unexpected("a value")
    }
  }

  private mutating func parenthesised() throws -> Expression {
    advance()
    if skip(.symbol(")")) { return .tuple([]) }
    let value = try tupleExpression()
    try expect(.symbol(")"), "\")\"")
    return value
  }

  private mutating func items<Item>(
    until end: String, _ item: (inout Parser) throws -> Item
  ) throws -> [Item] {
    advance()
    var items: [Item] = []
    while !skip(.symbol(end)) {
      if !items.isEmpty { try expect(.symbol(","), "\",\"") }
      if skip(.symbol(end)) { break }
      items.append(try item(&self))
    }
    return items
  }
}
