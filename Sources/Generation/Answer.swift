import FireflyBase
import FireflyTensors
import FireflyText

/// One request while it is answered.
final class Answer<Cache: DecodingCache> {
  let index: Int
  let cache: Cache
  /// Tokens that the model has not read yet.
  private(set) var pending: ArraySlice<Int32>
  private(set) var result = GenerationResult()
  private(set) var isFinished = false

  private let options: GenerationOptions
  private let place: String
  private let limit: Int  // tokens of prompt and answer together
  private let promptCount: Int
  private var seen: Set<Int32>
  private var random: CounterRandom
  private var decoder: StreamingDecoder
  private var filter: StopFilter
  private var untaken = ""

  init(
    _ request: GenerationRequest, index: Int, cache: Cache, limit: Int, tokenizer: any Tokenizer
  ) {
    self.index = index
    self.cache = cache
    self.limit = limit
    options = request.options
    place = request.place
    pending = request.prompt[cache.count...]
    promptCount = request.prompt.count
    seen = options.sampling.repetitionPenalty == 1 ? [] : Set(request.prompt)
    random = CounterRandom(seed: request.options.seed)
    decoder = tokenizer.makeStreamingDecoder(skipSpecial: true)
    filter = StopFilter(options.stopStrings)
  }

  func takePending(_ count: Int) -> [Int32] {
    defer { pending = pending.dropFirst(count) }
    return Array(pending.prefix(count))
  }

  /// The text since the last call.
  func takeText() -> String {
    defer { untaken = "" }
    return untaken
  }

  /// Appends the token that `logits` ([V]) and the options give.
  func choose(from logits: [Float]) throws {
    let id: Int32
    do {
      let distribution = try TokenDistribution(logits: logits, seen: seen, options: options.sampling)
      id = options.sampling.temperature > 0 ? distribution.token(at: random.double()) : distribution.ids[0]
    } catch var error as FireflyError {
      error.place = "\(place), token \(result.ids.count + 1) of the answer"
      throw error
    }
    result.ids.append(id)
    pending = [id]
    if options.sampling.repetitionPenalty != 1 { seen.insert(id) }
    if options.topLogProbabilities > 0 {
      result.topLogProbabilities.append(TokenLogProbability.top(options.topLogProbabilities, of: logits))
    }
    if options.stopIDs.contains(id) {
      finish(.stop)
    } else {
      emit(filter.append(decoder.append(id)))
      if filter.hasStopped {
        finish(.stop)
      } else if result.ids.count >= options.maxNewTokens || promptCount + result.ids.count >= limit {
        finish(.length)
      }
    }
  }

  func cancel() { finish(.cancelled) }

  private func finish(_ reason: FinishReason) {
    emit(filter.append(decoder.finish()))
    emit(filter.finish())
    result.finishReason = reason
    isFinished = true
  }

  private func emit(_ piece: String) {
    result.text += piece
    untaken += piece
  }
}
