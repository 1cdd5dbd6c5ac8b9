import FireflyBase

/// The languages that the configuration's keys are described in.
package enum KeyLanguage: String, Sendable, CaseIterable {
  case english = "en"
  case chinese = "zh"

  /// An English text of the code's in this language.
  package func spoken(_ text: String) -> String {
    switch self {
    case .english: text
    case .chinese: Language.chinese(text)
    }
  }
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
