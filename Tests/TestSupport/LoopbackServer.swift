import FireflyBase
import Foundation

/// An HTTP/1.1 server of a test's own on this machine, in which everything can go wrong that goes wrong on the way.
package final class LoopbackServer: @unchecked Sendable {
  package struct Request: Sendable {
    package let method: String
    /// With the query.
    package let path: String
    /// By names in small letters.
    package let headers: [String: String]
  }

  package struct Reply: Sendable {
    package var status: Int
    package var headers: [String: String]
    package var body: [UInt8]
    package var manner = Manner.whole

    package init(
      _ status: Int, headers: [String: String] = [:], body: [UInt8] = [], manner: Manner = .whole
    ) {
      self.status = status
      self.headers = headers
      self.body = body
      self.manner = manner
    }
  }

  /// How a body is sent; its announced length is always the whole's.
  package enum Manner: Sendable {
    case whole
    /// Closes the connection after so many bytes.
    case broken(after: Int)
    /// Sends nothing more after so many bytes, until the other end closes.
    case silent(after: Int)
    /// Each byte in a packet of its own.
    case dripping
  }

  package let port: Int
  private let listener: Int32
  private let lock = NSLock()
  private var log: [Request] = []
  private var handler: @Sendable (Request) -> Reply

  /// Answers each request with what `handler` says, on a thread for each connection.
  package init(_ handler: @escaping @Sendable (Request) -> Reply) throws {
    self.handler = handler
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = listener
    let failed = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) != 0 || listen(descriptor, 64) != 0
          || getsockname(descriptor, $0, &length) != 0
      }
    }
    guard descriptor >= 0, !failed else {
      throw FireflyError("no server: \(String(cString: strerror(errno)))")
    }
    port = Int(UInt16(bigEndian: address.sin_port))
    Thread { [weak self, descriptor] in
      defer { close(descriptor) }
      while true {
        let connection = accept(descriptor, nil, nil)
        guard connection >= 0, let server = self else { return }
        Thread { server.serve(connection) }.start()
      }
    }.start()
  }

  deinit { stop() }

  /// Takes no more connections.
  package func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  package var address: String { "http://127.0.0.1:\(port)" }

  /// Every request so far, in the order in which they came.
  package var requests: [Request] { lock.withLock { log } }

  package func forgetRequests() { lock.withLock { log = [] } }

  // MARK: - A connection

  private func serve(_ connection: Int32) {
    defer { close(connection) }
    var on: Int32 = 1
    setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    var received: [UInt8] = []
    while let request = LoopbackServer.readRequest(connection, &received) {
      lock.withLock { log.append(request) }
      guard send(handler(request), to: request, connection) else { return }
    }
  }

  private static func readRequest(_ connection: Int32, _ received: inout [UInt8]) -> Request? {
    let end = Array("\r\n\r\n".utf8)
    while received.firstRange(of: end) == nil {
      var buffer = [UInt8](repeating: 0, count: 1 << 14)
      let count = recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      received += buffer[..<count]
    }
    guard let range = received.firstRange(of: end) else { return nil }
    let lines = String(decoding: received[..<range.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    received.removeFirst(range.upperBound)
    let words = lines[0].split(separator: " ").map(String.init)
    guard words.count == 3 else { return nil }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 {
        headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
      }
    }
    return Request(method: words[0], path: words[1], headers: headers)
  }

  /// - Returns: whether the connection goes on.
  private func send(_ reply: Reply, to request: Request, _ connection: Int32) -> Bool {
    var head = "HTTP/1.1 \(reply.status) Status\r\n"
    var headers = reply.headers
    headers["Content-Length"] = headers["Content-Length"] ?? "\(reply.body.count)"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    guard write(Array((head + "\r\n").utf8), connection) else { return false }
    if request.method == "HEAD" { return true }
    switch reply.manner {
    case .whole: return write(reply.body, connection)
    case .broken(let count):
      _ = write(Array(reply.body.prefix(count)), connection)
      return false
    case .silent(let count):
      _ = write(Array(reply.body.prefix(count)), connection)
      var byte: UInt8 = 0
      while recv(connection, &byte, 1, 0) > 0 {}
      return false
    case .dripping: return reply.body.allSatisfy { write([$0], connection) }
    }
  }

  private func write(_ bytes: [UInt8], _ connection: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Foundation.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
