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
  }

  private func add(_ bias: Float, to sequence: [Int32], in scores: inout [Float]) {
    guard let last = sequence.last, scores.indices.contains(Int(last)) else { return }
    if tokens.suffix(sequence.count - 1).elementsEqual(sequence.dropLast()) { scores[Int(last)] += bias }
  }

  // MARK: - After the penalties

  func apply(_ scores: inout [Float]) {  // [V]
    forbidRepetition(&scores)
    for word in rules.badWords where word.count != 1 || !stopIDs.contains(word[0]) {
      add(-.infinity, to: word, in: &scores)
    }
    if tokens.count < rules.minLength || answerCount < rules.minNewTokens { forbid(stopIDs, &scores) }
    if let first = rules.forcedFirst, tokens.count == 1 { force([first], &scores) }
    if !rules.forcedLast.isEmpty, answerCount == limit - 1 { force(rules.forcedLast, &scores) }
    favourStop(&scores)
    forbid(rules.suppressed, &scores)
    // A forced first token does not count as the beginning.
    let begin = promptCount > 1 || rules.forcedFirst == nil ? promptCount : promptCount + 1
    if tokens.count == begin { forbid(rules.suppressedFirst, &scores) }
  }

  private func forbidRepetition(_ scores: inout [Float]) {
    let length = rules.uniqueSequenceLength
    guard length > 0, tokens.count >= length else { return }
    let end = tokens.suffix(length - 1)
    for start in 0...tokens.count - length
    where tokens[start..<start + length - 1].elementsEqual(end) {
      forbid([tokens[start + length - 1]], &scores)
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
