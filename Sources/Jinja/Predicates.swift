import FireflyBase

/// Jinja's tests: what stands behind `is`.
enum Predicates {
  typealias Test = @Sendable (JinjaValue, CallArguments) throws -> Bool

  static let table: [String: Test] = [
    "defined": plain { if case .undefined = $0 { false } else { true } },
    "undefined": plain { if case .undefined = $0 { true } else { false } },
    "none": plain { if case .null = $0 { true } else { false } },
    "boolean": plain { if case .bool = $0 { true } else { false } },
    "true": plain { if case .bool(true) = $0 { true } else { false } },
    "false": plain { if case .bool(false) = $0 { true } else { false } },
    "integer": plain { if case .int = $0 { true } else { false } },
    "float": plain { if case .double = $0 { true } else { false } },
    "number": plain { $0.number != nil },
    "string": plain { if case .string = $0 { true } else { false } },
    "mapping": plain { if case .dictionary = $0 { true } else { false } },
    "sequence": plain(isSequence),
    "iterable": plain { if case .iterator = $0 { true } else { isSequence($0) } },
    "callable": plain { value in
      switch value {
      case .function, .undefined: true
      default: false
      }
    },
    "escaped": plain { _ in false },
    "odd": plain { value in try remainder(value, .int(2)).equals(.int(1)) },
    "even": plain { value in try remainder(value, .int(2)).equals(.int(0)) },
    "lower": plain { TextMethods.isLower($0.printed) },
    "upper": plain { TextMethods.isUpper($0.printed) },
    "divisibleby": { value, arguments in
      let divisor = try arguments.bind("divisibleby", ["num"], required: 1)["num"] ?? .null
      return try remainder(value, divisor).equals(.int(0))
    },
    "sameas": { value, arguments in
      let other = try arguments.bind("sameas", ["other"], required: 1)["other"] ?? .null
      return value.kind == other.kind && value.equals(other)
    },
    "filter": plain { Filters.table[$0.printed.text] != nil },
    "test": plain { table[$0.printed.text] != nil },
    "eq": comparison(.equal), "equalto": comparison(.equal),
    "ne": comparison(.unequal),
    "lt": comparison(.less), "lessthan": comparison(.less),
    "le": comparison(.lessOrEqual),
    "gt": comparison(.greater), "greaterthan": comparison(.greater),
    "ge": comparison(.greaterOrEqual),
    "in": comparison(.isIn),
  ]

  private static func plain(_ holds: @escaping @Sendable (JinjaValue) throws -> Bool) -> Test {
    { value, arguments in
      _ = try arguments.bind("the test", [])
      return try holds(value)
    }
  }

  private static func comparison(_ comparison: Comparison) -> Test {
    { value, arguments in
      let other = try arguments.bind("the test", ["other"], required: 1)["other"] ?? .null
      return try Operators.holds(comparison, value, other)
    }
  }

  /// Whatever has a length and items by key: for Python this includes a dictionary and an undefined value.
  @Sendable private static func isSequence(_ value: JinjaValue) -> Bool {
    switch value {
    case .string, .list, .tuple, .dictionary, .undefined: true
    default: false
    }
  }

  private static func remainder(_ value: JinjaValue, _ divisor: JinjaValue) throws -> JinjaValue {
    try Operators.apply(.modulo, value, divisor, JinjaLimits())
  }
}
