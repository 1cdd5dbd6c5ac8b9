import Foundation

/// The rules for one answer, and the text so far.
struct RuledText {
  private let rules: LogitRules
  private let stopIDs: Set<Int32>
  private let promptCount: Int
  /// The most tokens of the answer.
  private let limit: Int
  private var tokens: [Int32]

  /// nil where there are no rules.
  init?(prompt: [Int32], options: GenerationOptions, limit: Int) {
    guard !options.rules.isEmpty else { return nil }
    rules = options.rules
    stopIDs = options.stopIDs
    promptCount = prompt.count
    self.limit = limit
    tokens = prompt
  }

  /// Takes a token of the answer.
  mutating func add(_ id: Int32) { tokens.append(id) }

  private var answerCount: Int { tokens.count - promptCount }

  // MARK: - Before the penalties

  func addBias(_ scores: inout [Float]) {  // [V]
    for biased in rules.sequenceBias { add(Float(biased.bias), to: biased.sequence, in: &scores) }
    guard rules.promptFavour != 1 else { return }
    TokenDistribution.penalise(
      &scores, seen: Set(tokens.prefix(promptCount)), by: 1 / Float(rules.promptFavour))
  }

  private func add(_ bias: Float, to sequence: [Int32], in scores: inout [Float]) {
    guard let last = sequence.last, scores.indices.contains(Int(last)) else { return }
    if tokens.suffix(sequence.count - 1).elementsEqual(sequence.dropLast()) { scores[Int(last)] += bias }
  }

  // MARK: - After the penalties

  func apply(_ scores: inout [Float]) {  // [V]
    forbidRepetition(rules.uniqueSequenceLength, of: tokens[...], &scores)
    forbidRepetition(rules.newSequenceLength, of: tokens.prefix(promptCount), &scores)
    for word in rules.badWords where word.count != 1 || !stopIDs.contains(word[0]) {
      add(-.infinity, to: word, in: &scores)
    }
    let isTooShort = rules.minNewTokens.map { answerCount < $0 } ?? (tokens.count < rules.minLength)
    if isTooShort { forbid(stopIDs, &scores) }
    if let first = rules.forcedFirst, tokens.count == 1 { force([first], &scores) }
    if !rules.forcedLast.isEmpty, answerCount == limit - 1 { force(rules.forcedLast, &scores) }
    favourStop(&scores)
    forbid(rules.suppressed, &scores)
    // A forced first token does not count as the beginning.
    let begin = promptCount > 1 || rules.forcedFirst == nil ? promptCount : promptCount + 1
    if tokens.count == begin { forbid(rules.suppressedFirst, &scores) }
    if rules.renormalizes, scores.contains(where: { $0 > -.infinity }) {
      scores = LogSoftmax(scores).logProbabilities
    }
  }

  /// Forbids what would make the last tokens a sequence of `length` tokens that stands in `text`.
  private func forbidRepetition(_ length: Int, of text: ArraySlice<Int32>, _ scores: inout [Float]) {
    guard length > 0, text.count >= length else { return }
    let end = tokens.suffix(length - 1)
    for start in 0...text.count - length where text[start..<start + length - 1].elementsEqual(end) {
      forbid([text[start + length - 1]], &scores)
    }
  }

  private func favourStop(_ scores: inout [Float]) {
    guard let decay = rules.lengthDecay, answerCount > decay.start else { return }
    let growth = Float(pow(decay.factor, Double(answerCount - decay.start)) - 1)
    for id in stopIDs where scores.indices.contains(Int(id)) && scores[Int(id)].isFinite {
      scores[Int(id)] += abs(scores[Int(id)]) * growth
    }
  }

  private func forbid(_ ids: some Sequence<Int32>, _ scores: inout [Float]) {
    for id in ids where scores.indices.contains(Int(id)) { scores[Int(id)] = -.infinity }
  }

  private func force(_ ids: [Int32], _ scores: inout [Float]) {
    for index in scores.indices { scores[index] = -.infinity }
    for id in ids where scores.indices.contains(Int(id)) { scores[Int(id)] = 0 }
  }
}
