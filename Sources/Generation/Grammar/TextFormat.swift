import FireflyBase

/// A format that an answer's text can be held to.
public enum TextFormat: Sendable {
  /// A JSON object, whatever its members.
  case jsonObject
  /// JSON of this schema (JSON Schema, as far as `JSONSchema` reads it).
  case jsonSchema(OrderedJSON)
  /// A function's name, then its arguments as JSON of its schema, with something between and after: a call.
  case calls([(name: String, schema: OrderedJSON)], between: String, after: String)
  /// One of these texts, none of them empty.
  case oneOf([String])

  /// - Throws: `FireflyError` naming the keyword of a schema that is not supported, or when it is too large.
  public func constraint(_ tokens: TokenTrie) throws -> TextConstraint {
    let (rules, notes) = try rules()
    return TextConstraint(try ByteGrammar(rules), tokens, notes: notes)
  }

  private func rules() throws -> (rules: [TextPattern], notes: [String]) {
    switch self {
    case .jsonObject: ([.sequence([JSONGrammar.gap, JSONGrammar.object])] + JSONGrammar.shared, [])
    case .jsonSchema(let schema): try JSONSchema.rules(schema)
    case .calls(let functions, let between, let after):
      try JSONSchema.rules(functions, between: between, after: after)
    case .oneOf(let texts): ([.choice(texts.map(TextPattern.text))], [])
    }
  }
}
