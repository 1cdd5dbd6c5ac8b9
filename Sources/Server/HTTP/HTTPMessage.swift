import FireflyBase

/// A request as far as the service looks at it.
struct HTTPRequest: Sendable {
  /// Headers that are read; all others are ignored.
  static let headerNames = ["authorization", "content-length", "host", "origin", "transfer-encoding"]

  let method: String
  /// The path as sent, without the query and without decoding `%` sequences: no route needs any.
  let path: String
  /// The headers by their names in lower case.
  let headers: [String: String]
  /// Whether a header that is read stands there twice, or a name has a space in it: others may then read another request.
  var isAmbiguous = false
  var body: [UInt8] = []
}

/// A whole answer.
struct HTTPResponse: Sendable {
  var status: Int
  var headers: [String: String]
  var body: [UInt8]

  init(status: Int, headers: [String: String] = [:], contentType: String, body: [UInt8]) {
    self.status = status
    self.headers = headers.merging(["Content-Type": contentType]) { first, _ in first }
    self.body = body
  }

  init(status: Int, headers: [String: String] = [:], contentType: String, body: String) {
    self.init(status: status, headers: headers, contentType: contentType, body: Array(body.utf8))
  }

  static func json(_ value: JSONValue, status: Int = 200, headers: [String: String] = [:]) -> HTTPResponse {
    HTTPResponse(status: status, headers: headers, contentType: "application/json", body: value.text())
  }

  static func empty(status: Int, headers: [String: String] = [:]) -> HTTPResponse {
    HTTPResponse(status: status, headers: headers, contentType: "text/plain; charset=utf-8", body: "")
  }
}
