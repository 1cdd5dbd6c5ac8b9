/// A template as a tree.
struct Statement: Sendable {
  var kind: Kind
  var line: Int

  indirect enum Kind: Sendable {
    case text(String)
    case output(Expression)
    case conditional([(condition: Expression, body: [Statement])], otherwise: [Statement])
    case loop(LoopStatement)
    case set(Target, Expression)
    /// `{% set x %} … {% endset %}`, its text through the filters.
    case capture(Target, [FilterCall], [Statement])
    case macro(MacroDefinition)
    /// `{% call(…) macro(…) %} … {% endcall %}`.
    case call(MacroDefinition, Expression)
    case filter([FilterCall], [Statement])
    case with([(target: Target, value: Expression)], [Statement])
    /// `{% generation %}`: text that the model is to produce.
    case generation([Statement])
    case leaveLoop
    case nextTurn
  }
}

struct LoopStatement: Sendable {
  var target: Target
  var sequence: Expression
  var filter: Expression?
  var body: [Statement]
  var otherwise: [Statement]
}

struct MacroDefinition: Sendable {
  var name: String
  var parameters: [(name: String, fallback: Expression?)]
  var body: [Statement]
}

/// What `set` and `for` write to.
indirect enum Target: Sendable {
  case name(String)
  case member(of: String, String)
  case several([Target])
}

struct FilterCall: Sendable {
  var name: String
  var arguments: [Argument]
}

/// An argument of a call.
struct Argument: Sendable {
  /// nil when it goes by its place.
  var name: String?
  var value: Expression
}

indirect enum Expression: Sendable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(MarkedText)
  case name(String)
  case list([Expression])
  case tuple([Expression])
  case dictionary([(key: Expression, value: Expression)])
  case attribute(Expression, String)
  case item(Expression, Expression)
  case slice(Expression, from: Expression?, to: Expression?, by: Expression?)
  case call(Expression, [Argument])
  case filter(Expression, FilterCall)
  case test(Expression, FilterCall)
  case not(Expression)
  case negative(Expression)
  case positive(Expression)
  case and(Expression, Expression)
  case or(Expression, Expression)
  case binary(BinaryOperator, Expression, Expression)
  case concatenation([Expression])
  /// `a < b < c` holds when every neighbouring pair does.
  case comparison(Expression, [(Comparison, Expression)])
  case conditional(Expression, then: Expression, otherwise: Expression?)
}

enum BinaryOperator: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case floorDivide = "//"
  case modulo = "%"
  case power = "**"
}

enum Comparison: String, Sendable {
  case equal = "=="
  case unequal = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case isIn = "in"
  case isNotIn = "not in"
}
