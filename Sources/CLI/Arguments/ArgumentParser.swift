import FireflyBase

/// The command line was not understood: told with the way to the help, exit status 2.
package struct UsageError: Error, CustomStringConvertible {
  package let description: String
  /// Whose help to point to; nil for the program's own.
  package let verb: String?

  package init(_ description: String, verb: String? = nil) {
    self.description = description
    self.verb = verb
  }
}

/// What the user gave to a verb, checked against its declaration.
package struct Arguments: Sendable {
  package let verb: String
  private let positionals: [String: String]
  private let values: [String: [String]]

  init(verb: String, positionals: [String: String], values: [String: [String]]) {
    self.verb = verb
    self.positionals = positionals
    self.values = values
  }

  /// A positional argument; all declared ones are present.
  package subscript(_ positional: Positional) -> String {
    guard let value = positionals[positional.name] else {
      preconditionFailure("\(verb) does not declare \(positional.name)")
    }
    return value
  }

  /// Whether the flag was given.
  package subscript(_ flag: Flag) -> Bool { values[flag.declaration.name] != nil }

  /// The option's value, nil when it was not given.
  package subscript<Value>(_ option: Option<Value>) -> Value? { all(option).last }

  /// Every value of a repeated option, in order.
  package func all<Value>(_ option: Option<Value>) -> [Value] {
    (values[option.declaration.name] ?? []).compactMap(option.read)
  }

  /// Whether one of the options was given.
  package func has(_ names: [OptionDeclaration]) -> Bool { names.contains { values[$0.name] != nil } }

  /// Refuses options that exclude each other.
  package func refuse(_ names: [OptionDeclaration], together why: String) throws {
    let given = names.map(\.name).filter { values[$0] != nil }
    if given.count > 1 {
      throw UsageError("\(given.joined(separator: " and ")) cannot be used together: \(why)", verb: verb)
    }
  }

  /// What happened when a verb's words were read.
  package enum Outcome: Sendable {
    case run(Arguments)
    case help
  }

  /// Refuses options that were given and have no meaning here.
  package func refuse(_ names: [OptionDeclaration], because why: String) throws {
    if let given = names.first(where: { values[$0.name] != nil }) {
      throw UsageError("\(given.name) cannot be used here: \(why)", verb: verb)
    }
  }

  /// Reads the words after the verb: `--key value`, `--key=value`, flags, positionals; `--` ends the options.
  package static func parse(_ words: [String], for verb: Verb) throws -> Outcome {
    var reader = ArgumentReader(words: words[...], verb: verb)
    return try reader.read()
  }
}

private struct ArgumentReader {
  var words: ArraySlice<String>
  let verb: Verb
  var positionals: [String] = []
  var values: [String: [String]] = [:]

  init(words: ArraySlice<String>, verb: Verb) {
    self.words = words
    self.verb = verb
  }

  mutating func read() throws -> Arguments.Outcome {
    var optionsEnded = false
    while let word = words.popFirst() {
      if optionsEnded || word == "-" || !word.hasPrefix("-") {
        positionals.append(word)
      } else if word == "--" {
        optionsEnded = true
      } else if word == "--help" || word == "-h" {
        return .help
      } else {
        try readOption(word)
      }
    }
    let names = verb.positionals.map(\.name)
    if positionals.count < names.count {
      throw usage("\(names[positionals.count]) is missing")
    }
    if positionals.count > names.count {
      throw usage("unexpected argument '\(positionals[names.count])'")
    }
    let named = Dictionary(uniqueKeysWithValues: zip(names, positionals))
    return .run(Arguments(verb: verb.name, positionals: named, values: values))
  }

  private mutating func readOption(_ word: String) throws {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let option = verb.options.first(where: { $0.name == parts[0] }) else {
      throw unknown(parts[0])
    }
    if values[option.name] != nil && !option.repeated {
      throw usage("\(option.name) is given twice")
    }
    guard let placeholder = option.placeholder else {
      if parts.count == 2 { throw usage("\(option.name) takes no value (found '\(parts[1])')") }
      values[option.name] = [""]
      return
    }
    let value = try parts.count == 2 ? parts[1] : nextValue(option.name, placeholder)
    guard option.accepts(value) else {
      throw usage("\(option.name): expected \(option.expected), found '\(value)'")
    }
    values[option.name, default: []].append(value)
  }

  private mutating func nextValue(_ name: String, _ placeholder: String) throws -> String {
    guard let value = words.first, !verb.options.contains(where: { $0.name == value }) else {
      let hint = words.first.map { " (write \(name)=\($0) if that is the value)" } ?? ""
      throw usage("\(name) needs a value, \(placeholder)\(hint)")
    }
    words.removeFirst()
    return value
  }

  private func unknown(_ name: String) -> UsageError {
    let known = verb.options.map(\.name) + ["--help"]
    let nearest = nearestName(to: name, among: known)
    return usage("unknown option \(name)" + (nearest.map { "; did you mean \($0)?" } ?? ""))
  }

  private func usage(_ message: String) -> UsageError { UsageError(message, verb: verb.name) }
}
