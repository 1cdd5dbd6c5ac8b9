import CMicroHTTPD
import FireflyBase
import Foundation

/// One request and its answer, whole or as a stream.
///
/// libmicrohttpd's thread reads and writes; the answer comes from other threads. While there is nothing to write, the
/// connection is suspended; what comes in resumes it. Both happen under the one lock, so that no wake-up is lost.
package final class HTTPExchange: @unchecked Sendable {
  private struct State {
    var body: [UInt8] = []
    var receivedCount = 0
    var isHandled = false
    var response: HTTPResponse?
    var stream: [String: String]?  // its headers
    var unsent: [UInt8] = []
    var isEnded = false
    var isSuspended = false
    var isClosed = false
    var whenGone: (@Sendable () -> Void)?
  }

  let connection: OpaquePointer
  package let head: HTTPRequest
  private let bodyLimit: Int
  private let state = Locked(State())

  init(connection: OpaquePointer, head: HTTPRequest, bodyLimit: Int) {
    self.connection = connection
    self.head = head
    self.bodyLimit = bodyLimit
  }

  /// The request with its body; to be asked once.
  package func takeRequest() -> HTTPRequest {
    var request = head
    request.body = state.withLock { state in
      defer { state.body = [] }
      return state.body
    }
    return request
  }

  // MARK: - Answering, from any thread

  /// Answers as a whole.
  package func respond(_ response: HTTPResponse) {
    change { $0.response = response }
  }

  /// Begins an answer that comes in pieces.
  func beginStream(headers: [String: String]) {
    change { $0.stream = headers }
  }

  func send(_ text: String) {
    change { $0.unsent += Array(text.utf8) }
  }

  func endStream() {
    change { $0.isEnded = true }
  }

  /// Calls `body` once if the client goes away before the answer is sent, at once if it has gone already.
  func whenGone(_ body: @escaping @Sendable () -> Void) {
    let isGone = state.withLock { state in
      if !state.isClosed { state.whenGone = body }
      return state.isClosed
    }
    if isGone { body() }
  }

  private func change(_ body: (inout State) -> Void) {
    state.withLock { state in
      body(&state)
      guard state.isSuspended else { return }
      state.isSuspended = false
      MHD_resume_connection(connection)
    }
  }

  /// The other end has closed the connection while it was suspended.
  func peerHasGone() { close() }

  /// Gives the connection back, whatever is missing: a suspended one would keep the daemon from stopping.
  ///
  /// - Parameter response: for a request without an answer.
  func abandon(_ response: HTTPResponse) {
    change { state in
      state.response = state.response ?? response
      state.isEnded = true
    }
  }

  /// No more can be sent; whoever works on an unfinished answer is told.
  func close() {
    let tell = state.withLock { state in
      defer { state.whenGone = nil }
      state.isClosed = true
      return state.response == nil && !state.isEnded ? state.whenGone : nil
    }
    tell?()
  }

  // MARK: - On libmicrohttpd's thread

  /// A body that is not wanted may be so many times as long as the limit: a client that is cut while it sends does not
  /// see the answer.
  private static let patience = 4

  /// Whether the body is short enough to be read before a refusal is sent.
  var hasShortBody: Bool {
    head.headers["content-length"].map { Int($0).map { $0 / HTTPExchange.patience <= bodyLimit } ?? false }
      ?? true
  }

  /// - Returns: false when the connection is to be closed, because the body goes on far beyond the limit.
  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    state.withLock { state in
      state.receivedCount += bytes.count
      let isWanted = state.response == nil && state.receivedCount <= bodyLimit
      if isWanted { state.body += bytes } else { state.body = [] }
      return state.receivedCount / HTTPExchange.patience <= bodyLimit
    }
  }

  enum Next {
    case tooLarge
    case handle
    case respond(HTTPResponse)
    case stream([String: String])
    case wait
  }

  /// What to do with a request that has come as a whole; the connection is suspended with `handle`.
  func next() -> Next {
    state.withLock { state in
      if let response = state.response { return .respond(response) }
      if state.receivedCount > bodyLimit { return .tooLarge }
      if let headers = state.stream { return .stream(headers) }
      if state.isHandled { return .wait }
      state.isHandled = true
      state.isSuspended = true
      MHD_suspend_connection(connection)
      return .handle
    }
  }

  private static let endOfStream = -1  // MHD_CONTENT_READER_END_OF_STREAM

  /// Gives out what there is to send; without any, suspends the connection until there is.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    state.withLock { state in
      guard state.unsent.isEmpty else {
        let count = min(buffer.count, state.unsent.count)
        buffer.copyBytes(from: state.unsent.prefix(count))
        state.unsent.removeFirst(count)
        return count
      }
      guard !state.isEnded else { return HTTPExchange.endOfStream }
      state.isSuspended = true
      MHD_suspend_connection(connection)
      return 0
    }
  }

  /// Whether somebody else will resume the connection: only then must its socket be watched.
  var isWaiting: Bool { state.withLock { $0.isSuspended && !$0.isClosed } }
}
