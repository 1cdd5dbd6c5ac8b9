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

  private static let table: [String: Route] = [
    "/": Route(method: "GET", isOpen: true) { $1.respond(Pages.index) },
    "/run": Route(method: "GET", isOpen: true) { $1.respond(Pages.run) },
    "/run/data": Route(method: "GET", isOpen: false) { $1.respond(.json(try $0.runData)) },
    "/health": Route(method: "GET", isOpen: true) { $1.respond(.json(.object(["status": .string("ok")]))) },
    "/metrics": Route(method: "GET", isOpen: false) { $1.respond($0.metricsPage) },
    "/v1/models": Route(method: "GET", isOpen: false) { $1.respond(.json(ModelList($0.service).json)) },
    "/v1/chat/completions": Route(method: "POST", isOpen: false) {
      try ChatEndpoint(service: $0.service).answer($1)
    },
    "/v1/completions": Route(method: "POST", isOpen: false) {
      try CompletionEndpoint(service: $0.service).answer($1)
    },
    "/firefly": Route(method: "POST", isOpen: false) { try FireflyEndpoint(service: $0.service).answer($1) },
  ]

  // MARK: - Requests

  func refusal(of head: HTTPRequest) -> HTTPResponse? {
    do {
      guard let route = Routes.table[head.path] else { throw APIError.notFound }
      try access.checkOrigin(head)
      if head.method == "OPTIONS" { return .empty(status: 204) }
      guard head.method == route.method || (head.method == "HEAD" && route.method == "GET") else {
        throw APIError.wrongMethod(head.method, allowed: [route.method])
      }
      if !route.isOpen { try access.checkKey(head) }
      let length = head.headers["content-length"].flatMap(Int.init) ?? 0
      return length > service.options.bodyBytes ? tooLarge : nil
    } catch {
      return APIError(error).response
    }
  }

  func handle(_ exchange: HTTPExchange) {
    do {
      guard let route = Routes.table[exchange.head.path] else { throw APIError.notFound }
      try route.answer(self, exchange)
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
