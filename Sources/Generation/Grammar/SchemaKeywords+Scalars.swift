import FireflyBase

/// What a schema's keywords say of strings and numbers.
extension SchemaKeywords {
  /// - Parameter notes: is told of a format that is not held to.
  func string(_ notes: inout [String]) throws -> TextPattern {
    let (least, most) = try bounds("minLength", "maxLength")
    guard let characters = try restricted(&notes) else {
      return JSONGrammar.string(atLeast: least, atMost: most)
    }
    return .sequence([.text("\""), characters, .text("\"")])
  }

  /// What may stand within the quotation marks, each character in one spelling.
  func characters(_ notes: inout [String]) throws -> TextPattern {
    let (least, most) = try bounds("minLength", "maxLength")
    return try restricted(&notes) ?? .characters(atLeast: least, atMost: most)
  }

  /// The same where more than lengths is asked for; else nil.
  private func restricted(_ notes: inout [String]) throws -> TextPattern? {
    let (least, most) = try bounds("minLength", "maxLength")
    let content = try content(&notes)
    let excluded = try excluded.compactMap(excludedText)
    guard content != nil || !excluded.isEmpty else { return nil }
    if let content, excluded.isEmpty, content.least >= least, most.map({ content.most ?? .max <= $0 }) ?? true
    {
      return content.pattern
    }
    var set = try ByteAutomaton.characters(atLeast: least, atMost: most)
    if let content { set = try ByteAutomaton(content.pattern).cut(with: set) }
    for text in excluded { set = try set.without(ByteAutomaton(text)) }
    return set.pattern
  }

  /// What a part of `not` says of texts; nil: nothing.
  private func excludedText(_ part: OrderedJSON) throws -> TextPattern? {
    if let expression = part["pattern"] {
      guard let text = expression.string else {
        throw SchemaKeywords.wrong("pattern", "a string", expression, place)
      }
      return try RegularPattern(text, at: place).pattern
    }
    let texts = (part["enum"]?.array ?? []).compactMap(\.string)
    return texts.isEmpty ? nil : .choice(texts.map { .characters(of: $0) })
  }

  /// What `pattern` or `format` asks for within the quotation marks, and its lengths in characters.
  private func content(
    _ notes: inout [String]
  ) throws -> (pattern: TextPattern, least: Int, most: Int?)? {
    let format = try text("format")
    let known = format.flatMap { StringFormat.patterns[$0] }
    if let pattern = try text("pattern") {
      do {
        let expression = try RegularPattern(pattern, at: place)
        if let format { notes.append(notHeld("format", format)) }
        return (expression.pattern, expression.least, expression.most)
      } catch {
        // Zod writes both, and means the same.
        guard known != nil else { throw error }
        notes.append(notHeld("pattern", pattern))
      }
    }
    guard let format else { return nil }
    guard let known else {
      notes.append(notHeld("format", format))
      return nil
    }
    let counts = known.byteCounts  // all of them ASCII
    return (known, counts.least, counts.most)
  }

  private func text(_ keyword: String) throws -> String? {
    guard let value = self[keyword] else { return nil }
    guard let text = value.string else { throw SchemaKeywords.wrong(keyword, "a string", value, place) }
    return text
  }

  private func notHeld(_ keyword: String, _ value: String) -> String {
    "The schema's \"\(keyword)\": \"\(value.prefix(60))\" is not held to (at \(place))."
  }

  // MARK: - Numbers

  /// The bounds of a number; nil for one without any. A bound that lies beyond all numbers that are written is none: safe integers
  /// of JavaScript, and those of 64 bits.
  private func range() throws -> NumberRange? {
    func bound(_ keyword: String) throws -> NumberRange.Bound? {
      guard let value = self[keyword] else { return nil }
      let isLower = keyword.hasSuffix("inimum")
      if let number = value.unordered.double, abs(number) >= Double(IntegerRange.limit),
        (number < 0) == isLower
      {
        return nil
      }
      guard let bound = NumberRange.Bound(value.unordered, isExclusive: keyword.hasPrefix("exclusive")) else {
        throw SchemaKeywords.wrong(
          keyword, "a number of at most 15 digits before the point and 16 behind it", value, place)
      }
      return bound
    }
    // Of two bounds that are the same, the one that leaves the number itself out.
    let lower = [try bound("exclusiveMinimum"), try bound("minimum")].compactMap(\.self)
      .max { $0.isBelow($1) || !$1.isBelow($0) && $1.isExclusive }
    let upper = [try bound("exclusiveMaximum"), try bound("maximum")].compactMap(\.self)
      .min { $0.isBelow($1) || !$1.isBelow($0) && $0.isExclusive }
    let keywords = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]
    return keywords.contains { self[$0] != nil } ? NumberRange(lower: lower, upper: upper) : nil
  }

  /// What `multipleOf` says.
  func multiple() throws -> Multiple? {
    try self["multipleOf"].map { try multiple($0) }
  }

  private func multiple(_ value: OrderedJSON) throws -> Multiple {
    guard let multiple = Multiple(value.unordered) else {
      throw SchemaKeywords.wrong(
        "multipleOf", "a number above 0 of at most 15 digits before the point and 16 behind it", value, place)
    }
    return multiple
  }

  func number() throws -> TextPattern {
    let range = try range()
    guard try range != nil || multiple() != nil || !excluded.isEmpty else { return JSONGrammar.number }
    guard let pattern = (range ?? NumberRange(lower: nil, upper: nil)).pattern else {
      throw SchemaContradiction("no number is within the schema's bounds", at: place)
    }
    return try restricted(pattern)
  }

  func integer() throws -> TextPattern {
    guard let range = try range() else { return try restricted(JSONGrammar.integer) }
    let whole = IntegerRange(
      range.lower?.leastWhole ?? -IntegerRange.limit + 1, range.upper?.mostWhole ?? IntegerRange.limit - 1)
    guard let pattern = whole.pattern else {
      throw SchemaContradiction("no whole number is within the schema's bounds", at: place)
    }
    return try restricted(pattern)
  }

  /// Of numbers without an exponent, those that `multipleOf` and `not` allow.
  private func restricted(_ pattern: TextPattern) throws -> TextPattern {
    let multiple = try multiple()
    let excluded = try excluded.compactMap(excludedNumbers)
    guard multiple != nil || !excluded.isEmpty else { return pattern }
    var set = try ByteAutomaton(pattern)
    if let multiple { set = try set.cut(with: multiple.automaton(at: place)) }
    for numbers in excluded { set = try set.without(numbers) }
    return set.pattern
  }

  /// What a part of `not` says of numbers; nil: nothing.
  private func excludedNumbers(_ part: OrderedJSON) throws -> ByteAutomaton? {
    if let divisor = part["multipleOf"] { return try multiple(divisor).automaton(at: place) }
    let numbers = (part["enum"]?.array ?? []).compactMap {
      NumberRange.Bound($0.unordered, isExclusive: false)?.spellings
    }
    return numbers.isEmpty ? nil : try ByteAutomaton(.choice(numbers))
  }
}
