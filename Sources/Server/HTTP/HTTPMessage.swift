import FireflyBase

/// A request as far as the service looks at it.
package struct HTTPRequest: Sendable {
  /// Headers that are read; all others are ignored.
  static let headerNames = [
    "accept-language", "authorization", "content-length", "cookie", "host", "origin", "transfer-encoding",
  ]

  package let method: String
  /// The path as sent, without the query and without decoding `%` sequences: no route needs any.
  package let path: String
  /// The headers by their names in lower case.
  package let headers: [String: String]
  /// Whether a header that is read stands there twice, or a name has a space in it: others may then read another request.
  package var isAmbiguous = false
  package var body: [UInt8] = []
}

/// A whole answer.
package struct HTTPResponse: Sendable {
  var status: Int
  var headers: [String: String]
  var body: [UInt8]

  package init(status: Int, headers: [String: String] = [:], contentType: String, body: [UInt8]) {
    self.status = status
    self.headers = headers.merging(["Content-Type": contentType]) { first, _ in first }
    self.body = body
  }

  package init(status: Int, headers: [String: String] = [:], contentType: String, body: String) {
    self.init(status: status, headers: headers, contentType: contentType, body: Array(body.utf8))
  }

  package static func json(
    _ value: JSONValue, status: Int = 200, headers: [String: String] = [:]
  ) -> HTTPResponse {
    HTTPResponse(status: status, headers: headers, contentType: "application/json", body: value.text())
  }

  package static func empty(status: Int, headers: [String: String] = [:]) -> HTTPResponse {
    HTTPResponse(status: status, headers: headers, contentType: "text/plain; charset=utf-8", body: "")
  }
}
