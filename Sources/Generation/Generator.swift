import FireflyText

/// Answers prompts that are all there from the beginning, through a `Batcher`.
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
  ///   - isCancelled: asked before each step; true ends everything that runs, with what there is so far.
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
    try run(requests, batchSize: batchSize, memory: nil, isCancelled, onText, onFinish)
  }

  /// Answers one request, going on from what `memory` has read before.
  ///
  /// The longest common beginning of the prompt and the memory is not read again; afterwards the memory holds
  /// the prompt and the answer.
  public func generate(
    _ request: GenerationRequest, memory: PromptMemory<Model>, isCancelled: () -> Bool = { false },
    onText: (String) throws -> Void = { _ in }
  ) throws -> GenerationResult {
    try run([request], batchSize: 1, memory: memory, isCancelled, { try onText($1) }, { _, _ in })[0]
  }

  private func run(
    _ requests: [GenerationRequest], batchSize: Int, memory: PromptMemory<Model>?,
    _ isCancelled: () -> Bool, _ onText: (Int, String) throws -> Void,
    _ onFinish: (Int, GenerationResult) throws -> Void
  ) throws -> [GenerationResult] {
    let rows = min(batchSize, max(requests.count, 1))
    let limits = Batcher<Model>.Limits(rows: rows, chunk: prefillChunk, promptTokens: prefillChunk * rows)
    let batcher = Batcher(model: model, tokenizer: tokenizer, limits: limits, memory: memory)
    let ids = try requests.map(batcher.add)
    let indices = Dictionary(uniqueKeysWithValues: zip(ids, requests.indices))
    let unanswered = GenerationResult(finishReason: .cancelled)
    var results = [GenerationResult](repeating: unanswered, count: requests.count)
    while !batcher.isIdle {
      if isCancelled() { batcher.cancelAll() }
      for update in batcher.advance() {
        guard let index = indices[update.id] else { continue }
        if !update.text.isEmpty { try onText(index, update.text) }
        guard let outcome = update.outcome else { continue }
        results[index] = try outcome.get()
        try onFinish(index, results[index])
      }
    }
    return results
  }
}
