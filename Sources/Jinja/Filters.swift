import FireflyBase
import Foundation

/// Jinja's filters: what stands behind `|`.
enum Filters {
  typealias Filter = @Sendable (JinjaValue, CallArguments, Interpreter) throws -> JinjaValue

  static let table: [String: Filter] = texts.merging(sequences) { first, _ in first }

  private static let texts: [String: Filter] = [
    "string": plain { .string($0.printed) },
    "safe": plain { .string($0.printed.safe(true)) },
    "upper": plain { .string($0.printed.respelled { $0.uppercased() }) },
    "lower": plain { .string($0.printed.respelled { $0.lowercased() }) },
    "capitalize": plain { .string($0.printed.respelled(TextMethods.capitalized)) },
    "title": plain { .string($0.printed.respelled(titled).safe(false)) },
    "escape": plain { .string($0.printed.html) }, "e": plain { .string($0.printed.html) },
    "forceescape": plain { .string($0.printed.safe(false).html) },
    "wordcount": plain { .int(wordCount($0.printed.text)) },
    "trim": { value, arguments, _ in
      guard let characters = try arguments.bind("trim", ["chars"]).optional("chars") else {
        return .string(value.printed.stripped())
      }
      let scalars = Set(characters.printed.text.unicodeScalars)
      return .string(value.printed.stripped { scalars.contains($0) })
    },
    "replace": { value, arguments, interpreter in
      let given = try arguments.bind("replace", ["old", "new", "count"], required: 2)
      return .string(
        try TextMethods.replaced(
          value.printed, given["old"]?.printed ?? MarkedText(), given["new"]?.printed ?? MarkedText(),
          count: given.optional("count") == nil ? -1 : given.int("count", default: -1), interpreter
        ).safe(false))
    },
    "indent": indent,
    "format": { value, arguments, _ in
      .string(try PercentFormat.apply(value.printed, .tuple(arguments.positional)))
    },
    "int": { value, arguments, _ in
      let given = try arguments.bind("int", ["default", "base"])
      try defined(value)
      return integer(value, base: try given.int("base", default: 10)) ?? given["default"] ?? .int(0)
    },
    "float": { value, arguments, _ in
      let given = try arguments.bind("float", ["default"])
      try defined(value)
      return float(value) ?? given["default"] ?? .double(0)
    },
    "abs": { value, _, _ in
      switch value {
      case .double(let number): return .double(number.magnitude)
      case _ where value.integer != nil:
        return (value.integer ?? 0) < 0 ? try Operators.negative(value) : .int(value.integer ?? 0)
      default: throw FireflyError("abs needs a number", found: value.kind)
      }
    },
    "round": round,
    "tojson": tojson,
    "default": fallback, "d": fallback,
  ]

  static func plain(_ body: @escaping @Sendable (JinjaValue) throws -> JinjaValue) -> Filter {
    { value, arguments, _ in
      _ = try arguments.bind("the filter", [])
      return try body(value)
    }
  }

  @Sendable private static func fallback(
    _ value: JinjaValue, _ arguments: CallArguments, _ interpreter: Interpreter
  ) throws -> JinjaValue {
    let given = try arguments.bind("default", ["default_value", "boolean"])
    if case .undefined = value { return given["default_value"] ?? .text("") }
    return given.flag("boolean") && !value.isTrue ? given["default_value"] ?? .text("") : value
  }

  // MARK: - Texts

  @Sendable private static func titled(_ text: String) -> String {
    let starts: Set<Unicode.Scalar> = ["-", "(", "{", "[", "<"]
    var out = ""
    var isStart = true
    for scalar in text.unicodeScalars {
      let isBreak = scalar.isPythonSpace || starts.contains(scalar)
      out += isStart && !isBreak ? scalar.properties.uppercaseMapping : scalar.properties.lowercaseMapping
      isStart = isBreak
    }
    return out
  }

  @Sendable private static func indent(
    _ value: JinjaValue, _ arguments: CallArguments, _ interpreter: Interpreter
  ) throws -> JinjaValue {
    let given = try arguments.bind("indent", ["width", "first", "blank"])
    var margin = MarkedText("    ")
    if case .string(let text) = given["width"] {
      margin = text
    } else {
      let width = try given.int("width", default: 4)
      try interpreter.checkSize(width)
      margin = MarkedText(String(repeating: " ", count: max(0, width)))
    }
    guard case .string(var text) = value else {
      throw FireflyError("indent needs a string", found: value.kind)
    }
    text.append("\n")
    let lines = TextMethods.lines(text)
    try interpreter.checkSize(text.byteCount + lines.count * margin.byteCount)
    let indented = lines.enumerated().map { index, line in
      let hasMargin = index == 0 ? given.flag("first") : given.flag("blank") || !line.isEmpty
      return hasMargin ? MarkedText.joined([margin, line]) : line
    }
    return .string(MarkedText.joined(indented, by: MarkedText("\n")).safe(text.isSafe))
  }

