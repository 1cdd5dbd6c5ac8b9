import FireflyBase
import FireflyServer

/// The studio's paths: its page, and `POST /api/NAME` with a JSON object for everything else.
final class StudioRoutes: HTTPHandler {
  static let bodyBytes = 4 << 20
  private let access: StudioAccess
  private let endpoints: StudioEndpoints

  init(_ access: StudioAccess, endpoints: StudioEndpoints) {
    self.access = access
    self.endpoints = endpoints
  }

  func refusal(of head: HTTPRequest) -> HTTPResponse? {
    do {
      guard !head.isAmbiguous else { throw APIError.ambiguous }
      try access.checkPage(head)
      let isAPI = head.path.hasPrefix(StudioEndpoints.prefix)
      let method = isAPI ? "POST" : "GET"
      guard head.method == method else { throw APIError.wrongMethod(head.method, allowed: [method]) }
      if head.path.hasPrefix(StudioAccess.entrance) {
        return access.entry(head.path) ?? StudioAccess.unknown.response
      }
      try access.checkToken(head)
      guard let length = head.headers["content-length"] else { return nil }
      return Int(length).map { $0 > StudioRoutes.bodyBytes } ?? true ? tooLarge : nil
    } catch {
      return answer(to: error, head)
    }
  }

  func handle(_ exchange: HTTPExchange) {
    do {
      if let page = StudioPages.page(exchange.head.path) { return exchange.respond(page) }
      try endpoints.answer(exchange)
    } catch {
      exchange.respond(answer(to: error, exchange.head))
    }
  }

  /// An error in the page's language.
  private func answer(to error: any Error, _ head: HTTPRequest) -> HTTPResponse {
    var answer = APIError(error)
    if head.headers["accept-language"]?.lowercased().hasPrefix("zh") == true {
      answer.message = error is FireflyError ? Language.chinese(error) : Language.chinese(answer.message)
    }
    return answer.response
  }

  func commonHeaders(for head: HTTPRequest) -> [String: String] {
    ["X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"]
  }

  func didAnswer(_ head: HTTPRequest, status: Int) {}

  var tooLarge: HTTPResponse { APIError.tooLarge(limit: StudioRoutes.bodyBytes).response }

  var stopping: HTTPResponse { APIError.stopping.response }
}
