import FireflyBase

/// The paths that are answered, who may ask for them, and what answers.
final class Routes: HTTPHandler {
  private let service: Service
  private let access: Access
  private let metrics: Metrics
  private let connectionCount = Locked<@Sendable () -> Int>({ 0 })

  init(_ service: Service, metrics: Metrics) {
    self.service = service
    self.metrics = metrics
    access = Access(service.options)
  }

  /// Tells where `/metrics` finds the number of connections.
  func countConnections(_ count: @escaping @Sendable () -> Int) { connectionCount.withLock { $0 = count } }

  private struct Route: Sendable {
    let method: String
    /// Open to those without a key: a page cannot send one before it is loaded, nor does a load balancer.
    let isOpen: Bool
    let answer: @Sendable (Routes, HTTPExchange) throws -> Void
  }

  private static let table: [String: Route] = {
    var table: [String: Route] = [
      "/": open { _ in Pages.index }, "/run": open { _ in Pages.run },
      "/run/data": get { .json(try $0.runData) },
      "/health": open { _ in .json(.object(["status": .string("ok")])) },
      "/metrics": get { $0.metricsPage },
      "/v1/models": get { .json(ModelList($0.service).json) },
      "/props": get { .json(ServerState(service: $0.service).properties) },
      "/slots": get { .json(ServerState(service: $0.service).slots(running: $0.metrics.running)) },
      "/v1/chat/completions": post { try ChatEndpoint(service: $0).answer($1) },
      "/v1/completions": post { try CompletionEndpoint(service: $0).answer($1) },
      "/v1/embeddings": post { try EmbeddingEndpoint(service: $0).answer($1) },
      "/v1/load_lora_adapter": post { try AdapterEndpoints(service: $0).load($1) },
      "/v1/unload_lora_adapter": post { try AdapterEndpoints(service: $0).unload($1) },
      "/lora-adapters": get { .json(AdapterEndpoints(service: $0.service).list) },
      "/firefly": post { try FireflyEndpoint(service: $0).answer($1) },
      "/tokenize": post { try TokenEndpoints(service: $0).tokenize($1) },
      "/detokenize": post { try TokenEndpoints(service: $0).detokenize($1) },
      "/apply-template": post { try TokenEndpoints(service: $0).applyTemplate($1) },
    ]
    // llama-server has these without the version too, and its health with it; vllm's is also a ping.
    for (other, path) in [
      ("/models", "/v1/models"), ("/chat/completions", "/v1/chat/completions"),
      ("/completions", "/v1/completions"), ("/embeddings", "/v1/embeddings"), ("/v1/health", "/health"),
      ("/ping", "/health"),
    ] { table[other] = table[path] }
    return table
  }()

  private static func open(_ answer: @escaping @Sendable (Routes) throws -> HTTPResponse) -> Route {
    Route(method: "GET", isOpen: true) { $1.respond(try answer($0)) }
  }

  private static func get(_ answer: @escaping @Sendable (Routes) throws -> HTTPResponse) -> Route {
    Route(method: "GET", isOpen: false) { $1.respond(try answer($0)) }
  }

  private static func post(_ answer: @escaping @Sendable (Service, HTTPExchange) throws -> Void) -> Route {
    Route(method: "POST", isOpen: false) { try answer($0.service, $1) }
  }

  /// What answers at a path; `/v1/models/NAME` is there for every model, and `/assets/…` for the pages' files.
  private static func route(_ path: String) throws -> Route {
    if let route = table[path] { return route }
    if let file = Assets.response(path) { return open { _ in file } }
    if path.hasPrefix(modelPath) {
      return Route(method: "GET", isOpen: false) { routes, exchange in
        let name = String(exchange.head.path.dropFirst(modelPath.count))
        exchange.respond(.json(try ModelList(routes.service).entry(name)))
      }
    }
    throw OtherPaths.refusal(of: path) ?? .notFound
  }

  private static let modelPath = "/v1/models/"

  // MARK: - Requests

  func refusal(of head: HTTPRequest) -> HTTPResponse? {
    do {
      guard !head.isAmbiguous else { throw APIError.ambiguous }
      try access.checkHost(head)
      let route = try Routes.route(head.path)
      try access.checkOrigin(head)
      if head.method == "OPTIONS" { return .empty(status: 204) }
      guard head.method == route.method || (head.method == "HEAD" && route.method == "GET") else {
        throw APIError.wrongMethod(head.method, allowed: [route.method])
      }
      if !route.isOpen { try access.checkKey(head) }
      guard let length = head.headers["content-length"] else { return nil }
      return Int(length).map { $0 > service.options.bodyBytes } ?? true ? tooLarge : nil
    } catch {
      return APIError(error).response
    }
  }

  func handle(_ exchange: HTTPExchange) {
    do {
      try Routes.route(exchange.head.path).answer(self, exchange)
    } catch {
      exchange.respond(APIError(error).response)
    }
  }

  func commonHeaders(for head: HTTPRequest) -> [String: String] { access.headers(for: head) }

  func didAnswer(_ head: HTTPRequest, status: Int) {
    metrics.answered(path: Routes.table[head.path] == nil ? "other" : head.path, status: status)
  }

  var tooLarge: HTTPResponse { APIError.tooLarge(limit: service.options.bodyBytes).response }

  var stopping: HTTPResponse { APIError.stopping.response }

  // MARK: - Small answers

  private var metricsPage: HTTPResponse {
    let connections = connectionCount.withLock { $0 }
    return HTTPResponse(
      status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8",
      body: metrics.text(connections: connections()))
  }

  private var runData: JSONValue {
    get throws {
      guard let folder = service.options.runFolder else { throw APIError.notFound }
      return try RunData(folder: folder).json()
    }
  }
}
