/// A command of the program: `firefly NAME …`.
package struct Verb: Sendable {
  package let name: String
  /// What the verb does, on one line for the list of verbs.
  package let summary: String
  /// What the verb's own help adds: a paragraph a line; lines with a tab are entries of a list, a name and what it is.
  package let details: String
  package let positionals: [Positional]
  package let options: [OptionDeclaration]
  package let run: @Sendable (Arguments) throws -> Void

  package init(
    _ name: String, summary: String, details: String = "", positionals: [Positional] = [],
    options: [OptionDeclaration] = [], run: @escaping @Sendable (Arguments) throws -> Void
  ) {
    self.name = name
    self.summary = summary
    self.details = details
    self.positionals = positionals
    self.options = options
    self.run = run
  }
}

extension Verb {
  /// A part of the details.
  package enum Paragraph {
    case text(String)
    case list([(name: String, text: String)])
  }

  /// The details, entries that follow each other as one list.
  package var paragraphs: [Paragraph] {
    details.split(separator: "\n").reduce(into: []) { paragraphs, line in
      let parts = line.split(separator: "\t", maxSplits: 1).map(String.init)
      if parts.count < 2 {
        paragraphs.append(.text(String(line)))
      } else if case .list(let entries) = paragraphs.last {
        paragraphs[paragraphs.count - 1] = .list(entries + [(parts[0], parts[1])])
      } else {
        paragraphs.append(.list([(parts[0], parts[1])]))
      }
    }
  }
}
