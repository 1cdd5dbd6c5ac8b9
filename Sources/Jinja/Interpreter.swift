import FireflyBase
import Foundation

/// The names of one block; what is not here is looked up in the block around it.
final class Scope {
  var values: [String: JinjaValue] = [:]
  let parent: Scope?

  init(_ parent: Scope?) { self.parent = parent }

  func lookUp(_ name: String) -> JinjaValue? {
    var scope: Scope? = self
    while let here = scope {
      if let value = here.values[name] { return value }
      scope = here.parent
    }
    return nil
  }
}

/// One rendering: walks the tree, statement by statement.
final class Interpreter {
  let now: Date
  let limits: JinjaLimits
  var scope = Scope(nil)
  private let place: String
  private var output = MarkedText()
  private var generations: [Range<Int>] = []
  /// The line of the statement at hand.
  private var line = 1
  private var steps = 0
  var depth = 0
  /// Texts being gathered that are not the output itself.
  private var captures = 0
  /// Where macros were written. Such a scope holds a macro that holds the scope.
  private var homes: [Scope] = []

  /// How a statement ends.
  enum Flow { case onwards, nextTurn, leaveLoop }

  init(place: String, now: Date, limits: JinjaLimits) {
    self.place = place
    self.now = now
    self.limits = limits
    for (name, function) in Globals.table { scope.values[name] = .function(function) }
    scope = Scope(scope)
  }

  /// To be called once.
  func run(_ statements: [Statement]) throws -> JinjaRendering {
    defer { for home in homes { home.values = [:] } }
    do {
      _ = try execute(statements)
    } catch var error as FireflyError {
      error.place = error.place ?? "\(place):\(line)"
      throw error
    }
    return JinjaRendering(text: output, generations: generations)
  }

  func countStep() throws {
    steps += 1
    guard steps <= limits.steps else {
      throw FireflyError("the chat template does not end", expected: "at most \(limits.steps) steps")
    }
  }

  /// Goes one level deeper; who calls it comes back up with `depth -= 1`.
  func descend() throws {
    depth += 1
    guard depth <= limits.depth else {
      depth -= 1
      throw FireflyError("the chat template is nested too deeply", expected: "at most \(limits.depth) levels")
    }
  }

  private func write(_ text: MarkedText) throws {
    output.append(text)
    try checkSize(output.byteCount)
  }

  func checkSize(_ bytes: Int) throws {
    guard bytes <= limits.bytes else {
      throw FireflyError(
        "the chat template makes too long a text", expected: "at most \(limits.bytes) bytes")
    }
  }

  /// Checks the size of a text that was made, and counts it: a kilobyte is as much work as a step.
  func countText(_ text: MarkedText) throws {
    try checkSize(text.byteCount)
    steps += text.byteCount >> 10
  }

  // MARK: - Statements

  private func execute(_ statements: [Statement]) throws -> Flow {
    try descend()
    defer { depth -= 1 }
    for statement in statements {
      line = statement.line
      try countStep()
      let flow = try execute(statement.kind)
      if flow != .onwards { return flow }
    }
    return .onwards
  }

  private func execute(_ statement: Statement.Kind) throws -> Flow {
    switch statement {
    case .text(let text):
      output.append(text)
      try checkSize(output.byteCount)
    case .output(let value): try write(try evaluate(value).printed)
    case .conditional(let branches, let otherwise):
      for branch in branches where try evaluate(branch.condition).isTrue { return try execute(branch.body) }
      return try execute(otherwise)
    case .loop(let loop): try run(loop)
    case .set(let target, let value): try assign(try evaluate(value), to: target)
    case .capture(let target, let filters, let body):
      try assign(try apply(filters, to: .string(try captured(body))), to: target)
    case .filter(let filters, let body):
      try write(try apply(filters, to: .string(try captured(body))).printed)
    case .macro(let macro): scope.values[macro.name] = .function(function(macro))
    case .call(let caller, let call):
      let function = JinjaValue.function(function(caller))
      try write(try evaluateCall(call, caller: function).printed)
    case .with(let values, let body):
      let evaluated = try values.map { ($0.target, try evaluate($0.value)) }
      return try inNewScope {
        for (target, value) in evaluated { try assign(value, to: target) }
        return try execute(body)
      }
    case .generation(let body): return try generate(body)
    case .leaveLoop: return .leaveLoop
    case .nextTurn: return .nextTurn
    }
    return .onwards
  }

