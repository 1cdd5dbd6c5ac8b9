/// What stands around the reasoning in a model's answers.
package struct ReasoningMarks: Equatable, Sendable {
  package let open: String
  package let close: String

  package static let standard = ReasoningMarks(open: "<think>", close: "</think>")

  private static let others = [
    ReasoningMarks(open: "[THINK]", close: "[/THINK]"),
    ReasoningMarks(open: "<seed:think>", close: "</seed:think>"),
    ReasoningMarks(open: "<think:opensource>", close: "</think:opensource>"),
    ReasoningMarks(open: "<|START_THINKING|>", close: "<|END_THINKING|>"),
    ReasoningMarks(open: "Here are my reasoning steps:", close: "[BEGIN FINAL RESPONSE]"),
    ReasoningMarks(open: "<thinking>", close: "</thinking>"),
    ReasoningMarks(open: "<|channel>thought", close: "<channel|>"),
  ]

  /// The marks that a text has both of; elsewhere the usual ones.
  init(in text: String) {
    let known = ReasoningMarks.others.first { text.contains($0.open) && text.contains($0.close) }
    self = text.contains(ReasoningMarks.standard.close) ? .standard : known ?? .standard
  }

  init(open: String, close: String) {
    self.open = open
    self.close = close
  }

  /// Tokens that the marks may be made of: each mark itself, or the tag that it begins with.
  package var tokens: [String] {
    [open, close].flatMap { mark in
      [mark] + (mark.firstIndex(of: ">").map { [String(mark[...$0])] } ?? [])
    }
  }

  /// Whether a text ends within reasoning that has just begun.
  package func endsOpen(_ text: String) -> Bool {
    guard let last = text.ranges(of: open).last else { return false }
    return text[last.upperBound...].allSatisfy(\.isWhitespace)
  }
}
