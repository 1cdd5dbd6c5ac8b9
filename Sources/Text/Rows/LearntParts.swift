/// Which tokens of a conversation are learnt.
public enum LearntParts: String, Sendable {
  /// The assistant's answers with what ends them; all else is context.
  case answers
  /// Only the last answer (`only_last_turn`).
  case lastAnswer
  /// Every token: the system text and the user's parts too (`train_on_prompt`).
  case everything

  /// - Parameters:
  ///   - answers: token positions of the answers, ascending.
  ///   - count: tokens of the row.
  func ranges(_ answers: [Range<Int>], count: Int) -> [Range<Int>] {
    switch self {
    case .answers: answers
    case .lastAnswer: Array(answers.suffix(1))
    case .everything: [0..<count]
    }
  }
}
