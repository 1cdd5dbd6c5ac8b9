import FireflyBase

/// Makes a tree of tokens: the statements. `Parser+Expressions` has the rest.
struct Parser {
  /// Nesting beyond this is refused: every level takes a few frames of the stack.
  static let deepest = 80

  let place: String
  private let tokens: [Token]
  private var index = 0
  private var depth = 0

  init(_ tokens: [Token], place: String) {
    self.tokens = tokens
    self.place = place
  }

  /// - Throws: `FireflyError` with the line of the first thing that is not understood or not supported.
  mutating func template() throws -> [Statement] {
    let statements = try body(until: [])
    guard current.kind == .end else { throw unexpected("the end of the template") }
    return statements
  }

  // MARK: - Tokens

  var current: Token { tokens[index] }
  var following: Token { tokens[min(index + 1, tokens.count - 1)] }

  @discardableResult
  mutating func advance() -> Token {
    defer { if index + 1 < tokens.count { index += 1 } }
    return tokens[index]
  }

  mutating func skip(_ kind: Token.Kind) -> Bool {
    guard current.kind == kind else { return false }
    advance()
    return true
  }

  mutating func expect(_ kind: Token.Kind, _ what: String) throws {
    guard skip(kind) else { throw unexpected(what) }
  }

  mutating func name(_ what: String) throws -> String {
    guard case .name(let name) = current.kind else { throw unexpected(what) }
    advance()
    return name
  }

  /// Runs `body` one level deeper.
  mutating func nested<Value>(_ body: (inout Parser) throws -> Value) throws -> Value {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Parser.deepest else { throw error("it is nested more than \(Parser.deepest) deep") }
    return try body(&self)
  }

  func unexpected(_ expected: String) -> FireflyError {
    var error = error("found \(Parser.spelled(current.kind))")
    error.expected = expected
    return error
  }

  func error(_ what: String) -> FireflyError {
    FireflyError("the chat template is not understood: \(what)", at: "\(place):\(current.line)")
  }

  static func spelled(_ kind: Token.Kind) -> String {
    switch kind {
    case .text: "text"
    case .blockBegin: "{%"
    case .blockEnd: "%}"
    case .outputBegin: "{{"
    case .outputEnd: "}}"
    case .name(let name): "\"\(name)\""
    case .string(let text): "the string '\(text.prefix(20))'"
    case .integer(let number): "\(number)"
    case .float(let number): "\(number)"
    case .symbol(let symbol): "\"\(symbol)\""
    case .end: "the end"
    }
  }

  // MARK: - Statements

  /// Statements up to a tag whose name is in `ends`, which stays the current one, its `{%` read.
  mutating func body(until ends: Set<String>) throws -> [Statement] {
    try nested { parser in
      var statements: [Statement] = []
      while true {
        let line = parser.current.line
        switch parser.current.kind {
        case .text(let text):
          parser.advance()
          statements.append(Statement(kind: .text(text), line: line))
        case .outputBegin:
          parser.advance()
          let value = try parser.tupleExpression()
          try parser.expect(.outputEnd, "}}")
          statements.append(Statement(kind: .output(value), line: line))
        case .blockBegin:
          parser.advance()
          if case .name(let name) = parser.current.kind, ends.contains(name) { return statements }
          statements.append(Statement(kind: try parser.tag(), line: line))
        default:
          guard ends.isEmpty else {
            throw parser.unexpected("{% \(ends.sorted().joined(separator: " or ")) %}")
          }
          return statements
        }
      }
    }
  }

  /// A body and its end tag.
  mutating func wholeBody(_ end: String) throws -> [Statement] {
    let statements = try body(until: [end])
    advance()
    try expect(.blockEnd, "%}")
    return statements
  }

  private mutating func tag() throws -> Statement.Kind {
    let line = current
    let name = try name("the name of a tag")
    switch name {
    case "if": return try conditional()
    case "for": return try loop()
    case "set": return try set()
    case "macro": return try macro()
    case "call": return try call()
    case "filter": return try filterBlock()
    case "with": return try with()
    case "generation":
      try expect(.blockEnd, "%}")
      return .generation(try wholeBody("endgeneration"))
    case "break", "continue":
      try expect(.blockEnd, "%}")
      return name == "break" ? .leaveLoop : .nextTurn
    default:
      throw FireflyError(
        "the chat template uses the tag \"\(name)\", which is not supported", at: "\(place):\(line.line)",
        fix: "Name one of the templates that come with Firefly instead of \"auto\".")
    }
  }

