import FireflyBase
import FireflyTensors
import FireflyText

/// One request while it is answered.
final class Answer<Cache: DecodingCache> {
  let id: Int
  let request: GenerationRequest
  /// nil until the first of the prompt is read.
  private(set) var cache: Cache?
  private(set) var result = GenerationResult()
  private(set) var failure: FireflyError?
  private(set) var isFinished = false

  private let limit: Int  // tokens of prompt and answer together
  private var seen: Set<Int32>
  private var counts: [Int32: Int] = [:]  // of what was generated
  private var random: CounterRandom
  private var decoder: StreamingDecoder
  private var filter: StopFilter
  private var decodedCount = 0  // bytes
  private var untakenText = ""
  private var takenTokens = 0

  init(_ request: GenerationRequest, id: Int, maxPositions: Int, tokenizer: any Tokenizer) {
    self.id = id
    self.request = request
    let options = request.options
    limit = min(request.prompt.count + options.maxNewTokens, maxPositions)
    seen = options.sampling.repetitionPenalty == 1 ? [] : Set(request.prompt)
    random = CounterRandom(seed: options.seed)
    decoder = tokenizer.makeStreamingDecoder(skipSpecial: true)
    filter = StopFilter(options.stopStrings)
  }

  // MARK: - Reading the prompt

  var prompt: [Int32] { request.prompt }

  /// All of the prompt but its last token is read before anything is generated.
  var isReading: Bool { !isFinished && readCount < prompt.count - 1 }

  /// Tokens of the prompt that the cache holds.
  var readCount: Int { min(cache?.count ?? 0, prompt.count) }

  /// - Parameter cache: holds a beginning of the prompt.
  func begin(_ cache: Cache) {
    self.cache = cache
    result.reusedCount = cache.count
  }

  func add(_ scores: [TokenScore]) { result.promptScores += scores }

  /// When nothing is to be generated, the answer ends with the prompt.
  func finishIfOnlyRead() {
    if !isFinished && !isReading && request.options.maxNewTokens == 0 { finish(.length) }
  }

  // MARK: - Generating

  /// The token that the next step takes.
  var pending: Int32 { result.tokens.last?.id ?? prompt[prompt.count - 1] }

  /// Appends the token that `logits` ([V]) and the options give, or fails.
  func choose(from logits: [Float]) {
    do {
      append(try choice(from: logits), logits)
    } catch var error as FireflyError {
      error.place = "\(request.place), token \(result.tokens.count + 1) of the answer"
      fail(error)
    } catch {
      fail(FireflyError("\(error)", at: request.place))
    }
  }

  private func choice(from logits: [Float]) throws -> Int32 {
    let sampling = request.options.sampling
    let distribution = try TokenDistribution(
      logits: logits, seen: seen, generated: counts, options: sampling)
    return sampling.temperature > 0 ? distribution.token(at: random.double()) : distribution.ids[0]
  }

  private func append(_ id: Int32, _ logits: [Float]) {
    let options = request.options
    var token = GeneratedToken(id: id, offset: decodedCount)
    if options.reportsLogProbabilities || options.topLogProbabilities > 0 {
      let softmax = LogSoftmax(logits)
      token.logProbability = softmax.of(id)
      token.top = softmax.top(options.topLogProbabilities)
    }
    result.tokens.append(token)
    if options.sampling.repetitionPenalty != 1 { seen.insert(id) }
    if options.sampling.countsTokens { counts[id, default: 0] += 1 }
    if options.stopIDs.contains(id) { return finish(.stop) }
    let piece = decoder.append(id)
    decodedCount += piece.utf8.count
    emit(filter.append(piece))
    if filter.hasStopped {
      finish(.stop)
    } else if result.tokens.count >= options.maxNewTokens || prompt.count + result.tokens.count >= limit {
      finish(.length)
    }
  }

  // MARK: - Ending

  func cancel() {
    if !isFinished { finish(.cancelled) }
  }

  private func fail(_ error: FireflyError) {
    failure = error
    isFinished = true
  }

  private func finish(_ reason: FinishReason) {
    emit(filter.append(decoder.finish()))
    emit(filter.finish())
    result.finishReason = reason
    isFinished = true
  }

  private func emit(_ piece: String) {
    result.text += piece
    untakenText += piece
  }

  // MARK: - What is new

  /// The text and the tokens since the last call.
  func takeNew() -> (text: String, tokens: ArraySlice<GeneratedToken>) {
    defer {
      untakenText = ""
      takenTokens = result.tokens.count
    }
    return (untakenText, result.tokens[takenTokens...])
  }
}
