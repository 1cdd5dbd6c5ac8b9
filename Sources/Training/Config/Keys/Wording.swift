/// The languages that the configuration's keys are described in.
package enum KeyLanguage: String, Sendable, CaseIterable {
  case english = "en"
  case chinese = "zh"
}

/// A text in each of the languages.
package struct Wording: Sendable, Equatable {
  private let english: String
  private let chinese: String

  package init(_ english: String, _ chinese: String) {
    self.english = english
    self.chinese = chinese
  }

  package subscript(_ language: KeyLanguage) -> String { language == .english ? english : chinese }
}
