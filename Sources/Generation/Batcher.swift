import FireflyBase
import FireflyTensors
import FireflyText

/// Answers requests as they come, several at a time: the running ones share each pass over the weights, finished ones
/// leave and waiting ones take their places.
///
/// Between two tokens of the running answers, only so much is read of the prompts of new ones that nobody waits long.
/// An answer depends on its own prompt, options and seed, not on its company: prompts are read in pieces that begin at
/// multiples of `Limits.chunk`, and share passes only where that changes no bit (`DecodingModel.read`). An answer of several beams has as many rows in a pass. Not thread-safe: one thread at a time.
public final class Batcher<Model: DecodingModel> {
  public struct Limits: Sendable {
    /// Requests answered at a time.
    public var rows: Int
    /// The most tokens of one prompt read in a pass.
    public var chunk: Int
    /// Tokens of prompts read between two steps, at least one chunk.
    public var promptTokens: Int

    public init(rows: Int = 8, chunk: Int = 128, promptTokens: Int = 256) {
      precondition(rows > 0 && chunk > 0 && promptTokens > 0)
      self.rows = rows
      self.chunk = chunk
      self.promptTokens = promptTokens
    }
  }

  /// What became of one request in one `advance`.
  public struct Update: Sendable {
    public let id: Int
    /// The next piece of text: whole characters, certain not to begin a stop string.
    public let text: String
    /// The tokens chosen; their text may still be held back.
    public let tokens: ArraySlice<GeneratedToken>
    /// When it has ended: the whole answer, or why there is none.
    public let outcome: Result<GenerationResult, FireflyError>?
  }

  public let model: Model
  public let tokenizer: any Tokenizer
  public let limits: Limits
  /// Beginnings of prompts that others may begin with; nil: prompts share nothing.
  private let memory: PromptMemory<Model>?
  private var waiting: [Answer<Model.Cache>] = []
  private var rows: [Answer<Model.Cache>] = []
  private var nextID = 0
  private var lastReader = -1

  /// - Parameter memory: where beginnings of prompts are found, among what was answered and what is running; nil:
  ///   every prompt is read as a whole.
  public init(
    model: Model, tokenizer: any Tokenizer, limits: Limits = Limits(), memory: PromptMemory<Model>? = nil
  ) {
    self.model = model
    self.tokenizer = tokenizer
    self.limits = limits
    self.memory = memory
  }

  public var isIdle: Bool { waiting.isEmpty && rows.isEmpty }
  public var runningCount: Int { rows.count }
  public var waitingCount: Int { waiting.count }
  /// Memory of the running answers and of what is kept.
  public var cacheBytes: Int { runningBytes + (memory?.byteCount ?? 0) }

  private var runningBytes: Int { rows.reduce(0) { $0 + $1.byteCount } }

  /// Takes a request; its updates carry the number returned.
  ///
  /// - Throws: `FireflyError` for a prompt that is empty, too long or not of this model.
  public func add(_ request: GenerationRequest) throws -> Int {
    try request.check(maxPositions: model.maxPositions, vocabularySize: model.vocabularySize, tokenizer)
    nextID += 1
    waiting.append(
      Answer(request, id: nextID, maxPositions: model.maxPositions, tokenizer: tokenizer))
    return nextID
  }

  /// Ends a request; its last update comes with the next `advance`.
  public func cancel(_ id: Int) {
    for answer in waiting + rows where answer.id == id { answer.cancel() }
  }

  /// Whether an answer that runs or waits has this adapter.
  public func isUsing(_ adapter: String) -> Bool {
    (rows + waiting).contains { $0.request.adapter == adapter }
  }

  /// Lets go of what was read with an adapter.
  public func forget(_ adapter: String) { memory?.forget(adapter) }

  public func cancelAll() {
    for answer in waiting + rows { answer.cancel() }
  }

  /// Reads some of the new prompts, and generates one more token for each answer that is ready.
  public func advance() -> [Update] {
    admit()
    readPrompts()
    for answer in rows { answer.finishIfOnlyRead() }
    generate()
    failIfLost()
    return collect()
  }

  /// Answers that zeros were read for, in place of weights, are none.
  private func failIfLost() {
    do {
      try LostFile.check()
    } catch let error as FireflyError {
      for answer in rows + waiting { answer.fail(error) }
    } catch {}
  }

  // MARK: - Coming and going

  private func admit() {
    memory?.makeRoom(besides: runningBytes)
    while !waiting.isEmpty, rows.count < limits.rows, rows.isEmpty || memory?.allows(runningBytes) ?? true {
      rows.append(waiting.removeFirst())
    }
  }

  private func collect() -> [Update] {
    var updates: [Update] = []
    for answer in rows + waiting.filter(\.isFinished) {
      let (text, tokens) = answer.takeNew()
      guard answer.isFinished || !text.isEmpty || !tokens.isEmpty else { continue }
      let outcome: Result<GenerationResult, FireflyError>? =
        answer.isFinished ? answer.failure.map { .failure($0) } ?? .success(answer.result) : nil
      updates.append(Update(id: answer.id, text: text, tokens: tokens, outcome: outcome))
    }
    for answer in rows where answer.isFinished {
      if let entry = entry(of: answer), answer.failure == nil { memory?.keep(entry) }
    }
    rows.removeAll(where: \.isFinished)
    waiting.removeAll(where: \.isFinished)
    return updates
  }

