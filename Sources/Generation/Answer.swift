import FireflyBase
import FireflyTensors
import FireflyText

/// One request while it is answered.
final class Answer<Cache: DecodingCache> {
  let id: Int
  let request: GenerationRequest
  /// Holds a beginning of the prompt and of `result`, or that and more; nil until the first of the prompt is read.
  private(set) var cache: Cache?
  private(set) var result = GenerationResult()
  private(set) var failure: FireflyError?
  private(set) var isFinished = false

  private let tokenizer: any Tokenizer
  private let limit: Int  // tokens of the answer
  private var history: TokenHistory
  /// While there are several beams.
  private var search: BeamSearch<Cache>?
  private var random: CounterRandom
  private var text: AnswerText
  /// Where the text stands in what it must be.
  private var place: TextConstraint.Place?
  /// The sum of the prompt's states so far, for a mean of them.
  private var stateSums: [Double] = []  // [C]
  private var untakenText = ""
  private var takenTokens = 0

  init(_ request: GenerationRequest, id: Int, maxPositions: Int, tokenizer: any Tokenizer) {
    self.id = id
    self.request = request
    self.tokenizer = tokenizer
    let options = request.options
    precondition((1...GenerationOptions.mostBeams).contains(options.numBeams), "\(options.numBeams) beams")
    limit = min(options.limit(prompt: request.prompt.count), maxPositions - request.prompt.count)
    history = TokenHistory(prompt: request.prompt, options: options, limit: limit)
    random = CounterRandom(seed: options.seed)
    text = AnswerText(options, tokenizer)
    place = options.constraint?.start
    precondition(place == nil || options.numBeams == 1, "a constraint with beams")
  }

  // MARK: - Reading the prompt

  var prompt: [Int32] { request.prompt }

  /// Whether the prompt is being read: all of it but its last token is read before anything is generated.
  var isReading: Bool { !isFinished && readCount < readEnd }

  /// Tokens of the prompt to read before anything is generated; an embedding is of all of them.
  var readEnd: Int { prompt.count - (request.options.pooling == nil ? 1 : 0) }

  /// Tokens of the prompt that the cache holds.
  var readCount: Int { min(cache?.count ?? 0, prompt.count) }

  /// Bytes of memory that the answer holds.
  var byteCount: Int { search?.byteCount ?? cache?.byteCount ?? 0 }

  /// - Parameter cache: holds a beginning of the prompt.
  func begin(_ cache: Cache) {
    self.cache = cache
    result.reusedCount = cache.count
  }

  func add(_ scores: [TokenScore]) { result.promptScores += scores }

  /// Takes the states of the prompt's next tokens into the embedding.
  func add(_ states: Tensor) {  // [tokens, C]
    let (columns, values) = (states.columns, states.floats)
    guard request.options.pooling == .mean else {
      result.embedding = Array(values.suffix(columns))
      return
    }
    if stateSums.isEmpty { stateSums = [Double](repeating: 0, count: columns) }
    for (index, value) in values.enumerated() { stateSums[index % columns] += Double(value) }
    result.embedding = stateSums.map { Float($0 / Double(readCount)) }
  }

  /// When nothing is to be generated, the answer ends with the prompt.
  func finishIfOnlyRead() {
    if !isFinished && !isReading && request.options.maxNewTokens == 0 { finish(.length) }
  }

  // MARK: - Generating

  /// What the next step takes, once the prompt is read: one row, or one for each beam.
  func inputs() -> [(cache: Cache, tokens: [Int32])] {
    guard let cache else { return [] }
    guard request.options.numBeams > 1 else {
      return [(cache, [result.tokens.last?.id ?? prompt[prompt.count - 1]])]
    }
    let search =
      self.search ?? BeamSearch(request, cache: cache, limit: limit, tokenizer: tokenizer)
    self.search = search
    return search.inputs
  }

  /// Goes on by the tokens that `logits` and the options give, or fails.
  ///
  /// - Parameter logits: `[inputs, V]`
  func choose(from logits: Tensor) {
    let length = search?.length ?? result.tokens.count
    do {
      if search == nil {
        let logits = logits.floats
        let id = try choice(from: logits)
        append(GeneratedToken(id, options: request.options, softmax: LogSoftmax(logits)))
      } else {
        try search?.advance(logits)
        cache = search?.cache
        appendCertain()
      }
    } catch var error as FireflyError {
      error.place = "\(request.place), token \(length + 1) of the answer"
      fail(error)
    } catch {
      fail(FireflyError("\(error)", at: request.place))
    }
  }

  private func choice(from logits: [Float]) throws -> Int32 {  // [V]
    var logits = logits
    if let place {
      try request.options.constraint?.restrict(&logits, at: place, stopIDs: request.options.stopIDs)
    }
    let distribution = try history.distribution(logits)
    return request.options.sampling.temperature > 0
      ? distribution.token(at: random.double()) : distribution.ids[0]
  }

  private func append(_ token: GeneratedToken) {
    var token = token
    token.offset = text.decodedCount
    result.tokens.append(token)
    history.add(token.id)
    if request.options.stopIDs.contains(token.id) { return finish(.stop) }
    emit(text.append(token.id))
    if var place {
      request.options.constraint?.advance(&place, by: token.id)
      self.place = place
    }
    if text.hasStopped || place?.isOver == true {
      finish(.stop)
    } else if result.tokens.count >= limit {
      finish(.length)
    }
  }

  // MARK: - Beams

  /// Appends what all beams agree in, or the whole answer when the search is over.
  private func appendCertain() {
    guard let search else { return }
    if search.isOver { return append(search.best) }
    for token in search.certain(from: result.tokens.count) { append(token) }
  }

  private func append(_ best: BeamSearch<Cache>.Hypothesis) {
    result.beamScore = best.score
    for token in best.tokens.dropFirst(result.tokens.count) { append(token) }
  }

  // MARK: - Ending

  /// Ends the answer with what there is, of several beams with the best so far.
  func cancel() {
    guard !isFinished else { return }
    if let search { append(search.best) }
    if !isFinished { finish(.cancelled) }
    result.finishReason = .cancelled
  }

  /// Ends without an answer.
  func fail(_ error: FireflyError) {
    guard !isFinished else { return }
    failure = error
    search = nil
    isFinished = true
  }

  private func finish(_ reason: FinishReason) {
    emit(text.finish())
    if let search { cache = search.cache(holding: result.tokens) }
    search = nil
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
