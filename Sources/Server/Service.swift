import FireflyBase
import FireflyGeneration
import FireflyText
import Foundation

/// What endpoints use: the models that are served, and having prompts answered.
final class Service: Sendable {
  /// What the endpoints know of the model without touching it.
  struct Shape: Sendable {
    let maxPositions: Int
    let vocabularySize: Int
    let hiddenSize: Int
    /// The most bytes of a text that one token stands for.
    let longestToken: Int
  }

  let models: ServedModels
  let tokenizer: any Tokenizer
  let spelling: TokenSpelling
  /// How answers are chosen where a request says nothing.
  let defaults: GenerationOptions
  let options: ServerOptions
  let shape: Shape
  /// Seconds since 1970.
  let started = Int(Date().timeIntervalSince1970)
  /// nil: none is kept.
  let history: ExchangeHistory?
  /// What was told in the log.
  private let logged = Locked<Set<String>>([])
  /// nil: adapters do not come and go.
  let adapterLoader: AdapterLoader?
  private let loadedCount = Locked(0)
  private let trie = Locked<TokenTrie?>(nil)
  private let engine: any AnswerEngine
  private let metrics: Metrics

  init(
    models: ServedModels, tokenizer: any Tokenizer, defaults: GenerationOptions, options: ServerOptions,
    shape: Shape, engine: any AnswerEngine, metrics: Metrics, adapterLoader: AdapterLoader?
  ) {
    self.adapterLoader = adapterLoader
    self.models = models
    self.tokenizer = tokenizer
    spelling = TokenSpelling(tokenizer)
    self.defaults = defaults
    self.options = options
    self.shape = shape
    history = options.history.map(ExchangeHistory.init)
    self.engine = engine
    self.metrics = metrics
  }

  /// The vocabulary by its bytes; made when it is first asked for.
  var tokenTrie: TokenTrie {
    trie.withLock { trie in
      let made = trie ?? TokenTrie(tokenizer, vocabularySize: shape.vocabularySize)
      trie = made
      return made
    }
  }

  /// Tells in the log what has not been told there before.
  func log(_ warnings: Warnings) {
    for sentence in warnings.all {
      // What requests say is in some of them, so that there is no end of different ones.
      let isNew = logged.withLock { $0.count < 1000 && $0.insert(sentence).inserted }
      if isNew { options.log(sentence) }
    }
  }

  /// The model that a request names.
  func model(_ parameters: Parameters) throws -> ServedModel {
    guard let name = try parameters.text("model") else {
      throw APIError.invalid("\"model\" is missing.", "model")
    }
    guard let model = models[name] else {
      throw APIError.unknownModel(String(name.prefix(100)), known: models.names.map(\.name))
    }
    return model
  }

  /// - Throws: `APIError` for a model that only continues texts.
  func template(of model: ServedModel) throws -> ChatTemplate {
    guard let template = model.template else {
      throw APIError.invalid(
        "Nothing tells the chat template of \"\(model.name)\"; start the server with --template, or use "
          + "/v1/completions.", "model")
    }
    return template
  }

  /// What ends an answer by the template.
  func stopIDs(of template: ChatTemplate) throws -> [Int32] {
    do {
      return try template.stopIDs(tokenizer)
    } catch let error as FireflyError {
      throw APIError.invalid(error, "model")
    }
  }

  /// Whether a prompt has begun the answer's reasoning, as DeepSeek-R1's does.
  func endsInThought(_ prompt: [Int32], _ marks: ReasoningMarks) -> Bool {
    marks.endsOpen(tokenizer.decode(prompt.suffix(64), skipSpecial: false))
  }

  /// - Throws: `APIError` for a text of so many bytes that it is too long whatever its tokens are; so nobody waits for
  ///   them to be counted.
  func checkLength(of byteCount: Int, _ parameter: String) throws {
    let (limit, overflow) = shape.maxPositions.multipliedReportingOverflow(by: shape.longestToken)
    guard overflow || byteCount <= limit else {
      throw APIError.invalid(
        "The prompt has \(byteCount) bytes; the model reads at most \(shape.maxPositions) tokens, its answer "
          + "included.", parameter, code: "context_length_exceeded")
    }
  }

  /// - Throws: `APIError` for a prompt that the model cannot read.
  func check(_ prompt: [Int32], _ options: GenerationOptions, _ parameter: String) throws {
    guard
      prompt.count < shape.maxPositions || (options.maxNewTokens == 0 && prompt.count == shape.maxPositions)
    else { throw APIError.tooLong(prompt.count, limit: shape.maxPositions, parameter) }
    do {
      try GenerationRequest(prompt: prompt, options: options, place: parameter).check(
        maxPositions: shape.maxPositions, vocabularySize: shape.vocabularySize, tokenizer)
    } catch let error as FireflyError {
      throw APIError.invalid(error, parameter)
    }
  }

  // MARK: - Adapters that come and go

  /// What the model keeps the next adapter as.
  func newKey(_ name: String) -> String {
    loadedCount.withLock { count in
      count += 1
      return "\(name)#\(count)"
    }
  }

  /// Does something with the model between two steps of the answers.
  func perform<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) throws -> Result {
    let result = Locked<Swift.Result<Result, any Error>>(.failure(APIError.stopping))
    try engine.perform { result.withLock { $0 = Swift.Result(catching: work) } }
    return try result.withLock { $0 }.get()
  }

  /// Calls `release` once no answer has the adapter any more; new requests cannot begin with it.
  func retire(_ key: String, release: @escaping @Sendable () -> Void) throws {
    try engine.retire(key, release: release)
  }

  // MARK: - Answers

  /// Hands a job to the engine; a client that goes away takes it back.
  ///
  /// - Parameter prepare: called when the engine has a place for the job, before it begins.
  /// - Throws: `APIError` when too many answers wait or the server stops.
  func submit(
    _ requests: [GenerationRequest], _ sink: any AnswerSink, _ exchange: HTTPExchange,
    prepare: @Sendable () -> Void = {}
  ) throws {
    let job = AnswerJob(requests, sink: sink)
    try engine.submit(job, prepare: prepare)
    exchange.whenGone { [engine, metrics] in
      metrics.clientGone()
      engine.cancel(job)
    }
  }
}
