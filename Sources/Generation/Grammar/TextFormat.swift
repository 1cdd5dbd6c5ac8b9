import FireflyBase

/// A format that an answer's text can be held to.
public indirect enum TextFormat: Sendable {
  /// A JSON object, whatever its members.
  case jsonObject
  /// JSON of this schema (JSON Schema, as far as `JSONSchema` reads it).
  case jsonSchema(OrderedJSON)
  /// A function's name, then its arguments as JSON of its schema, with something between and after: a call.
  case calls([(name: String, schema: OrderedJSON)], between: String, after: String)
  /// One of these texts, none of them empty.
  case oneOf([String])
  /// What this regular expression (as of a schema's "pattern") describes from its beginning to its end.
  case expression(String)
  /// An answer of a format, or calls of functions in one of these spellings.
  case either(TextFormat, calls: [CallFormat])
  /// An answer of a format behind reasoning of any text up to `close`. Where the answer itself begins the reasoning, with `open`, it
  /// may also go without.
  case reasoned(open: [CallFormat.Piece]?, close: [CallFormat.Piece], TextFormat)

  /// - Throws: `FireflyError` naming the keyword of a schema that is not supported, when the format is too large, and when no text is
  ///   of it.
  public func constraint(_ tokens: TokenTrie) throws -> TextConstraint {
    let (rules, notes) = try JSONSchema.rules(of: self)
    let grammar = try ByteGrammar(rules)
    guard !grammar.start.isDead else {
      throw FireflyError("no text is of the format", fix: "Take out what excludes the rest of it.")
    }
    return TextConstraint(grammar, tokens, notes: notes)
  }
}

/// How a model spells calls of functions, as a format of its answers.
public struct CallFormat: Sendable {
  /// A piece of the spelling.
  public enum Piece: Sendable, Equatable {
    case text(String)
    /// A special token of this name.
    case special(String)
  }

  /// The functions, and the schema of each one's arguments. Without any, the answer may go on as it likes after `before`.
  public var functions: [(name: String, schema: OrderedJSON)]
  /// What stands before the first call's name.
  public var before: [Piece]
  /// What stands between a name and its arguments.
  public var between: [Piece]
  /// What stands behind the last call's arguments.
  public var after: [Piece]
  /// What stands between one call's arguments and the next one's name; nil: there is one call.
  public var next: [Piece]?
  /// What may stand at the very end.
  public var end: [Piece]

  /// - Parameters: as the properties say; without `next` there is one call.
  public init(
    functions: [(name: String, schema: OrderedJSON)] = [], before: [Piece], between: [Piece] = [],
    after: [Piece] = [], next: [Piece]? = nil, end: [Piece] = []
  ) {
    self.functions = functions
    self.before = before
    self.between = between
    self.after = after
    self.next = next
    self.end = end
  }
}

extension [CallFormat.Piece] {
  /// What a model writes for the pieces.
  var pattern: TextPattern {
    .sequence(
      map { piece in
        switch piece {
        case .text(let text): .text(text)
        case .special(let name): .special(name)
        }
      })
  }
}

extension TextPattern {
  /// A special token: a byte that no text has, and its name, as `TokenTrie` spells it.
  static func special(_ name: String) -> TextPattern {
    .sequence([.bytes(ByteSet(TokenTrie.specialMark...TokenTrie.specialMark)), .text(name)])
  }

  /// Any bytes, special tokens among them.
  static let anything = TextPattern.repeated(
    .bytes(ByteSet(UInt8.min...UInt8.max)), atLeast: 0, atMost: nil)
}

extension JSONSchema {
  /// The rules of a whole text, the first the text itself, and what of the format they do not hold to.
  ///
  /// - Throws: `FireflyError` for a schema's keyword or value that is not supported.
  static func rules(of format: TextFormat) throws -> (rules: [TextPattern], notes: [String]) {
    var compiler = JSONSchema()
    let whole = try compiler.pattern(of: format)
    return (compiler.rules(of: whole), compiler.notes)
  }

  private mutating func pattern(of format: TextFormat) throws -> TextPattern {
    switch format {
    case .jsonObject: return .sequence([JSONGrammar.gap, JSONGrammar.object])
    case .jsonSchema(let schema):
      return .sequence([JSONGrammar.gap, .rule(try document(schema, "schema"))])
    case .calls(let functions, let between, let after):
      return .sequence([try call(of: functions, between: .text(between)), .text(after)])
    case .expression(let expression):
      return try RegularPattern(expression, at: "expression", .plain, isWhole: true).pattern
    case .oneOf(let texts): return .choice(texts.map(TextPattern.text))
    case .either(let answer, let calls):
      return .choice([try pattern(of: answer)] + (try calls.map { try pattern(of: $0) }))
    case .reasoned(let open, let close, let answer):
      let end = close.pattern
      let thought = try ByteAutomaton(.anything).without(
        ByteAutomaton(.sequence([.anything, end, .anything])))
      let reasoning = TextPattern.sequence([
        open?.pattern ?? .text(""), thought.pattern, end, .repeated(.text("\n"), atLeast: 0, atMost: 2),
      ])
      return .sequence([open == nil ? reasoning : .optional(reasoning), try pattern(of: answer)])
    }
  }

  private mutating func pattern(of calls: CallFormat) throws -> TextPattern {
    guard !calls.functions.isEmpty else { return .sequence([calls.before.pattern, .anything]) }
    let call = try call(of: calls.functions, between: calls.between.pattern)
    let more = calls.next.map { next in
      TextPattern.repeated(.sequence([next.pattern, call]), atLeast: 0, atMost: nil)
    }
    let end = TextPattern.sequence([.optional(.text("\n")), calls.end.pattern])
    return .sequence([
      calls.before.pattern, call, more ?? .text(""), calls.after.pattern,
      calls.end.isEmpty ? .text("") : .optional(end),
    ])
  }

  /// One of several functions' names, and its arguments.
  private mutating func call(
    of functions: [(name: String, schema: OrderedJSON)], between: TextPattern
  ) throws -> TextPattern {
    .choice(
      try functions.map { name, schema in
        let takesAny = schema.object?.isEmpty == true
        let arguments = takesAny ? JSONGrammar.object : .rule(try document(schema, name))
        return .sequence([.text(name), between, arguments])
      })
  }
}
