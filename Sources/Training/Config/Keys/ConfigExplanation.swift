import FireflyBase

/// What each key of a configuration came to, and what holds for the keys that it has not.
package struct ConfigExplanation {
  private let given: [String: JSONValue]
  /// What became of given keys that steer nothing.
  private let fates: [String: String]
  private let notGiven: [KeyDeclaration]
  private let notices: [String]

  package init(_ config: RunConfig) {
    let given = (config.source.object ?? [:]).filter { $0.value != .null }
    self.given = given
    fates = given.keys.reduce(into: [:]) { fates, name in
      if case .foreign(let fate)? = try? KeyLookup(name) { fates[name] = fate }
    }
    notGiven = ConfigKeys.all.filter { given[$0.name] == nil }
    notices = config.notices
  }

  package func text(_ language: KeyLanguage) -> String {
    let width = (Array(given.keys) + notGiven.map(\.name)).map(\.count).max() ?? 0
    let padded = { (name: String) in name + String(repeating: " ", count: width - name.count) }
    let first = given.sorted { $0.key < $1.key }.map { name, value in
      "  \(padded(name))  \(value.text())" + (fates[name].map { "  (\(language.spoken($0)))" } ?? "")
    }
    let second = notGiven.map { "  \(padded($0.name))  \($0.defaultText(language))" }
    return
      ([Wording("given", "已填")[language]] + first + ["", Wording("not given", "未填")[language]] + second
      + (notices.isEmpty ? [] : [""]) + notices.map { language.spoken("note: \($0)") }).map { $0 + "\n" }
      .joined()
  }

  package func json(_ language: KeyLanguage) -> JSONValue {
    .object([
      "given": .object(given), "fates": .object(fates.mapValues(JSONValue.string)),
      "not_given": .object(
        Dictionary(uniqueKeysWithValues: notGiven.map { ($0.name, .string($0.defaultText(language))) })),
      "notices": .array(notices.map(JSONValue.string)),
    ])
  }
}
