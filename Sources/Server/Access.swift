import Foundation

/// Who may use the server: keys, and web pages by their origin.
package struct Access: Sendable {
  private let keys: [[UInt8]]
  private let origins: Set<String>
  /// What the server may be called, beside any address, in small letters; nil: anything, where every page may use it anyway.
  private let hosts: Set<String>?

  package init(_ options: ServerOptions) {
    keys = options.apiKeys.map { Array($0.utf8) }
    origins = options.allowedOrigins
    let machine = ProcessInfo.processInfo.hostName
    let own = ["localhost", options.host, machine, String(machine.prefix { $0 != "." })]
    let allowed = options.allowedOrigins.compactMap { URLComponents(string: $0)?.host }
    hosts = origins.contains("*") ? nil : Set((own + options.hostNames + allowed).map { $0.lowercased() })
  }

  /// - Throws: `APIError` unless the request brings one of the keys; any request may pass when there are none.
  func checkKey(_ head: HTTPRequest) throws {
    guard !keys.isEmpty else { return }
    let prefix = "bearer "
    let header = head.headers["authorization"] ?? ""
    let given = header.lowercased().hasPrefix(prefix) ? Array(header.utf8.dropFirst(prefix.count)) : []
    var isKnown = false
    // Every key is compared to its end, so that the time tells nothing.
    for key in keys where Access.areEqual(given, key) { isKnown = true }
    guard isKnown else { throw APIError.unauthorized }
  }

  /// Whether the two are equal, found in a time that depends on the given text's length alone.
  package static func areEqual(_ given: [UInt8], _ key: [UInt8]) -> Bool {
    guard !key.isEmpty else { return false }
    var difference = given.count ^ key.count
    for index in given.indices { difference |= Int(given[index] ^ key[index % key.count]) }
    return difference == 0
  }

  /// A page of elsewhere can give its name the address of this machine, and is then this server's own to a browser; only
  /// `Host` still tells the name (DNS rebinding).
  ///
  /// - Throws: `APIError` unless the server is asked by an address or by a name that it has: localhost, the machine's, what
  ///   it listens at, or one that `ServerOptions` gives it.
  package func checkHost(_ head: HTTPRequest) throws {
    guard let hosts, let host = head.headers["host"] else { return }
    let name = Access.name(host)
    guard !hosts.contains(name), !Access.isAddress(name) else { return }
    throw APIError.foreignHost(String(name.prefix(100)))
  }

  /// `Host` without the port and without an IPv6 address's brackets.
  private static func name(_ host: String) -> String {
    let host = host.lowercased()
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return String(host[..<end].dropFirst()) }
    return String(host.prefix { $0 != ":" })
  }

  private static func isAddress(_ name: String) -> Bool {
    var address = in6_addr()  // the larger of the two
    return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1
  }

  /// A browser sends `Origin` with what a page asks for; another program sends none.
  ///
  /// - Throws: `APIError` unless the page is this server's own or one of those allowed.
  package func checkOrigin(_ head: HTTPRequest) throws {
    guard let origin = head.headers["origin"], !isAllowed(origin) else { return }
    let isOwn = head.headers["host"].map { origin == "http://\($0)" || origin == "https://\($0)" } ?? false
    guard isOwn else { throw APIError.foreignOrigin(String(origin.prefix(100))) }
  }

  private func isAllowed(_ origin: String) -> Bool { origins.contains("*") || origins.contains(origin) }

  /// Headers of every answer.
  func headers(for head: HTTPRequest) -> [String: String] {
    var headers = ["X-Content-Type-Options": "nosniff"]
    if let origin = head.headers["origin"], isAllowed(origin) {
      headers["Access-Control-Allow-Origin"] = origin
      headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
      headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
      headers["Vary"] = "Origin"
    }
    return headers
  }
}