  private func generate(_ body: [Statement]) throws -> Flow {
    guard captures == 0 else {
      throw FireflyError("{% generation %} inside a macro or a set block is not supported")
    }
    let start = output.byteCount
    let flow = try inNewScope { try execute(body) }
    if output.byteCount > start { generations.append(start..<output.byteCount) }
    return flow
  }

  private func inNewScope<Value>(_ parent: Scope? = nil, _ body: () throws -> Value) rethrows -> Value {
    let outer = scope
    scope = Scope(parent ?? outer)
    defer { scope = outer }
    return try body()
  }

  /// What `body` writes, as a text of its own.
  private func captured(_ body: [Statement], in parent: Scope? = nil, _ prepare: () throws -> Void = {})
    throws
    -> MarkedText
  {
    let outer = output
    output = MarkedText()
    captures += 1
    defer {
      output = outer
      captures -= 1
    }
    return try inNewScope(parent) {
      try prepare()
      _ = try execute(body)
      return output
    }
  }

  private func apply(_ filters: [FilterCall], to value: JinjaValue) throws -> JinjaValue {
    try filters.reduce(value) { try evaluateFilter($0, $1) }
  }

  // MARK: - Loops

  private func run(_ loop: LoopStatement) throws {
    var items = try sequence(try evaluate(loop.sequence), "the loop's sequence")
    if let filter = loop.filter {
      items = try items.filter { item in
        try inNewScope {
          try assign(item, to: loop.target)
          return try evaluate(filter).isTrue
        }
      }
    }
    guard !items.isEmpty else {
      _ = try inNewScope { try execute(loop.otherwise) }
      return
    }
    let state = LoopState(items)
    for index in items.indices {
      try countStep()
      state.index = index
      let flow = try inNewScope {
        scope.values["loop"] = .object(state)
        try assign(items[index], to: loop.target)
        return try execute(loop.body)
      }
      if flow == .leaveLoop { break }
    }
  }

  func assign(_ value: JinjaValue, to target: Target) throws {
    switch target {
    case .name(let name): scope.values[name] = value
    case .member(let name, let member):
      guard case .object(let object) = scope.lookUp(name), let namespace = object as? Namespace else {
        throw FireflyError("cannot set \(name).\(member): only a namespace has members to set")
      }
      namespace.members[.text(member)] = value
    case .several(let targets):
      let values = try sequence(value, "the value to unpack")
      guard values.count == targets.count else {
        throw FireflyError("cannot unpack \(values.count) values into \(targets.count) names")
      }
      for (target, value) in zip(targets, values) { try assign(value, to: target) }
    }
  }

  // MARK: - Macros

  /// A macro with the names around its definition.
  private func function(_ macro: MacroDefinition) -> JinjaFunction {
    let home = scope
    if homes.last !== home { homes.append(home) }
    return JinjaFunction(name: macro.name) { arguments, interpreter in
      try interpreter.call(macro, arguments, home: home)
    }
  }

  private func call(_ macro: MacroDefinition, _ arguments: CallArguments, home: Scope) throws -> JinjaValue {
    let callLine = line
    defer { line = callLine }
    var rest = arguments
    let caller = rest.take("caller")
    let given = try rest.bind("macro \(macro.name)", macro.parameters.map(\.name))
    let text = try captured(macro.body, in: home) {
      scope.values["caller"] = caller
      for parameter in macro.parameters {
        scope.values[parameter.name] =
          try given[parameter.name] ?? parameter.fallback.map(evaluate) ?? .undefined(parameter.name)
      }
    }
    return .string(text)
  }
}
