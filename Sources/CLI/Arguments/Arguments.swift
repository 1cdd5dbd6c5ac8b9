/// The command line was not understood: told with the way to the help, exit status 2.
package struct UsageError: Error, CustomStringConvertible {
  package let description: String
  /// The verb whose help to point to; nil for the program's own.
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

  /// A positional argument; all declared ones but optional ones are present.
  package subscript(_ positional: Positional) -> String {
    guard let value = positionals[positional.name] else {
      preconditionFailure("\(verb) does not declare \(positional.name)")
    }
    return value
  }

  /// A positional argument that may be left out.
  package func optional(_ positional: Positional) -> String? { positionals[positional.name] }

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

  /// Refuses options that were given and have no meaning here.
  package func refuse(_ names: [OptionDeclaration], because why: String) throws {
    if let given = names.first(where: { values[$0.name] != nil }) {
      throw UsageError("\(given.name) cannot be used here: \(why)", verb: verb)
    }
  }
}