  /// Runs of letters, digits and underscores.
  private static func wordCount(_ text: String) -> Int {
    text.unicodeScalars.split { scalar in
      let isWord = scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
      return !isWord
    }.count
  }

  // MARK: - Numbers

  private static func defined(_ value: JinjaValue) throws {
    if case .undefined(let why) = value { throw FireflyError("there is no number: \(why)") }
  }

  private static func integer(_ value: JinjaValue, base: Int) -> JinjaValue? {
    if let number = value.integer { return .int(number) }
    if case .string(let text) = value {
      let trimmed = text.stripped().text
      if (2...36).contains(base), let number = Int(trimmed, radix: base) { return .int(number) }
    }
    guard case .double(let number) = float(value), let whole = Int(exactly: number.rounded(.towardZero))
    else {
      return nil
    }
    return .int(whole)
  }

  private static func float(_ value: JinjaValue) -> JinjaValue? {
    if let number = value.number { return .double(number) }
    guard case .string(let text) = value else { return nil }
    let trimmed = text.stripped().text
    let isPlain = trimmed.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
    return isPlain ? Double(trimmed).map { .double($0) } : nil
  }

  @Sendable private static func round(
    _ value: JinjaValue, _ arguments: CallArguments, _ interpreter: Interpreter
  ) throws -> JinjaValue {
    let given = try arguments.bind("round", ["precision", "method"])
    let precision = try given.int("precision", default: 0)
    let method = try given.text("method", default: "common").text
    guard let number = value.number else { throw FireflyError("round needs a number", found: value.kind) }
    guard (-300...300).contains(precision) else { throw FireflyError("round's precision is out of range") }
    if let whole = value.integer, method == "common" { return .int(try rounded(whole, precision)) }
    let scale = pow(10.0, Double(precision))
    switch method {
    // Python's ceil is a whole number, which has no −0.
    case "ceil": return .double(((number * scale).rounded(.up) + 0) / scale)
    case "floor": return .double((number * scale).rounded(.down) / scale)
    case "common":
      // Decimal digits of the exact value, ties to even, as Python's round.
      if precision >= 0 { return .double(Double(String(format: "%.\(precision)f", number)) ?? number) }
      return .double((number * scale).rounded(.toNearestOrEven) / scale)
    default: throw FireflyError("round knows no method \"\(method)\"", expected: "common, ceil or floor")
    }
  }

  /// To tens, hundreds … for negative digits, ties to the even one.
  private static func rounded(_ whole: Int, _ digits: Int) throws -> Int {
    guard digits < 0 else { return whole }
    guard digits >= -18 else { return 0 }
    let unit = (0..<(-digits)).reduce(1) { unit, _ in unit * 10 }
    let (quotient, rest) = whole.quotientAndRemainder(dividingBy: unit)
    let (twice, isMore) = rest.magnitude.multipliedReportingOverflow(by: 2)
    let isUp = isMore || twice > unit || (twice == unit && quotient % 2 != 0)
    let (result, isTooLarge) = (quotient + (isUp ? whole.signum() : 0)).multipliedReportingOverflow(by: unit)
    guard !isTooLarge else { throw FireflyError("a whole number is too large") }
    return result
  }

  // MARK: - JSON

  @Sendable private static func tojson(
    _ value: JinjaValue, _ arguments: CallArguments, _ interpreter: Interpreter
  ) throws -> JinjaValue {
    let given = try arguments.bind("tojson", ["ensure_ascii", "indent", "separators", "sort_keys"])
    var style = JSONStyle()
    style.escapesNonASCII = given.flag("ensure_ascii")
    style.sortsKeys = given.flag("sort_keys")
    if let indent = given.optional("indent") {
      style.itemSeparator = ","
      if case .string(let text) = indent {
        style.indent = text.text
      } else {
        style.indent = String(repeating: " ", count: min(100, max(0, try given.int("indent", default: 0))))
      }
    }
    if let separators = given.optional("separators") {
      let both = try interpreter.sequence(separators, "separators").map(\.printed.text)
      guard both.count == 2 else { throw FireflyError("tojson's separators are two strings") }
      (style.itemSeparator, style.keySeparator) = (both[0], both[1])
    }
    return .string(try value.json(style))
  }
}
