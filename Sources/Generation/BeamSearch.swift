import FireflyBase
import FireflyTensors
import FireflyText
import Foundation

/// Searches for the answer that is most likely as a whole: at each step the N most likely beginnings go on.
///
/// The answers are those of transformers' `generate(num_beams=N, do_sample=False)`: penalties act on log-probabilities;
/// a beginning ends when it is among the N best and its last token is a stop token, completes a stop string or is the
/// last there may be; ended ones are compared by (sum of log-probabilities) / (tokens ^ length penalty). Of equals the
/// one from the better beam comes first, then the lowest id.
///
/// Memory: each beam has keys and values of its own, the prompt's included, so N times those of one answer. The prompt
/// is copied N − 1 times at the first step; later, a beam that forks takes the cache of one that has died and copies
/// only what differs.
struct BeamSearch<Cache: DecodingCache> {
  /// A beginning that goes on.
  private struct Beam {
    var tokens: [GeneratedToken] = []
    /// The sum of the tokens' log-probabilities after penalties.
    var total = 0.0
    var history: TokenHistory
    /// nil where there are no stop strings.
    var text: AnswerText?
    var cache: Cache
  }

  /// An answer that has ended, or would if the search did.
  struct Hypothesis {
    var tokens: [GeneratedToken]
    var score: Double
  }

  private let request: GenerationRequest
  private let limit: Int  // tokens of an answer
  private var beams: [Beam]
  /// The best first, at most N.
  private var ended: [Hypothesis] = []
  /// Tokens of each beam.
  private(set) var length = 0
  /// Whether no beam can become the answer any more.
  private(set) var isOver = false

  /// - Parameters:
  ///   - cache: holds all of the prompt but its last token.
  ///   - limit: the most tokens of the answer, at least one.
  init(_ request: GenerationRequest, cache: Cache, limit: Int, tokenizer: any Tokenizer) {
    self.request = request
    self.limit = limit
    let options = request.options
    let history = TokenHistory(prompt: request.prompt, options: options, limit: limit)
    let text = options.stopStrings.isEmpty ? nil : AnswerText(options, tokenizer)
    beams = [Beam(history: history, text: text, cache: cache)]
  }

  private var options: GenerationOptions { request.options }

  /// What the next step takes.
  var inputs: [(cache: Cache, tokens: [Int32])] {
    beams.map { ($0.cache, [$0.tokens.last?.id ?? request.prompt[request.prompt.count - 1]]) }
  }

  /// The best beam's, which holds the prompt and what is certain.
  var cache: Cache { beams[0].cache }

  /// Memory of the beams.
  var byteCount: Int { beams.reduce(0) { $0 + $1.cache.byteCount } }

  // MARK: - A step

  /// Goes on from each beam by a token.
  ///
  /// - Parameter logits: `[beams, V]`, what the step with `inputs` gave.
  /// - Throws: `FireflyError` when a logit is NaN or none is finite.
  mutating func advance(_ logits: Tensor) throws {
    let rows = try scored(logits)
    length += 1
    var next: [Beam] = []
    for (rank, candidate) in candidates(rows).enumerated() {
      guard rank < options.numBeams || next.count < options.numBeams else { break }
      let token = GeneratedToken(candidate.id, options: options, softmax: rows[candidate.beam].softmax)
      var beam = beams[candidate.beam]
      beam.tokens.append(token)
      beam.total = candidate.total
      beam.history.add(token.id)
      _ = beam.text?.append(token.id)
      if options.stopIDs.contains(token.id) || beam.text?.hasStopped == true || length >= limit {
        if rank < options.numBeams { add(Hypothesis(tokens: beam.tokens, score: score(beam.total, length))) }
      } else if next.count < options.numBeams {
        next.append(beam)
      }
    }
    isOver = next.isEmpty || !canImprove(next[0].total)
    if !isOver {
      separate(&next)
      beams = next
    }
  }

  /// A token after a beam, by the sum that it would have.
  private struct Candidate {
    var beam: Int
    var id: Int32
    var total: Double
  }

  /// One beam's next tokens.
  private struct Row {
    let softmax: LogSoftmax
    /// The tokens after penalties, the most likely first; as many as may be needed.
    let best: [TokenLogProbability]
  }

  /// Enough that N go on even when every stop token is among the best of each beam.
  private var candidateCount: Int { max(2, 1 + options.stopIDs.count) * options.numBeams }

  private func scored(_ logits: Tensor) throws -> [Row] {
    var rows = [Result<Row, any Error>?](repeating: nil, count: beams.count)
    rows.withUnsafeMutableBufferPointer { rows in
      nonisolated(unsafe) let rows = rows
      Parallel.run(beams.count) { row in
        rows[row] = Result { try scored(logits.slice(row..<row + 1).floats, beams[row].history) }
      }
    }
    return try rows.compactMap { try $0?.get() }
  }

