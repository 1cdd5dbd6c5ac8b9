import Foundation

/// Watches what libmicrohttpd does not: suspended connections whose other end has gone, and requests that take too
/// long to come.
final class ConnectionWatch: @unchecked Sendable {
  private struct Connection {
    let socket: Int32
    /// Since when the connection owes us a whole request; nil while one is answered.
    var owesSince: ContinuousClock.Instant?
    var exchange: HTTPExchange?
  }

  private struct State {
    var connections: [UInt: Connection] = [:]
    var isStopped = false
  }

  /// Guards `state`; signalled when an answer has been sent.
  private let condition = NSCondition()
  private var state = State()
  private let requestTime: Duration
  private static let period: Int32 = 100  // milliseconds
  private static let hangUp = Int16(POLLHUP) | Int16(POLLERR) | 0x2000  // POLLRDHUP

  /// - Parameter requestTime: within which a connection must bring a whole request, its first or its next.
  init(requestTime: Duration) { self.requestTime = requestTime }

  private func locked<Result>(_ body: (inout State) -> Result) -> Result {
    condition.lock()
    defer { condition.unlock() }
    return body(&state)
  }

  var count: Int { locked { $0.connections.count } }

  func opened(_ connection: OpaquePointer, socket: Int32) {
    locked {
      $0.connections[UInt(bitPattern: connection)] = Connection(socket: socket, owesSince: .now)
    }
  }

  /// Called before the socket is closed, so that none of ours is another's by then.
  func closed(_ connection: OpaquePointer) {
    locked { $0.connections[UInt(bitPattern: connection)] = nil }
    condition.broadcast()
  }

  func began(_ exchange: HTTPExchange) {
    locked { state in
      state.connections[UInt(bitPattern: exchange.connection)]?.owesSince = nil
      state.connections[UInt(bitPattern: exchange.connection)]?.exchange = exchange
    }
  }

  func ended(_ connection: OpaquePointer) {
    locked { state in
      state.connections[UInt(bitPattern: connection)]?.owesSince = .now
      state.connections[UInt(bitPattern: connection)]?.exchange = nil
    }
    condition.broadcast()
  }

  /// The exchanges that are being answered.
  var open: [HTTPExchange] { locked { $0.connections.values.compactMap(\.exchange) } }

  /// Returns when nothing is being answered, or after so many seconds.
  func waitUntilIdle(atMost seconds: TimeInterval) {
    let deadline = Date(timeIntervalSinceNow: seconds)
    condition.lock()
    defer { condition.unlock() }
    while state.connections.values.contains(where: { $0.exchange != nil }) {
      guard condition.wait(until: deadline) else { return }
    }
  }

  func stop() { locked { $0.isStopped = true } }

  /// Runs until `stop`, on a thread of its own.
  func run() {
    while !locked({ $0.isStopped }) {
      closeLate()
      let waiting = locked { state in
        state.connections.values.compactMap { connection in
          connection.exchange.map { (connection.socket, $0) }
        }
      }.filter { $0.1.isWaiting }
      var polls = waiting.map { pollfd(fd: $0.0, events: ConnectionWatch.hangUp, revents: 0) }
      guard poll(&polls, nfds_t(polls.count), ConnectionWatch.period) > 0 else { continue }
      for (entry, exchange) in zip(polls, waiting.map(\.1)) where entry.revents & ConnectionWatch.hangUp != 0
      {
        exchange.peerHasGone()
      }
    }
  }

  private func closeLate() {
    let now = ContinuousClock.now
    locked { state in
      for connection in state.connections.values {
        if let since = connection.owesSince, now - since > requestTime {
          shutdown(connection.socket, Int32(SHUT_RDWR))
        }
      }
    }
  }
}
