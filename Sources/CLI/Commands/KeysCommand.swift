import FireflyBase
import FireflyTraining

/// `firefly keys [KEY]`.
enum KeysCommand {
  private static let key = Positional(
    "KEY", "The key to tell in full (default: a list of all).", choices: ConfigKeys.names, isOptional: true)
  private static let config = Option.text(
    "--config", "FILE",
    "Tells what each key of this configuration came to, and what holds for those that it has not.")
  private static let json = Flag("--json", "One JSON value.")
  private static let markdown = Flag("--markdown", "The page docs/configuration.md.")

  static let verb = Verb(
    "keys", summary: "Tells the keys of a training configuration: values, defaults and what they mean.",
    details: """
      A key of transformers, TRL or PEFT that steers nothing here is told with what becomes of it, a key of another trainer with \
      its name here.
      """,
    positionals: [key],
    options: [
      config.declaration, RunOptions.set.declaration, json.declaration, markdown.declaration,
      LanguageOption.language.declaration,
    ], run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    try arguments.refuse(
      [json.declaration, markdown.declaration], together: "they are two forms of one list")
    let language = LanguageOption.choice(
      arguments, forPeople: !arguments[json] && !arguments[markdown])
    let output = Output()
    if let file = arguments[config] {
      let explanation = ConfigExplanation(
        try RunConfig(file: file, overrides: arguments.all(RunOptions.set)))
      try output.write(
        arguments[json] ? explanation.json(language).text(indent: 2) + "\n" : explanation.text(language))
    } else if let name = arguments.optional(key) {
      try output.write(tell(name, asJSON: arguments[json], language))
    } else if arguments[markdown] {
      try output.write(ConfigReference.markdown(language))
    } else if arguments[json] {
      try output.line(JSONValue.array(ConfigKeys.all.map { $0.json(language) }).text(indent: 2))
    } else {
      try output.write(list(language))
    }
    try output.flush()
  }

  private static func list(_ language: KeyLanguage) -> String {
    let help = Help.ofOutput
    return ConfigKeys.groups.map { group in
      let entries = group.keys.map { key in
        help.entry(key.name, "\(key.about.meaning[language]) (\(key.defaultText(language)))")
      }
      return "\(group.title[language])\n" + entries.joined()
    }.joined(separator: "\n")
  }

  private static func tell(_ name: String, asJSON: Bool, _ language: KeyLanguage) throws -> String {
    switch try KeyLookup(name) {
    case .own(let key):
      guard !asJSON else { return key.json(language).text(indent: 2) + "\n" }
      let lines = [key.about.meaning[language]] + key.facts(language) + [key.assignment]
      return key.name + "\n" + lines.map { "  \($0)\n" }.joined()
    case .foreign(let fate): return note(name, "fate", language.spoken(fate), asJSON: asJSON)
    case .elsewhere(let advice): return note(name, "advice", language.spoken(advice), asJSON: asJSON)
    }
  }

  private static func note(_ name: String, _ member: String, _ text: String, asJSON: Bool) -> String {
    asJSON
      ? JSONValue.object(["key": .string(name), member: .string(text)]).text(indent: 2) + "\n"
      : "\(name)\n  \(text)\n"
  }
}

/// `firefly schema`.
enum SchemaCommand {
  static let verb = Verb(
    "schema",
    summary: "Prints the JSON Schema of a training configuration, by which editors complete and check it.",
    details: """
      firefly schema > firefly.schema.json, and in the configuration "$schema": "./firefly.schema.json".
      """,
    options: [LanguageOption.language.declaration]
  ) { arguments in
    let output = Output()
    try output.line(ConfigSchema.json(LanguageOption.choice(arguments, forPeople: false)).text(indent: 2))
    try output.flush()
  }
}

/// The language of what is said about keys.
enum LanguageOption {
  static let language = Option.choice(
    "--lang", KeyLanguage.allCases.map(\.rawValue),
    "The language of the descriptions (default: that of messages; en for JSON and --markdown).")

  static func choice(_ arguments: Arguments, forPeople: Bool) -> KeyLanguage {
    arguments[language].flatMap(KeyLanguage.init)
      ?? (forPeople && !Language.current.isEnglish ? .chinese : .english)
  }
}
