import FireflyCommand
import Testing

@Suite struct ArgumentParserTests {
  static let model = Positional("MODEL", "A model.")
  static let count = Option.integer("--max-new-tokens", "N", atLeast: 1, "How many.")
  static let heat = Option.number("--temperature", "T", in: 0...2, "How hot.")
  static let pair = Option.text("--set", "KEY=VALUE", "A key.", repeated: true)
  static let mode = Option.choice("--quantize", ["nf4", "none"], "How stored.")
  static let json = Flag("--json", "As JSON.")
  static let verb = Verb(
    "demo", summary: "Shows the parser.", positionals: [model],
    options: [
      count.declaration, heat.declaration, pair.declaration, mode.declaration, json.declaration,
    ]
  ) { _ in }

  func parse(_ words: [String]) throws -> Arguments {
    guard case .run(let arguments) = try Arguments.parse(words, for: Self.verb) else {
      throw UsageError("help instead of arguments")
    }
    return arguments
  }

  func message(_ words: [String]) -> String? {
    do {
      _ = try parse(words)
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test func bothSpellingsOfAValueAndAnyOrder() throws {
    let arguments = try parse(["--max-new-tokens", "7", "folder", "--temperature=0.5", "--json"])
    #expect(arguments[Self.model] == "folder")
    #expect(arguments[Self.count] == 7)
    #expect(arguments[Self.heat] == 0.5)
    #expect(arguments[Self.json])
    #expect(arguments[Self.mode] == nil)
  }

  @Test func repeatedOptionsKeepOrderAndEqualSigns() throws {
    let arguments = try parse(["m", "--set", "a=1", "--set=b=x=y"])
    #expect(arguments.all(Self.pair) == ["a=1", "b=x=y"])
  }

  @Test func anOptionalArgumentMayBeLeftOut() throws {
    let place = Positional("PLACE", "Where.", isOptional: true)
    let verb = Verb("go", summary: "Goes.", positionals: [Self.model, place]) { _ in }
    for (words, given) in [(["m"], nil), (["m", "there"], "there")] as [([String], String?)] {
      guard case .run(let arguments) = try Arguments.parse(words, for: verb) else {
        throw UsageError("help instead of arguments")
      }
      #expect(arguments[Self.model] == "m" && arguments.optional(place) == given)
    }
    #expect(throws: UsageError.self) { try Arguments.parse([], for: verb) }
    #expect(throws: UsageError.self) { try Arguments.parse(["m", "there", "more"], for: verb) }
    #expect(Help().verb(verb).contains("Usage: firefly go MODEL [PLACE] [options]"))
  }

  @Test func doubleDashEndsOptions() throws {
    #expect(try parse(["--", "--json"])[Self.model] == "--json")
    #expect(try parse(["-"])[Self.model] == "-")
  }

  @Test func valuesMayBeginWithADash() throws {
    #expect(try parse(["m", "--set", "-5"]).all(Self.pair) == ["-5"])
  }

  @Test func helpWinsOverMissingArguments() throws {
    guard case .help = try Arguments.parse(["--json", "--help"], for: Self.verb) else {
      Issue.record("expected the help")
      return
    }
  }

  @Test(arguments: [
    ([], "MODEL is missing"),
    (["a", "b"], "unexpected argument 'b'"),
    (["a", "--max-new-token", "3"], "unknown option --max-new-token; did you mean --max-new-tokens?"),
    (["a", "--xyzzy"], "unknown option --xyzzy"),
    (["a", "--max-new-tokens", "0"], "--max-new-tokens: expected a whole number of at least 1, found '0'"),
    (["a", "--max-new-tokens=x"], "--max-new-tokens: expected a whole number of at least 1, found 'x'"),
    (["a", "--temperature", "nan"], "--temperature: expected a number from 0.0 to 2.0, found 'nan'"),
    (["a", "--quantize", "int4"], "--quantize: expected one of nf4|none, found 'int4'"),
    (["a", "--json=yes"], "--json takes no value (found 'yes')"),
    (["a", "--json", "--json"], "--json is given twice"),
    (["a", "--set"], "--set needs a value, KEY=VALUE"),
    (["a", "--set", "--json"], "--set needs a value, KEY=VALUE (write --set=--json if that is the value)"),
  ])
  func badUsageIsToldExactly(words: [String], expected: String) {
    #expect(message(words) == expected)
  }

  @Test func excludedOptionsAreNamed() throws {
    let arguments = try parse(["m", "--json", "--set=a=1"])
    #expect(throws: UsageError.self) {
      try arguments.refuse([Self.json.declaration, Self.pair.declaration], together: "no")
    }
    try arguments.refuse([Self.json.declaration, Self.count.declaration], together: "no")
  }

  @Test func helpIsMadeFromTheDeclaration() {
    #expect(
      Help().verb(Self.verb) == """
        Usage: firefly demo MODEL [options]

        Shows the parser.

        Arguments:
          MODEL                     A model.

        Options:
          --max-new-tokens N        How many.
          --temperature T           How hot.
          --set KEY=VALUE           A key. May be repeated.
          --quantize nf4|none       How stored.
          --json                    As JSON.
          --help                    Shows this text.

        """)
  }

  @Test func aNarrowTerminalGetsShortLines() {
    let verb = Verb(
      "demo", summary: "Shows how the help is wrapped.",
      details: "A paragraph.\n/a\tDoes this.\n/b\tDoes that.",
      options: [Self.count.declaration]
    ) { _ in }
    #expect(
      Help(columns: 24).verb(verb) == """
        Usage: firefly demo [options]

        Shows how the help is
        wrapped.

        A paragraph.

          /a  Does this.
          /b  Does that.

        Options:
          --max-new-tokens N
                How many.
          --help
                Shows this text.

        """)
  }
}