  private func scored(_ logits: [Float], _ history: TokenHistory) throws -> Row {  // [V]
    let softmax = LogSoftmax(logits)
    var scores = softmax.logProbabilities
    try history.adjust(&scores)
    _ = try TokenDistribution.mostLikely(scores)
    let ids = TokenDistribution.largest(candidateCount, of: scores).filter { scores[Int($0)] > -.infinity }
    return Row(
      softmax: softmax,
      best: ids.map { TokenLogProbability(id: $0, logProbability: Double(scores[Int($0)])) })
  }

  /// The best of all rows, the best first.
  private func candidates(_ rows: [Row]) -> [Candidate] {
    var all: [Candidate] = []
    for (beam, row) in rows.enumerated() {
      all += row.best.map {
        Candidate(beam: beam, id: $0.id, total: beams[beam].total + $0.logProbability)
      }
    }
    all.sort { ($1.total, $0.beam, $0.id) < ($0.total, $1.beam, $1.id) }
    return Array(all.prefix(candidateCount))
  }

  // MARK: - What has ended

  private func score(_ total: Double, _ length: Int) -> Double {
    total / pow(Double(max(length, 1)), options.lengthPenalty)
  }

  /// Keeps the N best; what came first stands before its equals.
  private mutating func add(_ hypothesis: Hypothesis) {
    ended.insert(hypothesis, at: ended.firstIndex { $0.score < hypothesis.score } ?? ended.count)
    if ended.count > options.numBeams { ended.removeLast() }
  }

  /// Whether a beam could still come before the last of N answers, when the best beam's sum is `total`.
  private func canImprove(_ total: Double) -> Bool {
    guard ended.count == options.numBeams, let worst = ended.last else { return true }
    switch options.earlyStopping {
    case .yes: return false
    case .no: return score(total, length) > worst.score
    case .never: return score(total, options.lengthPenalty > 0 ? limit : length) > worst.score
    }
  }

  // MARK: - What is known

  /// The answer when the search is over; before that the best so far.
  var best: Hypothesis {
    let running = isOver ? [] : beams.map { Hypothesis(tokens: $0.tokens, score: score($0.total, length)) }
    let all = ended + running
    return all.dropFirst().reduce(all[0]) { $1.score > $0.score ? $1 : $0 }
  }

  /// The tokens from `start` on in which all that may become the answer agree.
  func certain(from start: Int) -> ArraySlice<GeneratedToken> {
    let first = beams[0].tokens
    let others = beams.dropFirst().map(\.tokens) + ended.prefix(1).map(\.tokens)
    var end = start
    while end < first.count, others.allSatisfy({ end < $0.count && $0[end].id == first[end].id }) { end += 1 }
    return first[start..<end]
  }

  // MARK: - Caches

  /// Gives each beam a cache of its own: of those with one parent, the first keeps the parent's.
  private func separate(_ children: inout [Beam]) {
    let kept = Set(children.map { ObjectIdentifier($0.cache) })
    var dead = beams.filter { !kept.contains(ObjectIdentifier($0.cache)) }
    var given: Set<ObjectIdentifier> = []
    for index in children.indices where !given.insert(ObjectIdentifier(children[index].cache)).inserted {
      children[index].cache = copy(of: children[index], reusing: &dead)
    }
  }

  /// A copy of the beam's cache, in that of the dead one which has most in common with it, or in a new one.
  private func copy(of beam: Beam, reusing dead: inout [Beam]) -> Cache {
    let shared = dead.map { BeamSearch.shared($0.tokens, beam.tokens) }
    guard let nearest = shared.indices.max(by: { shared[$0] < shared[$1] }) else {
      return beam.cache.copy(count: beam.cache.count)
    }
    let cache = dead.remove(at: nearest).cache
    cache.copy(beam.cache, keeping: request.prompt.count + shared[nearest])
    return cache
  }

  private static func shared(_ a: [GeneratedToken], _ b: [GeneratedToken]) -> Int {
    zip(a, b).prefix { $0.id == $1.id }.count
  }

  /// The cache that holds most of the prompt and `answer`, cut to what it holds of them.
  func cache(holding answer: [GeneratedToken]) -> Cache {
    let counts = beams.map {
      min($0.cache.count, request.prompt.count + BeamSearch.shared($0.tokens, answer))
    }
    let best = counts.indices.reduce(0) { counts[$1] > counts[$0] ? $1 : $0 }
    let cache = beams[best].cache
    cache.truncate(to: counts[best])
    return cache
  }
}
