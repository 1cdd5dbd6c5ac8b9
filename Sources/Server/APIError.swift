import FireflyBase

/// A refusal in the shape of OpenAI's service: `{"error": {"message", "type", "param", "code"}}`.
package struct APIError: Error, Sendable {
  var status: Int
  package var message: String
  var type: String
  /// The parameter that is wrong.
  var parameter: String?
  var code: String?
  var headers: [String: String] = [:]

  var json: JSONValue {
    .object([
      "error": .object([
        "message": .string(message), "type": .string(type),
        "param": parameter.map(JSONValue.string) ?? .null, "code": code.map(JSONValue.string) ?? .null,
      ])
    ])
  }

  package var response: HTTPResponse { .json(json, status: status, headers: headers) }

  // MARK: - The request is wrong

  package static func invalid(_ message: String, _ parameter: String? = nil, code: String? = nil) -> APIError
  {
    APIError(
      status: 400, message: message, type: "invalid_request_error", parameter: parameter, code: code)
  }

  static func invalid(_ error: FireflyError, _ parameter: String? = nil) -> APIError {
    invalid(error.description, parameter)
  }

  static func unknownModel(_ name: String, known: [String], parameter: String = "model") -> APIError {
    APIError(
      status: 404,
      message: "The model \"\(name)\" is not served here. Served: \(known.joined(separator: ", ")).",
      type: "invalid_request_error", parameter: parameter, code: "model_not_found")
  }

  static let adapterGone = APIError(
    status: 404, message: "The adapter was unloaded.", type: "invalid_request_error", parameter: "model",
    code: "model_not_found")

  static func tooLong(_ count: Int, limit: Int, _ parameter: String) -> APIError {
    invalid(
      "The prompt has \(count) tokens; the model reads at most \(limit), its answer included.", parameter,
      code: "context_length_exceeded")
  }

  package static let notFound = APIError(
    status: 404, message: "There is nothing at this path.", type: "invalid_request_error", code: "not_found")

  static func noRun(_ folder: String) -> APIError {
    APIError(
      status: 404, message: "There is no training run in \(folder) yet.", type: "invalid_request_error",
      code: "no_run")
  }

  package static func wrongMethod(_ method: String, allowed: [String]) -> APIError {
    APIError(
      status: 405, message: "\(method) is not allowed here; use \(allowed.joined(separator: " or ")).",
      type: "invalid_request_error", code: "method_not_allowed",
      headers: ["Allow": allowed.joined(separator: ", ")])
  }

  package static func tooLarge(limit: Int) -> APIError {
    APIError(
      status: 413, message: "The body is larger than \(limit) bytes.", type: "invalid_request_error",
      code: "body_too_large", headers: ["Connection": "close"])
  }

  static let unauthorized = APIError(
    status: 401, message: "The API key is missing or wrong. Send it as \"Authorization: Bearer KEY\".",
    type: "authentication_error", code: "invalid_api_key", headers: ["WWW-Authenticate": "Bearer"])

  static func foreignOrigin(_ origin: String) -> APIError {
    APIError(
      status: 403,
      message:
        "Pages of \(origin) may not use this server; start it with --allow-origin \(origin) to permit them.",
      type: "permission_error", code: "origin_not_allowed")
  }

  static func foreignHost(_ host: String) -> APIError {
    APIError(
      status: 403,
      message: "This server is not called \"\(host)\": ask it by localhost or an address, or start it with "
        + "--host-name \(host).", type: "permission_error", code: "host_not_allowed")
  }

  package static let ambiguous = APIError(
    status: 400, message: "The request's headers do not say in one way where it ends.",
    type: "invalid_request_error", code: "malformed_request", headers: ["Connection": "close"])

  // MARK: - The server cannot

  static let queueFull = APIError(
    status: 429, message: "Too many requests are waiting; try again later.", type: "rate_limit_error",
    code: "queue_full", headers: ["Retry-After": "1"])

  static let timeOut = APIError(
    status: 504, message: "The answer took longer than the server allows.", type: "timeout_error",
    code: "request_timeout")

  package static let stopping = APIError(
    status: 503, message: "The server is stopping.", type: "server_error", code: "stopping",
    headers: ["Connection": "close", "Retry-After": "5"])

  static func failed(_ error: FireflyError) -> APIError {
    APIError(status: 500, message: error.description, type: "server_error")
  }

  /// Any error as one that can be answered.
  package init(_ error: any Error) {
    switch error {
    case let error as APIError: self = error
    case let error as FireflyError: self = .invalid(error)
    default: self = APIError(status: 500, message: "\(error)", type: "server_error")
    }
  }

  package init(
    status: Int, message: String, type: String, parameter: String? = nil, code: String? = nil,
    headers: [String: String] = [:]
  ) {
    self.status = status
    self.message = message
    self.type = type
    self.parameter = parameter
    self.code = code
    self.headers = headers
  }
}
