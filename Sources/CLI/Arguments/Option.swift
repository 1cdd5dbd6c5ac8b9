import FireflyBase

/// What a verb accepts beyond its positional arguments; help and checks come from this one declaration.
package struct OptionDeclaration: Sendable {
  /// The option with its dashes, e.g. `--max-new-tokens`.
  package let name: String
  /// What stands for the value in the help; nil for a flag.
  package let placeholder: String?
  package let help: String
  package let repeated: Bool
  /// What a value must be, for the error message.
  package let expected: String
  let accepts: @Sendable (String) -> Bool
}

/// A switch without a value: `--json`.
package struct Flag: Sendable {
  package let declaration: OptionDeclaration

  package init(_ name: String, _ help: String) {
    declaration = OptionDeclaration(
      name: name, placeholder: nil, help: help, repeated: false, expected: "no value", accepts: { _ in false }
    )
  }
}

/// An option with a typed value: `--seed 7` or `--seed=7`.
package struct Option<Value: Sendable>: Sendable {
  package let declaration: OptionDeclaration
  let read: @Sendable (String) -> Value?

  init(
    _ name: String, _ placeholder: String, _ help: String, repeated: Bool, expected: String,
    read: @escaping @Sendable (String) -> Value?
  ) {
    declaration = OptionDeclaration(
      name: name, placeholder: placeholder, help: help, repeated: repeated, expected: expected,
      accepts: { read($0) != nil })
    self.read = read
  }
}

extension Option where Value == String {
  /// Any text, a path or a name among others.
  package static func text(_ name: String, _ placeholder: String, _ help: String, repeated: Bool = false)
    -> Option
  {
    Option(name, placeholder, help, repeated: repeated, expected: "text", read: { $0 })
  }

  /// One of `choices`.
  package static func choice(_ name: String, _ choices: [String], _ help: String) -> Option {
    let list = choices.joined(separator: "|")
    return Option(name, list, help, repeated: false, expected: "one of \(list)") {
      choices.contains($0) ? $0 : nil
    }
  }
}

extension Option where Value == Int {
  /// A whole number, at least `least`.
  package static func integer(_ name: String, _ placeholder: String, atLeast least: Int, _ help: String)
    -> Option
  {
    integer(name, placeholder, in: least...Int.max, help)
  }

  /// A whole number within `range`.
  package static func integer(
    _ name: String, _ placeholder: String, in range: ClosedRange<Int>, _ help: String
  ) -> Option {
    Option(name, placeholder, help, repeated: false, expected: "a whole number \(range.words(open: .max))") {
      Int($0).flatMap { range.contains($0) ? $0 : nil }
    }
  }
}

extension ClosedRange {
  /// The range as an error says it; `open` as the upper bound means that there is none.
  func words(open: Bound) -> String {
    upperBound == open ? "of at least \(lowerBound)" : "from \(lowerBound) to \(upperBound)"
  }
}

extension Option where Value == Double {
  /// A number within `range`.
  package static func number(
    _ name: String, _ placeholder: String, in range: ClosedRange<Double>, _ help: String
  ) -> Option {
    Option(name, placeholder, help, repeated: false, expected: "a number \(range.words(open: .infinity))") {
      Double($0).flatMap { $0.isFinite && range.contains($0) ? $0 : nil }
    }
  }
}

/// An argument known by its place.
package struct Positional: Sendable {
  /// The argument's name in capitals, as the help shows it.
  package let name: String
  package let help: String
  /// Words that a shell completes; empty: files.
  package let choices: [String]
  /// Of a verb's positionals only the last may be left out.
  package let isOptional: Bool

  package init(_ name: String, _ help: String, choices: [String] = [], isOptional: Bool = false) {
    self.name = name
    self.help = help
    self.choices = choices
    self.isOptional = isOptional
  }

  /// The name as the usage shows it.
  var usage: String { isOptional ? "[\(name)]" : name }
}