  private mutating func conditional() throws -> Statement.Kind {
    var branches: [(condition: Expression, body: [Statement])] = []
    var otherwise: [Statement] = []
    while true {
      let condition = try tupleExpression()
      try expect(.blockEnd, "%}")
      branches.append((condition, try body(until: ["elif", "else", "endif"])))
      let end = try name("a tag")
      if end == "elif" { continue }
      try expect(.blockEnd, "%}")
      if end == "else" { otherwise = try wholeBody("endif") }
      return .conditional(branches, otherwise: otherwise)
    }
  }

  private mutating func loop() throws -> Statement.Kind {
    let target = try target(stoppingAt: "in")
    try expect(.name("in"), "\"in\"")
    let sequence = try tupleExpression(allowsConditional: false)
    let filter = skip(.name("if")) ? try expression() : nil
    if current.kind == .name("recursive") { throw error("recursive loops are not supported") }
    try expect(.blockEnd, "%}")
    let body = try body(until: ["else", "endfor"])
    let end = try name("a tag")
    try expect(.blockEnd, "%}")
    let otherwise = end == "else" ? try wholeBody("endfor") : []
    return .loop(
      LoopStatement(target: target, sequence: sequence, filter: filter, body: body, otherwise: otherwise))
  }

  private mutating func set() throws -> Statement.Kind {
    let target = try target(stoppingAt: "=")
    if skip(.symbol("=")) {
      let value = try tupleExpression()
      try expect(.blockEnd, "%}")
      return .set(target, value)
    }
    let filters = try filters()
    try expect(.blockEnd, "%}")
    return .capture(target, filters, try wholeBody("endset"))
  }

  private mutating func filters() throws -> [FilterCall] {
    var filters: [FilterCall] = []
    while skip(.symbol("|")) { filters.append(try filterCall()) }
    return filters
  }

  private mutating func macro() throws -> Statement.Kind {
    let name = try name("the macro's name")
    let parameters = try parameters()
    try expect(.blockEnd, "%}")
    return .macro(MacroDefinition(name: name, parameters: parameters, body: try wholeBody("endmacro")))
  }

  private mutating func call() throws -> Statement.Kind {
    let parameters = current.kind == .symbol("(") ? try parameters() : []
    let callee = try expression()
    guard case .call = callee else { throw error("{% call %} without a call") }
    try expect(.blockEnd, "%}")
    let body = try wholeBody("endcall")
    return .call(MacroDefinition(name: "caller", parameters: parameters, body: body), callee)
  }

  private mutating func parameters() throws -> [(name: String, fallback: Expression?)] {
    var parameters: [(name: String, fallback: Expression?)] = []
    try expect(.symbol("("), "\"(\"")
    while !skip(.symbol(")")) {
      if !parameters.isEmpty { try expect(.symbol(","), "\",\"") }
      if skip(.symbol(")")) { break }
      let name = try name("a parameter")
      parameters.append((name, skip(.symbol("=")) ? try expression() : nil))
    }
    return parameters
  }

  private mutating func filterBlock() throws -> Statement.Kind {
    let filters = [try filterCall()] + (try filters())
    try expect(.blockEnd, "%}")
    return .filter(filters, try wholeBody("endfilter"))
  }

  private mutating func with() throws -> Statement.Kind {
    var values: [(target: Target, value: Expression)] = []
    while !skip(.blockEnd) {
      if !values.isEmpty { try expect(.symbol(","), "\",\"") }
      let target = try target(stoppingAt: "=")
      try expect(.symbol("="), "\"=\"")
      values.append((target, try expression()))
    }
    return .with(values, try wholeBody("endwith"))
  }

  /// One name, `name.member`, or several with commas between them.
  private mutating func target(stoppingAt stop: String) throws -> Target {
    var targets: [Target] = []
    var isSeveral = false
    repeat {
      if isSeveral, current.kind == .name(stop) || current.kind == .symbol(stop) { break }
      if skip(.symbol("(")) {
        targets.append(try nested { try $0.target(stoppingAt: ")") })
        try expect(.symbol(")"), "\")\"")
      } else {
        let name = try name("a name to set")
        targets.append(
          skip(.symbol(".")) ? .member(of: name, try self.name("a member's name")) : .name(name))
      }
      guard skip(.symbol(",")) else { break }
      isSeveral = true
    } while true
    return isSeveral || targets.count != 1 ? .several(targets) : targets[0]
  }
}
