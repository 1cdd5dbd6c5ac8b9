/// A command of the program: `firefly NAME …`.
package struct Verb: Sendable {
  package let name: String
  /// What the verb does, on one line for the list of verbs.
  package let summary: String
  /// What the verb's own help adds.
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
