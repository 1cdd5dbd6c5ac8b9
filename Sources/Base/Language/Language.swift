import Foundation

/// The language in which people are spoken to on a terminal.
///
/// Texts are English in the code, in files, in JSON and in logs. What is shown to a person goes through its language last
/// of all: a catalogue is searched for the text, whole or as a template with its places filled. What the catalogue does not
/// have stays English.
package struct Language: Sendable {
  /// Nil for English, in which every text stands already.
  private let catalogue: Catalogue?

  package static let english = Language(catalogue: nil)
  package static let chinese = Language(catalogue: Catalogue(Chinese.tables))

  private init(catalogue: Catalogue?) { self.catalogue = catalogue }

  /// The user's, as the environment has it.
  package static let current = isChinese(ProcessInfo.processInfo.environment) ? chinese : english

  package var isEnglish: Bool { catalogue == nil }

  /// Whether the environment asks for Chinese: `FIREFLY_LANG`, else `LC_ALL`, `LC_MESSAGES`, `LANG`; the first of them that
  /// is not empty decides. All of `zh`, `zh_CN.UTF-8`, `zh-Hans`, `zh_TW` get the one Chinese that there is, which is
  /// UTF-8.
  package static func isChinese(_ environment: [String: String]) -> Bool {
    let names = ["FIREFLY_LANG", "LC_ALL", "LC_MESSAGES", "LANG"]
    let name = names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }?.lowercased() ?? ""
    let characters = name.split(separator: ".").dropFirst().first?.prefix { $0 != "@" }
    return name.prefix { $0.isLetter } == "zh" && ["utf-8", "utf8", nil].contains(characters)
  }

  /// `text` in this language: one sentence or several, a place of a table, a note.
  package func callAsFunction(_ text: String) -> String { catalogue?.translation(of: text) ?? text }

  /// An error, each of its parts by itself: `place: what（应为 …，实际为 …）。fix`.
  package func callAsFunction(_ error: any Error) -> String {
    guard let catalogue else { return "\(error)" }
    guard let error = error as? FireflyError else { return lines("\(error)") }
    var text = error.place.map { catalogue.place($0) + ": " } ?? ""
    text += lines(error.what)
    let details = [error.expected.map { "expected \($0)" }, error.found.map { "found \($0)" }]
      .compactMap { $0.map(catalogue.translation) }
    if !details.isEmpty { text += "（" + details.joined(separator: "，") + "）" }
    if let fix = error.fix { text += "。" + lines(fix) }
    return text
  }

  /// Whole lines as they are printed: indentation stays, and columns that two spaces or more part keep their places.
  package func lines(_ text: String) -> String {
    guard !isEnglish else { return text }
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { line(String($0)) }
      .joined(separator: "\n")
  }

  private func line(_ line: String) -> String {
    let indentation = line.prefix { $0 == " " }
    let text = line.dropFirst(indentation.count)
    let whole = self(String(text))
    guard whole == text, text.contains("  ") else { return indentation + whole }
    var out = String(indentation)
    var column = indentation.count
    for piece in Cells(text) {
      // At its old column, and never closer than two spaces.
      if column > indentation.count {
        out += String(repeating: " ", count: max(2, column - Columns.count(out)))
      }
      out += self(String(piece.text))
      column += Columns.count(String(piece.text)) + piece.gap
    }
    return out
  }
}

/// The pieces of a line that two spaces or more part, each with the number of spaces behind it.
private struct Cells: Sequence, IteratorProtocol {
  private var rest: Substring

  init(_ line: Substring) { rest = line }

  mutating func next() -> (text: Substring, gap: Int)? {
    guard !rest.isEmpty else { return nil }
    guard let gap = rest.firstRange(of: "  ") else {
      defer { rest = "" }
      return (rest, 0)
    }
    let text = rest[..<gap.lowerBound]
    let behind = rest[gap.lowerBound...].prefix { $0 == " " }
    rest = rest[behind.endIndex...]
    return (text, behind.count)
  }
}
