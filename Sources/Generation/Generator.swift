import FireflyBase
import FireflyTensors
import FireflyText

/// A prompt and how to answer it.
public struct GenerationRequest: Sendable {
  public var prompt: [Int32]
  public var options: GenerationOptions
  /// Names the prompt in errors, for example `prompts.jsonl:3`.
  public var place: String

  public init(prompt: [Int32], options: GenerationOptions, place: String = "prompt") {
    self.prompt = prompt
    self.options = options
    self.place = place
  }
}

/// Answers prompts, several at a time: the running ones share each pass over the weights, finished ones leave
/// and waiting ones take their places.
///
/// A request's answer depends on its own seed and prompt, not on its company.
public struct Generator<Model: DecodingModel> {
  public let model: Model
  public let tokenizer: any Tokenizer
  /// Prompt tokens read in one pass.
  public var prefillChunk = 512

  public init(model: Model, tokenizer: any Tokenizer) {
    self.model = model
    self.tokenizer = tokenizer
  }

  /// Answers `requests` in the order given, at most `batchSize` at a time.
  ///
  /// - Parameters:
  ///   - isCancelled: asked before each pass; true ends everything that runs, with what there is so far.
  ///   - onText: gets each request's index and its next piece of text, whole characters, as soon as it is certain.
  ///   - onFinish: gets each request's index and its answer, in the order of finishing.
  /// - Returns: the answers in the order of the requests; those not begun when cancelled are empty.
  /// - Throws: `FireflyError` for an empty or too long prompt, before anything is generated, and for logits that
  ///   are not finite.
  public func generate(
    _ requests: [GenerationRequest], batchSize: Int = 8, isCancelled: () -> Bool = { false },
    onText: (Int, String) throws -> Void = { _, _ in },
    onFinish: (Int, GenerationResult) throws -> Void = { _, _ in }
  ) throws -> [GenerationResult] {
    precondition(batchSize > 0, "a batch of \(batchSize)")
    try requests.forEach(check)
    let unanswered = GenerationResult(finishReason: .cancelled)
    var results = [GenerationResult](repeating: unanswered, count: requests.count)
    var waiting = requests.indices[...]
    var running: [Answer<Model.Cache>] = []
    while !waiting.isEmpty || !running.isEmpty {
      while running.count < batchSize, let index = waiting.popFirst() {
        running.append(try start(requests[index], index: index, isCancelled: isCancelled))
      }
      if isCancelled() {
        running.forEach { $0.cancel() }
      } else {
        try advance(running)
      }
      for answer in running {
        let piece = answer.takeText()
        if !piece.isEmpty { try onText(answer.index, piece) }
        if answer.isFinished {
          results[answer.index] = answer.result
          try onFinish(answer.index, answer.result)
        }
      }
      running.removeAll(where: \.isFinished)
      if isCancelled() { waiting = waiting[waiting.endIndex...] }
    }
    return results
  }

  /// Answers one request, going on from what `memory` has read before.
  ///
  /// The longest common beginning of the prompt and the memory is not read again; afterwards the memory holds
  /// the prompt and the answer.
  public func generate(
    _ request: GenerationRequest, memory: PromptMemory<Model>, isCancelled: () -> Bool = { false },
    onText: (String) throws -> Void = { _ in }
  ) throws -> GenerationResult {
    try check(request)
    let room = capacity(for: request)
    let cache = memory.prepare(request.prompt, capacity: room, model: model)
    let answer = Answer(request, index: 0, cache: cache, limit: room, tokenizer: tokenizer)
    try prefill(answer, isCancelled: isCancelled)
    while !answer.isFinished {
      if isCancelled() { answer.cancel() } else { try advance([answer]) }
      let piece = answer.takeText()
      if !piece.isEmpty { try onText(piece) }
    }
    memory.ids = Array((request.prompt + answer.result.ids).prefix(cache.count))
    return answer.result
  }

  private func check(_ request: GenerationRequest) throws {
    guard !request.prompt.isEmpty else {
      throw FireflyError("the prompt has no tokens", at: request.place)
    }
    guard request.prompt.count < model.maxPositions else {
      throw FireflyError(
        "the prompt is too long for the model", at: request.place,
        expected: "fewer than \(model.maxPositions) tokens", found: "\(request.prompt.count)")
    }
    if let id = request.prompt.first(where: { $0 < 0 || $0 >= model.vocabularySize }) {
      throw FireflyError(
        "the prompt has a token that the model does not know", at: request.place,
        expected: "ids below \(model.vocabularySize)",
        found: "\(id) (\(tokenizer.token(of: id) ?? "no token"))",
        fix: "The tokenizer and the weights do not belong together.")
    }
  }

  /// Tokens of prompt and answer together.
  private func capacity(for request: GenerationRequest) -> Int {
    min(request.prompt.count + request.options.maxNewTokens, model.maxPositions)
  }

  private func start(_ request: GenerationRequest, index: Int, isCancelled: () -> Bool) throws
    -> Answer<Model.Cache>
  {
    let room = capacity(for: request)
    let answer = Answer(
      request, index: index, cache: model.makeCache(capacity: room), limit: room, tokenizer: tokenizer)
    try prefill(answer, isCancelled: isCancelled)
    return answer
  }

  /// Reads all of the prompt but its last token, which the first shared pass takes.
  private func prefill(_ answer: Answer<Model.Cache>, isCancelled: () -> Bool) throws {
    while answer.pending.count > 1 && !isCancelled() {
      let chunk = answer.takePending(min(prefillChunk, answer.pending.count - 1))
      _ = model.step([(answer.cache, chunk)])
    }
  }

  /// One more token for each of `answers`.
  private func advance(_ answers: [Answer<Model.Cache>]) throws {
    let rows = answers.map { ($0.cache, $0.takePending($0.pending.count)) }
    let logits = model.step(rows)  // [rows, V]
    for (row, answer) in answers.enumerated() {
      try answer.choose(from: logits.slice(row..<row + 1).floats)
    }
  }
}

/// What a model has read of one conversation, kept between answers.
public final class PromptMemory<Model: DecodingModel> {
  private var cache: Model.Cache?
  private var capacity = 0
  public fileprivate(set) var ids: [Int32] = []

  public init() {}

  /// A cache that holds a beginning of `prompt`, at least one token short of it.
  fileprivate func prepare(_ prompt: [Int32], capacity needed: Int, model: Model) -> Model.Cache {
    let common = min(zip(ids, prompt).prefix { $0 == $1 }.count, prompt.count - 1)
    guard let cache, capacity >= needed else {
      // Room for what may follow, so that a growing conversation is not read anew at every turn.
      capacity = min(max(needed * 2, 1024), model.maxPositions)
      let fresh = model.makeCache(capacity: capacity)
      self.cache = fresh
      ids = []
      return fresh
    }
    cache.truncate(to: common)
    ids.removeSubrange(common...)
    return cache
  }
}
