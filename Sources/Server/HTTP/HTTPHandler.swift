/// What answers requests.
package protocol HTTPHandler: AnyObject, Sendable {
  /// Looks at a request before its body comes; an answer here ends it, and the body is not read.
  func refusal(of head: HTTPRequest) -> HTTPResponse?
  /// Answers a whole request, now or later; called on a thread of its own.
  func handle(_ exchange: HTTPExchange)
  /// Headers that every answer to this request carries.
  func commonHeaders(for head: HTTPRequest) -> [String: String]
  /// Is told the status of each answer.
  func didAnswer(_ head: HTTPRequest, status: Int)
  /// The answer to a body that is longer than the limit.
  var tooLarge: HTTPResponse { get }
  /// The answer to a request that is left over when the server stops.
  var stopping: HTTPResponse { get }
}
