import CMicroHTTPD
import FireflyBase
import Foundation

/// HTTP through libmicrohttpd: one thread for all connections, requests handed to a handler on other threads.
package final class HTTPServer: @unchecked Sendable {
  package struct Limits: Sendable {
    var bodyBytes: Int
    var connections: Int
    /// A connection on which nothing moves is closed.
    var idleTime: Duration
    /// A connection that brings no whole request is closed.
    var requestTime: Duration

    package init(bodyBytes: Int, connections: Int, idleTime: Duration, requestTime: Duration) {
      self.bodyBytes = bodyBytes
      self.connections = connections
      self.idleTime = idleTime
      self.requestTime = requestTime
    }
  }

  let handler: any HTTPHandler
  let limits: Limits
  let watch: ConnectionWatch
  private let workers = DispatchQueue(label: "firefly.http", attributes: .concurrent)
  private var daemon: OpaquePointer?  // set by `start`, then only used by `stop`
  /// What the daemon encrypts with, as C texts that live as long as it.
  private var tlsTexts: [UnsafeMutablePointer<CChar>] = []

  package init(handler: any HTTPHandler, limits: Limits) {
    self.handler = handler
    self.limits = limits
    watch = ConnectionWatch(requestTime: limits.requestTime)
  }

  /// - Parameter tls: nil for plain HTTP.
  package func start(_ socket: ListeningSocket, tls: TLSIdentity? = nil) throws {
    var options = microhttpd_options()
    options.context = Unmanaged.passUnretained(self).toOpaque()
    options.handle = handleRequest
    options.completed = completeRequest
    options.connection = noteConnection
    options.unescape = { _, _, text in text.map { strlen($0) } ?? 0 }  // paths stay as they were sent
    options.listening_socket = socket.descriptor
    options.connection_limit = UInt32(limits.connections)
    options.idle_seconds = UInt32(max(1, limits.idleTime.components.seconds))
    options.connection_memory_bytes = 32 << 10
    if let tls {
      tlsTexts = [tls.certificate, tls.key, TLSIdentity.priorities].compactMap { (text: String) in
        strdup(text)
      }
      (options.certificate, options.key) = (UnsafePointer(tlsTexts[0]), UnsafePointer(tlsTexts[1]))
      options.priorities = UnsafePointer(tlsTexts[2])
    }
    daemon = microhttpd_start(&options)
    guard daemon != nil else {
      close(socket.descriptor)
      throw FireflyError("libmicrohttpd did not start: \(String(cString: strerror(errno)))")
    }
    Thread { [watch] in watch.run() }.start()
  }

  /// Takes no new connections from now on.
  package func quiesce() {
    guard let daemon else { return }
    let socket = MHD_quiesce_daemon(daemon)
    if socket >= 0 { close(socket) }
  }

  /// How long the last answers may take to be sent.
  private static let sendingTime: TimeInterval = 2

  /// Ends, when what is answered has been sent; nothing may be left that would take long to answer.
  package func stop() {
    guard let daemon else { return }
    watch.waitUntilIdle(atMost: HTTPServer.sendingTime)
    for exchange in watch.open { exchange.abandon(handler.stopping) }
    watch.stop()
    MHD_stop_daemon(daemon)
    self.daemon = nil
    for text in tlsTexts { free(text) }
    tlsTexts = []
  }

  // MARK: - On libmicrohttpd's thread

  /// A request's headers have come.
  fileprivate func begin(_ exchange: HTTPExchange) -> MHD_Result {
    guard let refusal = handler.refusal(of: exchange.head) else { return .YES }
    guard exchange.hasShortBody, !exchange.head.isAmbiguous else { return queue(refusal, exchange) }
    exchange.respond(refusal)
    return .YES
  }

  /// The whole request has come, or its answer is there.
  fileprivate func proceed(_ exchange: HTTPExchange) -> MHD_Result {
    switch exchange.next() {
    case .tooLarge: return queue(handler.tooLarge, exchange)
    case .respond(let response): return queue(response, exchange)
    case .stream(let headers): return queueStream(headers, exchange)
    case .wait: return .YES
    case .handle:
      watch.began(exchange)
      workers.async { [handler] in handler.handle(exchange) }
      return .YES
    }
  }

  private func queue(_ response: HTTPResponse, _ exchange: HTTPExchange) -> MHD_Result {
    var body = response.body
    let made = MHD_create_response_from_buffer(body.count, &body, .RESPMEM_MUST_COPY)
    return queue(made, status: response.status, headers: response.headers, exchange)
  }

  private func queueStream(_ headers: [String: String], _ exchange: HTTPExchange) -> MHD_Result {
    let made = MHD_create_response_from_callback(
      UInt64.max, 16 << 10, readStream, Unmanaged.passRetained(exchange).toOpaque(), releaseStream)
    return queue(made, status: 200, headers: headers, exchange)
  }

  private func queue(
    _ response: OpaquePointer?, status: Int, headers: [String: String], _ exchange: HTTPExchange
  ) -> MHD_Result {
    guard let response else { return .NO }
    defer { MHD_destroy_response(response) }
    for (name, value) in headers.merging(handler.commonHeaders(for: exchange.head), uniquingKeysWith: { $1 })
    {
      MHD_add_response_header(response, name, value)
    }
    handler.didAnswer(exchange.head, status: status)
    return MHD_queue_response(exchange.connection, UInt32(status), response)
  }
}