  /// What the memory may know of an answer.
  private func entry(of answer: Answer<Model.Cache>) -> PromptMemory<Model>.Entry? {
    guard let cache = answer.cache else { return nil }
    let ids = (answer.prompt + answer.result.ids).prefix(cache.count)
    return PromptMemory.Entry(
      adapter: answer.request.adapter, ids: Array(ids), promptCount: answer.prompt.count, cache: cache)
  }

  // MARK: - Prompts

  /// A chunk for each prompt in turn, until `promptTokens` are read.
  private func readPrompts() {
    var left = limits.promptTokens
    while left > 0 {
      let pieces = nextPieces(left)
      if pieces.isEmpty { return }
      read(pieces)
      left -= pieces.reduce(0) { $0 + $1.range.count }
    }
  }

  /// A part of a prompt that is to be read.
  private struct Piece {
    let answer: Answer<Model.Cache>
    let cache: Model.Cache
    let range: Range<Int>
    var tokens: [Int32] { Array(answer.prompt[range]) }
  }

  /// The next chunks of different prompts, until they have `count` tokens.
  private func nextPieces(_ count: Int) -> [Piece] {
    var pieces: [Piece] = []
    var left = count
    while left > 0, let answer = nextReader(), !pieces.contains(where: { $0.answer === answer }) {
      guard let cache = answer.cache else {
        begin(answer)
        continue
      }
      lastReader = answer.id
      let start = cache.count
      let end = min((start / limits.chunk + 1) * limits.chunk, answer.readEnd)
      pieces.append(Piece(answer: answer, cache: cache, range: start..<end))
      left -= end - start
    }
    return pieces
  }

  /// The reader after the last one. One whose prompt begins like that of another, which is being read, waits for it.
  private func nextReader() -> Answer<Model.Cache>? {
    let readers = rows.filter { $0.isReading && ($0.cache != nil || !waitsForAnother($0)) }
    return readers.first { $0.id > lastReader } ?? readers.first
  }

  private func waitsForAnother(_ answer: Answer<Model.Cache>) -> Bool {
    guard let memory, !answer.request.options.readsWholePrompt else { return false }
    return rows.contains { other in
      guard other.isReading, other.cache != nil else { return false }
      return memory.shared(
        other.prompt, promptCount: other.prompt.count, with: answer.prompt,
        isSameModel: other.request.adapter == answer.request.adapter) > other.readCount
    }
  }

  private func begin(_ answer: Answer<Model.Cache>) {
    let request = answer.request
    guard let memory, !request.options.readsWholePrompt else {
      return answer.begin(model.makeCache(capacity: model.maxPositions))
    }
    let running = rows.compactMap { $0 === answer ? nil : entry(of: $0) }
    answer.begin(
      memory.cache(for: request.prompt, adapter: request.adapter, running: running, model: model))
  }

  /// Those with one adapter together, but for prompts of which more is asked than what their caches then hold.
  private func read(_ pieces: [Piece]) {
    for (adapter, pieces) in grouped(pieces, by: \.answer.request.adapter) {
      if let adapter { model.activate(adapter) }
      let plain = pieces.filter { !$0.answer.request.options.readsWholePrompt }
      if !plain.isEmpty { model.read(plain.map { ($0.cache, $0.tokens) }) }
      for piece in pieces where piece.answer.request.options.readsWholePrompt { readWhole(piece) }
    }
  }

  private func readWhole(_ piece: Piece) {
    let (answer, range) = (piece.answer, piece.range)
    let options = answer.request.options
    if options.pooling != nil { return answer.add(model.stepKeepingStates(piece.cache, piece.tokens)) }
    let next = Array(answer.prompt[range.lowerBound + 1...range.upperBound])
    let logits = model.stepKeepingAll(piece.cache, piece.tokens)  // [tokens, V]
    answer.add(TokenScore.of(next, logits: logits, top: options.topLogProbabilities))
  }

  // MARK: - Answers

  /// Generates one more token for each answer whose prompt is read; those with one adapter together.
  private func generate() {
    for answer in rows where !answer.isReading && !answer.isFinished && answer.cache == nil { begin(answer) }
    let ready = rows.filter { !$0.isReading && !$0.isFinished }
    for (adapter, answers) in grouped(ready, by: \.request.adapter) {
      if let adapter { model.activate(adapter) }
      let inputs = answers.map { $0.inputs() }
      let logits = model.step(inputs.flatMap { $0 })
      Batcher.choose(answers, rows: inputs.map(\.count), logits)
    }
  }

  /// By their adapters, in the order of the first of each.
  private func grouped<Row>(_ rows: [Row], by adapter: (Row) -> String?) -> [(String?, [Row])] {
    var groups: [(adapter: String?, rows: [Row])] = []
    for row in rows {
      if let index = groups.firstIndex(where: { $0.adapter == adapter(row) }) {
        groups[index].rows.append(row)
      } else {
        groups.append((adapter(row), [row]))
      }
    }
    return groups
  }

  /// - Parameter rows: how many of the logits belong to each answer.
  private static func choose(_ answers: [Answer<Model.Cache>], rows: [Int], _ logits: Tensor) {  // [rows, V]
    nonisolated(unsafe) let answers = answers
    let ends = rows.reduce(into: []) { $0.append(($0.last ?? 0) + $1) }
    Parallel.run(answers.count) { index in
      answers[index].choose(from: logits.slice(ends[index] - rows[index]..<ends[index]))
    }
  }
}
