/// A rendered template.
package struct JinjaRendering {
  package var text: MarkedText
  /// What stood inside `{% generation %}`, as bytes of `text`, ascending.
  package var generations: [Range<Int>]
}

/// How much a template may do before it is stopped.
package struct JinjaLimits: Sendable {
  /// Statements and expressions evaluated.
  package var steps = 20_000_000
  /// Bytes of the output, and of any one text: more than any model reads, as what becomes of it takes some thirty times
  /// as much memory.
  package var bytes = 16 << 20
  /// Members of any one list or dictionary, those of its members counted too.
  package var members = 1_000_000
  /// Statements, expressions and macros inside one another; lists and dictionaries too.
  package var depth = 250

  package init() {}
}
