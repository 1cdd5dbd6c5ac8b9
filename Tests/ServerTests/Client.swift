import FireflyBase
import Foundation

/// A connection to a server on this machine, byte by byte: what no proper client would send can be sent too.
final class Connection {
  private var socket: Int32
  private var received: [UInt8] = []

  /// Reads wait at most this long, so that a test cannot hang.
  static let patience = 60

  init(port: Int) throws {
    socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try Connection.connect(socket, port: port)
    var limit = timeval(tv_sec: Connection.patience, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close() }

  /// Connects a socket to a port of this machine.
  static func connect(_ socket: Int32, port: Int) throws {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let failed = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Foundation.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard failed == 0 else { throw FireflyError("cannot connect: \(String(cString: strerror(errno)))") }
  }

  func close() {
    if socket >= 0 { Foundation.close(socket) }
    socket = -1
  }

  /// Sends no more, and goes on reading.
  func closeHalf() { shutdown(socket, Int32(SHUT_WR)) }

  func send(_ text: String) { send(Array(text.utf8)) }

  /// A server that closes early is no error here: the answer tells.
  func send(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  /// More bytes; false at the end.
  private func receive() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = recv(socket, &buffer, buffer.count, 0)
    if count > 0 { received += buffer[..<count] }
    return count > 0
  }

  /// Everything until the server closes.
  func readToEnd() -> String {
    while receive() {}
    return String(decoding: received, as: UTF8.self)
  }

  /// Reads until `text` has come.
  func read(until text: String) throws {
    while !String(decoding: received, as: UTF8.self).contains(text) {
      guard receive() else { throw FireflyError("the connection ended before \"\(text)\"") }
    }
  }

  /// One whole response.
  func response() throws -> Reply {
    let end = Array("\r\n\r\n".utf8)
    while received.firstRange(of: end) == nil {
      guard receive() else { throw FireflyError("the connection ended before the headers") }
    }
    guard let range = received.firstRange(of: end) else { throw FireflyError("no headers") }
    let lines = String(decoding: received[..<range.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    received.removeFirst(range.upperBound)
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      headers[parts[0].lowercased()] = parts.last?.trimmingCharacters(in: .whitespaces)
    }
    let status = Int(lines[0].split(separator: " ")[1]) ?? 0
    if headers["transfer-encoding"] == "chunked" {
      return Reply(status: status, headers: headers, body: try chunks())
    }
    let length = headers["content-length"].flatMap(Int.init) ?? 0
    while received.count < length {
      guard receive() else { throw FireflyError("the connection ended within the body") }
    }
    defer { received.removeFirst(length) }
    return Reply(status: status, headers: headers, body: Array(received[..<length]))
  }

  private func chunks() throws -> [UInt8] {
    var body: [UInt8] = []
    while true {
      let line = try takeLine()
      guard let count = Int(line, radix: 16) else { throw FireflyError("not a chunk's length: \(line)") }
      while received.count < count + 2 {
        guard receive() else { throw FireflyError("the connection ended within a chunk") }
      }
      body += received[..<count]
      received.removeFirst(count + 2)
      if count == 0 { return body }
    }
  }

  private func takeLine() throws -> String {
    while true {
      if let range = received.firstRange(of: Array("\r\n".utf8)) {
        defer { received.removeFirst(range.upperBound) }
        return String(decoding: received[..<range.lowerBound], as: UTF8.self)
      }
      guard receive() else { throw FireflyError("the connection ended within a chunk's head") }
    }
  }
}

struct Reply {
  let status: Int
  let headers: [String: String]
  let body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }
  func json() throws -> JSONValue { try JSONValue.parse(text, source: "response") }

  /// The data of server-sent events.
  func events() -> [String] {
    text.components(separatedBy: "\n\n").filter { !$0.isEmpty }.map { String($0.dropFirst("data: ".count)) }
  }
}

/// Whole exchanges, each on a connection of its own.
struct Client: Sendable {
  let port: Int

  func send(_ request: String, body: [UInt8] = []) throws -> Reply {
    let connection = try Connection(port: port)
    connection.send(Array(request.utf8) + body)
    return try connection.response()
  }

  func get(_ path: String, headers: String = "") throws -> Reply {
    try send("GET \(path) HTTP/1.1\r\nHost: localhost:\(port)\r\n\(headers)\r\n")
  }

  func post(_ path: String, _ body: String, headers: String = "") throws -> Reply {
    try send(Client.postHead(path, body.utf8.count, headers), body: Array(body.utf8))
  }

  static func postHead(_ path: String, _ length: Int, _ headers: String = "") -> String {
    "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(length)\r\n\(headers)\r\n"
  }

  /// The value of one of /metrics' lines.
  func metric(_ name: String) throws -> Int? {
    let lines = try get("/metrics").text.split(separator: "\n")
    return lines.first { $0.hasPrefix("firefly_\(name) ") }.flatMap { Int($0.split(separator: " ")[1]) }
  }

  /// Asks for the metric until it is `value`; false when it is not within the patience.
  func waits(for name: String, toBe value: Int) throws -> Bool {
    let end = ContinuousClock.now + .seconds(Connection.patience)
    while ContinuousClock.now < end {
      if try metric(name) == value { return true }
    }
    return false
  }
}
