import FireflyBase

/// Python's methods of strings.
enum TextMethods {
  typealias Method = @Sendable (MarkedText, CallArguments, Interpreter) throws -> JinjaValue

  static let table: [String: Method] = [
    "strip": { text, arguments, _ in .string(try strip(text, arguments, left: true, right: true)) },
    "lstrip": { text, arguments, _ in .string(try strip(text, arguments, left: true, right: false)) },
    "rstrip": { text, arguments, _ in .string(try strip(text, arguments, left: false, right: true)) },
    "split": { text, arguments, _ in .list(try split(text, arguments, fromRight: false).map { .string($0) })
    },
    "rsplit": { text, arguments, _ in .list(try split(text, arguments, fromRight: true).map { .string($0) })
    },
    "splitlines": { text, arguments, _ in
      let keepsEnds = try arguments.bind("splitlines", ["keepends"]).flag("keepends")
      return .list(lines(text, keepsEnds: keepsEnds).map { .string($0) })
    },
    "partition": { text, arguments, _ in try partition(text, arguments, fromRight: false) },
    "rpartition": { text, arguments, _ in try partition(text, arguments, fromRight: true) },
    "startswith": { text, arguments, _ in .bool(try affix(arguments) { text.hasPrefix($0) }) },
    "endswith": { text, arguments, _ in .bool(try affix(arguments) { text.hasSuffix($0) }) },
    "removeprefix": { text, arguments, _ in
      let prefix = try arguments.bind("removeprefix", ["prefix"], required: 1).text("prefix")
      return .string(text.hasPrefix(prefix) ? text.slice(prefix.byteCount..<text.byteCount) : text)
    },
    "removesuffix": { text, arguments, _ in
      let suffix = try arguments.bind("removesuffix", ["suffix"], required: 1).text("suffix")
      return .string(text.hasSuffix(suffix) ? text.slice(0..<text.byteCount - suffix.byteCount) : text)
    },
    "replace": { text, arguments, interpreter in
      let given = try arguments.bind("replace", ["old", "new", "count"], required: 2)
      let new = try given.text("new")
      return .string(
        try replaced(
          text, given.text("old"), text.isSafe ? new.html : new, count: given.int("count", default: -1),
          interpreter
        ).safe(text.isSafe))
    },
    "format": { text, arguments, interpreter in
      let formatted = try BraceFormat.apply(text, arguments)
      try interpreter.checkSize(formatted.byteCount)
      return .string(formatted)
    },
    "find": { text, arguments, _ in .int(try find(text, arguments) { $0.first } ?? -1) },
    "rfind": { text, arguments, _ in .int(try find(text, arguments) { $0.last } ?? -1) },
    "index": { text, arguments, _ in
      guard let place = try find(text, arguments, { $0.first }) else {
        throw FireflyError("substring not found")
      }
      return .int(place)
    },
    "count": { text, arguments, _ in
      let part = try arguments.bind("count", ["sub"], required: 1).text("sub")
      return .int(part.isEmpty ? text.scalarCount + 1 : text.ranges(of: part).count)
    },
    "join": { text, arguments, interpreter in
      let items = try arguments.bind("join", ["iterable"], required: 1)["iterable"] ?? .null
      return .string(
        try joined(try interpreter.sequence(items, "join"), text, interpreter) { item in
          if text.isSafe { return item.printed.html }
          guard case .string(let part) = item else {
            throw FireflyError("join needs strings", found: item.kind)
          }
          return part
        }.safe(text.isSafe))
    },
    "upper": { text, _, _ in .string(text.respelled { $0.uppercased() }) },
    "lower": { text, _, _ in .string(text.respelled { $0.lowercased() }) },
    "title": { text, _, _ in .string(text.respelled(titled)) },
    "capitalize": { text, _, _ in .string(text.respelled(capitalized)) },
    "zfill": { text, arguments, interpreter in
      let width = try arguments.bind("zfill", ["width"], required: 1).int("width", default: 0)
      return .string(try zeroFilled(text, width, interpreter))
    },
    "isdigit": { text, _, _ in
      .bool(all(text) { $0.properties.numericType == .decimal || $0.properties.numericType == .digit })
    },
    "isnumeric": { text, _, _ in .bool(all(text) { $0.properties.numericType != nil }) },
    "isdecimal": { text, _, _ in .bool(all(text) { $0.properties.numericType == .decimal }) },
    "isalpha": { text, _, _ in .bool(all(text, isLetter)) },
    "isalnum": { text, _, _ in .bool(all(text) { isLetter($0) || $0.properties.numericType != nil }) },
    "isspace": { text, _, _ in .bool(all(text) { $0.isPythonSpace }) },
    "isupper": { text, _, _ in .bool(isUpper(text)) },
    "islower": { text, _, _ in .bool(isLower(text)) },
  ]

