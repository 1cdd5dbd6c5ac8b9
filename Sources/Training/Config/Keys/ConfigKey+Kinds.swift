import FireflyBase

// Keys by the kind of their value. `or` says what holds without a value that is no value of the kind.

extension ConfigKey where Value == String {
  /// A text that must be given.
  static func required(_ name: String, _ about: KeyDeclaration.About) -> ConfigKey {
    ConfigKey(name, .filled, .required, about, fallback: "") { $0.string }
  }

  /// A text that may be empty.
  static func text(
    _ name: String, default text: String, suggesting words: [String] = [], _ about: KeyDeclaration.About
  ) -> ConfigKey {
    ConfigKey(
      name, .text(isEmptyAllowed: true, suggesting: words), .value(.string(text)), about, fallback: text
    ) { $0.string }
  }
}

extension ConfigKey where Value == String? {
  static func text(
    _ name: String, suggesting words: [String] = [], or standard: Wording, _ about: KeyDeclaration.About
  ) -> ConfigKey {
    ConfigKey(
      name, .text(isEmptyAllowed: true, suggesting: words), .told(standard), about, fallback: nil
    ) { .some($0.string) }
  }
}

extension ConfigKey where Value == Bool {
  static func flag(_ name: String, default value: Bool, _ about: KeyDeclaration.About) -> ConfigKey {
    ConfigKey(name, .flag, .value(.bool(value)), about, fallback: value) { $0.bool }
  }
}

extension ConfigKey where Value == Bool? {
  static func flag(_ name: String, or standard: Wording, _ about: KeyDeclaration.About) -> ConfigKey {
    ConfigKey(name, .flag, .told(standard), about, fallback: nil) { .some($0.bool) }
  }
}

extension ConfigKey where Value == Int {
  static func whole(
    _ name: String, in range: ClosedRange<Int>, default value: Int, _ about: KeyDeclaration.About
  ) -> ConfigKey {
    ConfigKey(name, .whole(range), .value(.int(value)), about, fallback: value) { $0.int }
  }

  static func count(
    _ name: String, from least: Int = 1, default value: Int, _ about: KeyDeclaration.About
  ) -> ConfigKey {
    whole(name, in: least...KeyShape.most, default: value, about)
  }

  /// A count that must be given.
  static func required(_ name: String, from least: Int, _ about: KeyDeclaration.About) -> ConfigKey {
    ConfigKey(name, .count(from: least), .required, about, fallback: least) { $0.int }
  }
}

extension ConfigKey where Value == Int? {
  static func whole(
    _ name: String, in range: ClosedRange<Int>, or standard: Wording, _ about: KeyDeclaration.About
  ) -> ConfigKey {
    ConfigKey(name, .whole(range), .told(standard), about, fallback: nil) { .some($0.int) }
  }

  static func count(
    _ name: String, from least: Int = 1, or standard: Wording, _ about: KeyDeclaration.About
  ) -> ConfigKey {
    whole(name, in: least...KeyShape.most, or: standard, about)
  }
}

extension ConfigKey where Value == Double {
  /// - Parameter above: leaves out the range's lower bound.
  static func number(
    _ name: String, in range: ClosedRange<Double> = 0...(.infinity), above: Bool = false,
    default value: Double, _ about: KeyDeclaration.About
  ) -> ConfigKey {
    ConfigKey(
      name, .number(range, above: above), .value(.double(value)), about, fallback: value
    ) { $0.double }
  }
}

extension ConfigKey where Value == Double? {
  static func number(
    _ name: String, in range: ClosedRange<Double>, or standard: Wording, _ about: KeyDeclaration.About
  ) -> ConfigKey {
    ConfigKey(name, .number(range), .told(standard), about, fallback: nil) { .some($0.double) }
  }
}

extension ConfigKey where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One of an enumeration's names.
  static func choice(_ name: String, default value: Value, _ about: KeyDeclaration.About) -> ConfigKey {
    ConfigKey(
      name, .names(Value.allCases.map(\.rawValue)), .value(.string(value.rawValue)), about, fallback: value
    ) { $0.string.flatMap(Value.init) }
  }
}

extension ConfigKey {
  /// One of an enumeration's names, or nil.
  static func choice<Choice>(
    _ name: String, or standard: Wording, _ about: KeyDeclaration.About
  ) -> ConfigKey
  where Value == Choice?, Choice: RawRepresentable & CaseIterable & Sendable, Choice.RawValue == String {
    ConfigKey(
      name, .names(Choice.allCases.map(\.rawValue)), .told(standard), about, fallback: nil
    ) { .some($0.string.flatMap(Choice.init)) }
  }
}

extension ConfigKey where Value == StepCount {
  /// A number of steps, or a part of all of them.
  static func steps(_ name: String, default count: Int, _ about: KeyDeclaration.About) -> ConfigKey {
    ConfigKey(
      name, .either([.count(from: 1), .partOfSteps]), .value(.int(count)), about, fallback: .steps(count),
      read: StepCount.init)
  }
}

extension ConfigKey where Value == StepCount? {
  /// - Parameter least: 0 where that means as if the key were not given.
  static func steps(
    _ name: String, from least: Int = 1, or standard: Wording, _ about: KeyDeclaration.About
  ) -> ConfigKey {
    ConfigKey(
      name, .either([.count(from: least), .partOfSteps]), .told(standard), about, fallback: nil
    ) { .some($0.double == 0 ? nil : StepCount($0)) }
  }
}

extension StepCount {
  /// Of a whole number, or a part below 1.
  fileprivate init?(_ value: JSONValue) {
    if let count = value.int {
      self = .steps(count)
    } else if let part = value.double {
      self = .part(part)
    } else {
      return nil
    }
  }
}
