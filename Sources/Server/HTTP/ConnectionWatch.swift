import Foundation
import Synchronization

/// Watches what libmicrohttpd does not: suspended connections whose other end has gone, and requests that take too
/// long to come.
final class ConnectionWatch: Sendable {
  private struct Connection {
    let socket: Int32
    /// Since when it owes us a whole request; nil while one is answered.
    var owesSince: ContinuousClock.Instant?
    var exchange: HTTPExchange?
  }

  private struct State {
    var connections: [UInt: Connection] = [:]
    var isStopped = false
  }

  private let state = Mutex(State())
  private let requestTime: Duration
  private static let period: Int32 = 100  // milliseconds
  private static let hangUp = Int16(POLLHUP) | Int16(POLLERR) | 0x2000  // POLLRDHUP

  /// - Parameter requestTime: within which a connection must bring a whole request, its first or its next.
  init(requestTime: Duration) { self.requestTime = requestTime }

  var count: Int { state.withLock { $0.connections.count } }

  func opened(_ connection: OpaquePointer, socket: Int32) {
    state.withLock {
      $0.connections[UInt(bitPattern: connection)] = Connection(socket: socket, owesSince: .now)
    }
  }

  /// Called before the socket is closed, so that none of ours is another's by then.
  func closed(_ connection: OpaquePointer) {
    state.withLock { $0.connections[UInt(bitPattern: connection)] = nil }
  }

  func began(_ exchange: HTTPExchange) {
    state.withLock { state in
      state.connections[UInt(bitPattern: exchange.connection)]?.owesSince = nil
      state.connections[UInt(bitPattern: exchange.connection)]?.exchange = exchange
    }
  }

  func ended(_ connection: OpaquePointer) {
    state.withLock { state in
      state.connections[UInt(bitPattern: connection)]?.owesSince = .now
      state.connections[UInt(bitPattern: connection)]?.exchange = nil
    }
  }

  /// The exchanges that are being answered.
  var open: [HTTPExchange] { state.withLock { $0.connections.values.compactMap(\.exchange) } }

  func stop() { state.withLock { $0.isStopped = true } }

  /// Runs until `stop`, on a thread of its own.
  func run() {
    while !state.withLock({ $0.isStopped }) {
      closeLate()
      let waiting = state.withLock { state in
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
    state.withLock { state in
      for connection in state.connections.values {
        if let since = connection.owesSince, now - since > requestTime {
          shutdown(connection.socket, Int32(SHUT_RDWR))
        }
      }
    }
  }
}
