import FireflyBase
import FireflyGeneration
import FireflyText
import Foundation

/// The routes, who may use them, and what they share.
final class Service: HTTPHandler {
  /// What the endpoints know of the model without touching it.
  struct Shape: Sendable {
    let maxPositions: Int
    let vocabularySize: Int
  }

  let models: [ServedModel]
  let tokenizer: any Tokenizer
  let spelling: TokenSpelling
  let defaults: GenerationOptions
  let options: ServerOptions
  let shape: Shape
  let metrics: Metrics
  private let engine: any AnswerEngine
  private let access: Access
  private let started = Int(Date().timeIntervalSince1970)
  private let history = Locked(())
  private let connectionCount = Locked<@Sendable () -> Int>({ 0 })

  init(
    models: [ServedModel], tokenizer: any Tokenizer, defaults: GenerationOptions, options: ServerOptions,
    shape: Shape, engine: any AnswerEngine, metrics: Metrics
  ) {
    precondition(!models.isEmpty)
    self.models = models
    self.tokenizer = tokenizer
    spelling = TokenSpelling(tokenizer)
    self.defaults = defaults
    self.options = options
    self.shape = shape
    self.engine = engine
    self.metrics = metrics
    access = Access(options)
  }

  /// Tells where `/metrics` finds the number of connections.
  func countConnections(_ count: @escaping @Sendable () -> Int) { connectionCount.withLock { $0 = count } }

  // MARK: - Routes

  private struct Route: Sendable {
    let method: String
    /// Open to those without a key: a page cannot send one before it is loaded, nor does a load balancer.
    let isOpen: Bool
    let answer: @Sendable (Service, HTTPExchange) throws -> Void
  }

  private static let routes: [String: Route] = [
    "/": Route(method: "GET", isOpen: true) { $1.respond(Pages.index) },
    "/run": Route(method: "GET", isOpen: true) { $1.respond(Pages.run) },
    "/run/data": Route(method: "GET", isOpen: false) { $1.respond(.json(try $0.runData)) },
    "/health": Route(method: "GET", isOpen: true) { $1.respond(.json(.object(["status": .string("ok")]))) },
    "/metrics": Route(method: "GET", isOpen: false) { $1.respond($0.metricsPage) },
    "/v1/models": Route(method: "GET", isOpen: false) { $1.respond(.json($0.modelList)) },
    "/v1/chat/completions": Route(method: "POST", isOpen: false) { try ChatEndpoint(service: $0).answer($1) },
    "/v1/completions": Route(method: "POST", isOpen: false) {
      try CompletionEndpoint(service: $0).answer($1)
    },
    "/firefly": Route(method: "POST", isOpen: false) { try FireflyEndpoint(service: $0).answer($1) },
  ]

  func refusal(of head: HTTPRequest) -> HTTPResponse? {
    do {
      guard let route = Service.routes[head.path] else { throw APIError.notFound }
      try access.checkOrigin(head)
      if head.method == "OPTIONS" { return .empty(status: 204) }
      guard head.method == route.method || (head.method == "HEAD" && route.method == "GET") else {
        throw APIError.wrongMethod(head.method, allowed: [route.method])
      }
      if !route.isOpen { try access.checkKey(head) }
      if let length = head.headers["content-length"].flatMap(Int.init), length > options.bodyBytes {
        return tooLarge
      }
      return nil
    } catch {
      return APIError(error).response
    }
  }

  func handle(_ exchange: HTTPExchange) {
    do {
      guard let route = Service.routes[exchange.head.path] else { throw APIError.notFound }
      try route.answer(self, exchange)
    } catch {
      exchange.respond(APIError(error).response)
    }
  }

  func commonHeaders(for head: HTTPRequest) -> [String: String] { access.headers(for: head) }

  func didAnswer(_ head: HTTPRequest, status: Int) {
    metrics.answered(path: Service.routes[head.path] == nil ? "other" : head.path, status: status)
  }

  var tooLarge: HTTPResponse { APIError.tooLarge(limit: options.bodyBytes).response }

  private var metricsPage: HTTPResponse {
    let connections = connectionCount.withLock { $0 }
    return HTTPResponse(
      status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8",
      body: metrics.text(connections: connections()))
  }

  private var runData: JSONValue {
    get throws {
      guard let folder = options.runFolder else { throw APIError.notFound }
      return try RunData(folder: folder).json()
    }
  }

  private var modelList: JSONValue {
    let entries = models.enumerated().map { index, model in
      JSONValue.object([
        "id": .string(model.name), "object": .string("model"), "created": .int(started),
        "owned_by": .string("firefly"), "max_model_len": .int(shape.maxPositions),
        "parent": index == 0 ? .null : .string(models[0].name),
      ])
    }
    return .object(["object": .string("list"), "data": .array(entries)])
  }

  // MARK: - For the endpoints

  /// The model that a request names.
  func model(_ parameters: Parameters) throws -> ServedModel {
    guard let name = try parameters.text("model") else {
      throw APIError.invalid("\"model\" is missing.", "model")
    }
    guard let model = models.first(where: { $0.name == name }) else {
      throw APIError.unknownModel(String(name.prefix(100)), known: models.map(\.name))
    }
    return model
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

  /// Has a chat's or completion's prompts answered, whole or as a stream.
  func start(
    _ exchange: HTTPExchange, _ answers: AnswerParameters, prompts: [[Int32]], parameter: String,
    model: String,
    format: any AnswerFormat, reportsTokens: Bool
  ) throws {
    let count = prompts.count * answers.n
    guard count <= options.answersPerRequest else {
      throw APIError.invalid(
        "The request asks for \(count) answers; at most \(options.answersPerRequest) are allowed.", parameter)
    }
    for prompt in prompts { try check(prompt, answers.options, parameter) }
    let requests = answers.requests(prompts, model: model, place: parameter)
    let usage = Usage(promptTokens: prompts.map(\.count), answersPerPrompt: answers.n)
    if answers.stream {
      let sink = StreamedAnswer(
        exchange, format, count: count, reportsTokens: reportsTokens,
        usage: answers.includesUsage ? usage : nil)
      try submit(requests, sink, exchange) { sink.open(count: count) }
    } else {
      let sink = WholeAnswer(exchange, count: count) { results in
        let choices = results.enumerated().map { format.choice($0, $1) }
        return .json(format.header.message(choices, usage: usage.json(results), isPart: false))
      }
      try submit(requests, sink, exchange)
    }
  }

  /// Hands a job to the engine; a client that goes away takes it back.
  ///
  /// - Parameter prepare: called when the engine has a place for the job, before it begins.
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

  /// Appends an exchange to the history file, if there is one.
  func remember(_ exchange: JSONValue) {
    guard let path = options.history else { return }
    history.withLock { _ in
      let line = Array((exchange.text() + "\n").utf8)
      let file = Service.openHistory(path)
      guard file >= 0 else { return }
      _ = write(file, line, line.count)
      close(file)
    }
  }

  /// - Throws: `FireflyError` when there is to be a history that cannot be written.
  func checkHistory() throws {
    guard let path = options.history else { return }
    let file = Service.openHistory(path)
    guard file >= 0 else {
      throw FireflyError(
        "the history cannot be written: \(String(cString: strerror(errno)))", at: path,
        fix: "Choose a file that you may write to.")
    }
    close(file)
  }

  private static func openHistory(_ path: String) -> Int32 {
    open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
  }
}
