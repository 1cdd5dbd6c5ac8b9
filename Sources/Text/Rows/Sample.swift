/// A training row as ids, with what is learnt of it: shifting and masking happen here and nowhere else.
public struct Sample: Equatable, Sendable {
  public let tokens: [Int32]  // [T]
  /// The token positions that are learnt, ascending; never position 0, which nothing precedes.
  public let targets: [Range<Int>]
  /// The row's line in its file, from 1; of several files, counted on from file to file.
  public internal(set) var line: Int

  /// - Parameter targets: ranges of token positions, ascending and apart; position 0 is left out of them.
  public init(tokens: [Int32], targets: [Range<Int>], line: Int) {
    var end = 1
    var kept: [Range<Int>] = []
    for range in targets {
      precondition(
        range.lowerBound >= kept.last?.upperBound ?? 0, "target ranges overlap or are out of order")
      precondition(range.upperBound <= tokens.count, "a target lies beyond the \(tokens.count) tokens")
      let trimmed = range.clamped(to: end..<max(end, tokens.count))
      if !trimmed.isEmpty { kept.append(trimmed) }
      end = max(end, range.upperBound)
    }
    self.tokens = tokens
    self.targets = kept
    self.line = line
  }

  /// How many predictions count in the loss.
  public var targetCount: Int { targets.reduce(0) { $0 + $1.count } }

  /// What each position is to predict, already shifted: `labels[i]` is `tokens[i + 1]` where that is a target, else −1.
  public var labels: [Int32] {  // [T]
    var labels = [Int32](repeating: -1, count: tokens.count)
    for range in targets {
      for position in range { labels[position - 1] = tokens[position] }
    }
    return labels
  }
}

// MARK: - From a conversation

extension ChatTemplate {
  /// A row as ids, and what truncation took.
  struct Rendering {
    var sample: Sample
    /// Tokens before truncation.
    var fullLength: Int
    /// What of the conversation the template leaves out.
    var lost: Set<LostPart>
    /// Truncation cut an answer before the token that ends it: the model is shown an answer without a stop.
    var cutsAnswer: Bool
  }

  /// Tokenises a conversation and truncates it on the right to `maxLength` tokens.
  ///
  /// - Parameter learnt: what the targets are.
  func render(
    _ conversation: Conversation, _ tokenizer: any Tokenizer, maxLength: Int, learnt: LearntParts = .answers,
    stopIDs: [Int32]
  ) throws -> Rendering {
    let row = try row(conversation, tokenizer)
    let length = min(row.tokens.count, maxLength)
    let cut = row.answers.last { $0.lowerBound < length && length < $0.upperBound }
    return Rendering(
      sample: Sample(
        tokens: Array(row.tokens[..<length]),
        targets: learnt.ranges(row.answers, count: row.tokens.count).map { $0.clamped(to: 0..<length) },
        line: conversation.line),
      fullLength: row.tokens.count, lost: row.lost,
      cutsAnswer: cut.map { !row.tokens[$0.lowerBound..<length].contains(where: stopIDs.contains) } ?? false)
  }

  /// The training row of one conversation.
  ///
  /// - Parameter maxLength: tokens kept, counted from the left.
  /// - Returns: nil when no target is left, which would make the mean loss of a batch 0/0.
  package func sample(
    _ conversation: Conversation, tokenizer: any Tokenizer, maxLength: Int
  ) throws -> Sample? {
    let sample = try render(conversation, tokenizer, maxLength: maxLength, stopIDs: []).sample
    return sample.targetCount == 0 ? nil : sample
  }
}
