import FireflyServer

/// Who may use the studio: who has opened the address with its token, from this machine.
struct StudioAccess: Sendable {
  static let host = "127.0.0.1"
  /// What stands before the token in the address.
  static let entrance = "/open/"

  private let token: [UInt8]
  /// A browser sends cookies to every port of a machine, so that each studio has a name of its own.
  private let cookie: String
  private let server: Access

  init(token: String, port: Int) {
    self.token = Array(token.utf8)
    cookie = "firefly-studio-\(port)"
    server = Access(ServerOptions())
  }

  /// 256 bits that nobody can guess.
  static func makeToken() -> String {
    var random = SystemRandomNumberGenerator()
    return (0..<4).map { _ in
      let digits = String(random.next(), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  /// - Throws: `APIError` for a page of elsewhere, be it by its origin or by a name that it gave this machine.
  func checkPage(_ head: HTTPRequest) throws {
    try server.checkHost(head)
    try server.checkOrigin(head)
  }

  /// - Throws: `APIError` unless the request brings the token: as the page's cookie, or as a program's key.
  func checkToken(_ head: HTTPRequest) throws {
    let cookies = (head.headers["cookie"] ?? "").split(separator: ";").compactMap { pair -> String? in
      let parts = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
      return parts.count == 2 && parts[0] == cookie ? String(parts[1]) : nil
    }
    let bearer = head.headers["authorization"].map { $0.replacing("Bearer ", with: "", maxReplacements: 1) }
    let isKnown = (cookies + [bearer].compactMap { $0 }).contains { Access.areEqual(Array($0.utf8), token) }
    guard isKnown else { throw StudioAccess.unknown }
  }

  /// The answer to the address that was printed; nil when its token is another.
  func entry(_ path: String) -> HTTPResponse? {
    guard Access.areEqual(Array(path.dropFirst(StudioAccess.entrance.count).utf8), token) else { return nil }
    let value = "\(cookie)=\(String(decoding: token, as: UTF8.self)); Path=/; HttpOnly; SameSite=Strict"
    return .empty(
      status: 303, headers: ["Location": "/", "Set-Cookie": value, "Cache-Control": "no-store"])
  }

  static let unknown = APIError(
    status: 403, message: "Open the address that \"firefly studio\" has printed: it lets you in.",
    type: "permission_error", code: "token_missing")
}