  // MARK: - Ends

  private static func strip(_ text: MarkedText, _ arguments: CallArguments, left: Bool, right: Bool) throws
    -> MarkedText
  {
    guard let characters = try arguments.bind("strip", ["chars"]).optional("chars") else {
      return text.stripped(left: left, right: right)
    }
    guard case .string(let set) = characters else {
      throw FireflyError("strip needs a string", found: characters.kind)
    }
    let scalars = Set(set.text.unicodeScalars)
    return text.stripped(left: left, right: right) { scalars.contains($0) }
  }

  /// One string or a tuple of them.
  private static func affix(_ arguments: CallArguments, _ holds: (MarkedText) -> Bool) throws -> Bool {
    let given = try arguments.bind("startswith", ["prefix"], required: 1)
    if case .tuple(let choices) = given["prefix"] {
      return try choices.contains { choice in
        guard case .string(let text) = choice else {
          throw FireflyError("expected a string", found: choice.kind)
        }
        return holds(text)
      }
    }
    return holds(try given.text("prefix"))
  }

  // MARK: - Parts

  private static func split(_ text: MarkedText, _ arguments: CallArguments, fromRight: Bool) throws
    -> [MarkedText]
  {
    let given = try arguments.bind("split", ["sep", "maxsplit"])
    let count = try given.int("maxsplit", default: -1)
    let limit = count < 0 ? Int.max : count
    guard given.optional("sep") != nil else { return words(text, limit: limit, fromRight: fromRight) }
    let separator = try given.text("sep")
    guard !separator.isEmpty else { throw FireflyError("cannot split at an empty string") }
    let found = text.ranges(of: separator, limit: fromRight ? .max : limit)
    return between(fromRight ? Array(found.suffix(limit)) : found, in: text)
  }

  private static func between(_ separators: [Range<Int>], in text: MarkedText) -> [MarkedText] {
    var parts: [MarkedText] = []
    var start = 0
    for separator in separators {
      parts.append(text.slice(start..<separator.lowerBound))
      start = separator.upperBound
    }
    return parts + [text.slice(start..<text.byteCount)]
  }

  /// Split at runs of white space, none at the ends but of what is left over.
  private static func words(_ text: MarkedText, limit: Int, fromRight: Bool) -> [MarkedText] {
    let offsets = text.scalarOffsets
    let isSpace = text.text.unicodeScalars.map(\.isPythonSpace)
    var ranges: [Range<Int>] = []
    var start: Int?
    for index in 0...isSpace.count {
      let isEnd = index == isSpace.count || isSpace[index]
      if isEnd, let begin = start {
        ranges.append(offsets[begin]..<offsets[index])
        start = nil
      } else if !isEnd && start == nil {
        start = index
      }
    }
    guard limit < ranges.count else { return ranges.map(text.slice) }
    if fromRight {
      let kept = ranges.suffix(limit)
      let rest = text.slice(0..<ranges[ranges.count - limit - 1].upperBound)
      return [rest] + kept.map(text.slice)
    }
    let rest = text.slice(ranges[limit].lowerBound..<text.byteCount)
    return ranges.prefix(limit).map(text.slice) + [rest]
  }

  /// Python's line ends, "\r\n" being one.
  static func lines(_ text: MarkedText, keepsEnds: Bool = false) -> [MarkedText] {
    let breaks: Set<Unicode.Scalar> = [
      "\n", "\r", "\u{B}", "\u{C}", "\u{1C}", "\u{1D}", "\u{1E}", "\u{85}", "\u{2028}", "\u{2029}",
    ]
    let scalars = Array(text.text.unicodeScalars)
    let offsets = text.scalarOffsets
    var lines: [MarkedText] = []
    var start = 0
    var index = 0
    while index < scalars.count {
      guard breaks.contains(scalars[index]) else {
        index += 1
        continue
      }
      let end =
        scalars[index] == "\r" && index + 1 < scalars.count && scalars[index + 1] == "\n"
        ? index + 2 : index + 1
      lines.append(text.slice(offsets[start]..<offsets[keepsEnds ? end : index]))
      start = end
      index = end
    }
    if start < scalars.count { lines.append(text.slice(offsets[start]..<text.byteCount)) }
    return lines
  }

