import FireflyBase

/// How long a preference pair may be, in tokens.
struct PairLimits: Sendable {
  /// Of the prompt with an answer: max_seq_length.
  let length: Int
  /// What a prompt keeps at least: max_prompt_length.
  let promptLength: Int

  /// Cuts a pair as the original does: where the prompt with the longer answer is too long, the prompt loses tokens on the
  /// left, down to `promptLength`; if that is not enough, both answers are cut on the right.
  func cut(_ pair: TemplatePair) -> TemplatePair {
    let longest = max(pair.chosen.count, pair.rejected.count)
    guard pair.prompt.count + longest > length else { return pair }
    var pair = pair
    pair.prompt = pair.prompt.suffix(max(promptLength, length - longest))
    let left = max(0, length - pair.prompt.count)
    pair.chosen = Array(pair.chosen.prefix(left))
    pair.rejected = Array(pair.rejected.prefix(left))
    return pair
  }
}

extension TemplatePair {
  /// Tokens of the prompt with the longer answer.
  var length: Int { prompt.count + max(chosen.count, rejected.count) }

  /// The prompt with each answer, the chosen one's first; the answer is what is learnt.
  func samples(line: Int) -> [Sample] {
    [chosen, rejected].map { answer in
      Sample(
        tokens: prompt + answer, targets: [prompt.count..<prompt.count + answer.count], line: line)
    }
  }
}

/// Turns lines into the two samples of a preference pair; a value that several threads share.
struct PairReader: Sendable {
  let lines: DatasetLines
  let template: ChatTemplate
  let tokenizer: any Tokenizer
  let limits: PairLimits
  let stopIDs: [Int32]

  @Sendable func read(_ line: DatasetLine) throws -> ReadRow {
    let row = Row(try lines.object(line), place: lines.place(line), line: line.number)
    let format = try RowFormat.of(row)
    let content = try format.read(row)
    if case .unusable(let reason) = content {
      return ReadRow(line: line.number, format: format.name, dropReason: reason)
    }
    guard case .preference(let preference) = content else {
      throw FireflyError(
        "the row is no preference pair (its shape is \"\(format.name)\")", at: row.place,
        expected: "\"chosen\" and \"rejected\"",
        fix: "Conversations are trained on with \"task_type\": \"sft\".")
    }
    let template = try located(row.place) { try self.template.with(variablesOf: row) }
    let whole = try located(row.place) { try template.pair(preference, tokenizer) }
    let pair = limits.cut(whole)
    let samples = pair.samples(line: line.number)
    let isKept = samples.allSatisfy { $0.targetCount > 0 }
    let cutsAnswer = zip([pair.chosen, pair.rejected], [whole.chosen, whole.rejected]).contains { kept, all in
      kept.count < all.count && !kept.contains(where: stopIDs.contains)
    }
    let conversations = [preference.chosen, preference.rejected].map(preference.conversation(answer:))
    return ReadRow(
      line: line.number, format: format.name, samples: isKept ? samples : [],
      dropReason: isKept ? nil : .noTarget, fullLength: whole.length, cutsAnswer: cutsAnswer,
      lost: whole.lost, unusedKeys: try format.unusedKeys(of: row, template, conversations))
  }
}
