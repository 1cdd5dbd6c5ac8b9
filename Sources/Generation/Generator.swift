import FireflyBase
import FireflyText

/// A prompt and how to answer it.
public struct GenerationRequest: Sendable {
  public var prompt: [Int32]
  public var options: GenerationOptions
  /// Names the prompt in errors, for example `prompts.jsonl:3`.
  public var place: String
  /// The name under which the model has kept an adapter; nil: the model as it stands.
  public var adapter: String?

  public init(
    prompt: [Int32], options: GenerationOptions, place: String = "prompt", adapter: String? = nil
  ) {
    self.prompt = prompt
    self.options = options
    self.place = place
    self.adapter = adapter
  }

  /// - Throws: `FireflyError` for a prompt that is empty, too long or not of the model.
  public func check(maxPositions: Int, vocabularySize: Int, _ tokenizer: any Tokenizer) throws {
    guard !prompt.isEmpty else { throw FireflyError("the prompt has no tokens", at: place) }
    // Room for one token of an answer, if there is to be one.
    guard prompt.count < maxPositions + (options.maxNewTokens == 0 ? 1 : 0) else {
      throw FireflyError(
        "the prompt is too long for the model", at: place,
        expected: "fewer than \(maxPositions) tokens", found: "\(prompt.count)")
    }
    if let id = prompt.first(where: { $0 < 0 || $0 >= vocabularySize }) {
      throw FireflyError(
        "the prompt has a token that the model does not know", at: place,
        expected: "ids below \(vocabularySize)",
        found: "\(id) (\(tokenizer.token(of: id) ?? "no token"))",
        fix: "The tokenizer and the weights do not belong together.")
    }
  }
}

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