  private static func partition(_ text: MarkedText, _ arguments: CallArguments, fromRight: Bool) throws
    -> JinjaValue
  {
    let separator = try arguments.bind("partition", ["sep"], required: 1).text("sep")
    guard !separator.isEmpty else { throw FireflyError("cannot split at an empty string") }
    let found = text.ranges(of: separator)
    guard let place = fromRight ? found.last : found.first else {
      let empty = MarkedText()
      return .tuple((fromRight ? [empty, empty, text] : [text, empty, empty]).map { .string($0) })
    }
    let parts = [
      text.slice(0..<place.lowerBound), text.slice(place), text.slice(place.upperBound..<text.byteCount),
    ]
    return .tuple(parts.map { .string($0) })
  }

  private static func find(
    _ text: MarkedText, _ arguments: CallArguments, _ choose: ([Range<Int>]) -> Range<Int>?
  ) throws -> Int? {
    let part = try arguments.bind("find", ["sub"], required: 1).text("sub")
    if part.isEmpty {
      return choose([0..<0, text.byteCount..<text.byteCount]).map {
        $0.lowerBound == 0 ? 0 : text.scalarCount
      }
    }
    return choose(text.ranges(of: part)).map { text.slice(0..<$0.lowerBound).scalarCount }
  }

  // MARK: - Joining and replacing

  static func replaced(
    _ text: MarkedText, _ old: MarkedText, _ new: MarkedText, count: Int, _ interpreter: Interpreter
  ) throws -> MarkedText {
    let limit = count < 0 ? Int.max : count
    if old.isEmpty {
      let offsets = text.scalarOffsets
      let places = offsets.prefix(limit).map { $0..<$0 }
      return try joined(between(places, in: text), new, interpreter)
    }
    return try joined(between(text.ranges(of: old, limit: limit), in: text), new, interpreter)
  }

  private static func joined(_ parts: [MarkedText], _ separator: MarkedText, _ interpreter: Interpreter)
    throws
    -> MarkedText
  {
    let (gaps, overflow) = separator.byteCount.multipliedReportingOverflow(by: max(0, parts.count - 1))
    try interpreter.checkSize(overflow ? .max : parts.reduce(0) { $0 + $1.byteCount } + gaps)
    return MarkedText.joined(parts, by: separator)
  }

  static func joined(
    _ items: [JinjaValue], _ separator: MarkedText, _ interpreter: Interpreter,
    _ text: (JinjaValue) throws -> MarkedText
  ) throws -> MarkedText {
    try joined(try items.map(text), separator, interpreter)
  }

  private static func zeroFilled(_ text: MarkedText, _ width: Int, _ interpreter: Interpreter) throws
    -> MarkedText
  {
    try interpreter.checkSize(width)
    let missing = max(0, width - text.scalarCount)
    let sign = text.text.hasPrefix("-") || text.text.hasPrefix("+") ? 1 : 0
    let zeros = MarkedText(String(repeating: "0", count: missing))
    return MarkedText.joined([text.slice(0..<sign), zeros, text.slice(sign..<text.byteCount)])
  }

  // MARK: - Letters

  static func capitalized(_ text: String) -> String {
    guard let first = text.unicodeScalars.first else { return "" }
    return first.properties.titlecaseMapping
      + String(String.UnicodeScalarView(text.unicodeScalars.dropFirst())).lowercased()
  }

  /// Every letter that follows no letter in title case, all others in lower case.
  private static func titled(_ text: String) -> String {
    var out = ""
    var followsLetter = false
    for scalar in text.unicodeScalars {
      out += followsLetter ? scalar.properties.lowercaseMapping : scalar.properties.titlecaseMapping
      followsLetter = scalar.properties.isCased
    }
    return out
  }

  private static func all(_ text: MarkedText, _ holds: (Unicode.Scalar) -> Bool) -> Bool {
    !text.isEmpty && text.text.unicodeScalars.allSatisfy(holds)
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }

  static func isUpper(_ text: MarkedText) -> Bool {
    let cased = text.text.unicodeScalars.filter(\.properties.isCased)
    return !cased.isEmpty && cased.allSatisfy(\.properties.isUppercase)
  }

  static func isLower(_ text: MarkedText) -> Bool {
    let cased = text.text.unicodeScalars.filter(\.properties.isCased)
    return !cased.isEmpty && cased.allSatisfy(\.properties.isLowercase)
  }
}