/// Calls that C makes; `context` is the server, which outlives the daemon.
private func server(_ context: UnsafeMutableRawPointer?) -> HTTPServer? {
  context.map { Unmanaged<HTTPServer>.fromOpaque($0).takeUnretainedValue() }
}

private func exchange(
  _ place: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> HTTPExchange? {
  place?.pointee.map { Unmanaged<HTTPExchange>.fromOpaque($0).takeUnretainedValue() }
}

private func handleRequest(
  _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ url: UnsafePointer<CChar>?,
  _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ upload: UnsafePointer<CChar>?,
  _ uploadSize: UnsafeMutablePointer<Int>?,
  _ place: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
  guard let server = server(context), let connection, let url, let method, let uploadSize, let place else {
    return .NO
  }
  guard let known = exchange(place) else {
    let made = HTTPExchange(
      connection: connection, head: head(String(cString: method), String(cString: url), of: connection),
      bodyLimit: server.limits.bodyBytes)
    place.pointee = Unmanaged.passRetained(made).toOpaque()
    return server.begin(made)
  }
  guard uploadSize.pointee > 0 else { return server.proceed(known) }
  let bytes = UnsafeRawBufferPointer(start: upload, count: uploadSize.pointee)
  uploadSize.pointee = 0
  return known.receive(bytes) ? .YES : .NO
}

private func head(_ method: String, _ path: String, of connection: OpaquePointer) -> HTTPRequest {
  var found = (headers: [String: String](), isAmbiguous: false)
  withUnsafeMutablePointer(to: &found) { found in
    _ = MHD_get_connection_values(
      connection, .HEADER_KIND,
      { context, _, name, value in
        guard let name,
          let found = context?.assumingMemoryBound(to: (headers: [String: String], isAmbiguous: Bool).self)
        else { return .YES }
        let key = String(cString: name).lowercased()
        if key.contains(where: \.isWhitespace) { found.pointee.isAmbiguous = true }
        if HTTPRequest.headerNames.contains(key) {
          let old = found.pointee.headers.updateValue(value.map { String(cString: $0) } ?? "", forKey: key)
          // A list of languages may come in several headers.
          if old != nil && key != "accept-language" { found.pointee.isAmbiguous = true }
        }
        return .YES
      }, found)
  }
  let lengths = ["content-length", "transfer-encoding"].filter { found.headers[$0] != nil }
  return HTTPRequest(
    method: method, path: path, headers: found.headers,
    isAmbiguous: found.isAmbiguous || lengths.count == 2)
}

private func completeRequest(
  _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
  _ place: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ why: MHD_RequestTerminationCode
) {
  guard let held = place?.pointee, let connection else { return }
  place?.pointee = nil
  let exchange = Unmanaged<HTTPExchange>.fromOpaque(held).takeRetainedValue()
  server(context)?.watch.ended(connection)
  exchange.close()
}

private func noteConnection(
  _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
  _ place: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ what: MHD_ConnectionNotificationCode
) {
  guard let watch = server(context)?.watch, let connection else { return }
  if what == .CONNECTION_NOTIFY_STARTED {
    watch.opened(connection, socket: microhttpd_socket(connection))
  } else {
    watch.closed(connection)
  }
}

private func readStream(
  _ context: UnsafeMutableRawPointer?, _ position: UInt64, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int
) -> Int {
  guard let context else { return -1 }
  let exchange = Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
  return exchange.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size))
}

private func releaseStream(_ context: UnsafeMutableRawPointer?) {
  if let context { Unmanaged<HTTPExchange>.fromOpaque(context).release() }
}
