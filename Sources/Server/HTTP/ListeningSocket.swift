import FireflyBase
import Foundation

/// A socket that waits for connections; whoever takes `descriptor` closes it.
package struct ListeningSocket {
  let descriptor: Int32
  /// The port in fact, also when 0 was asked for.
  package let port: Int

  /// - Throws: `FireflyError` when the address is not one of this machine or the port is taken.
  package init(host: String, port: Int) throws {
    let place = "\(host):\(port)"
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
    var found: UnsafeMutablePointer<addrinfo>?
    let failure = getaddrinfo(host, String(port), &hints, &found)
    guard failure == 0, let address = found else {
      throw FireflyError(
        "not an address to listen at: \(String(cString: gai_strerror(failure)))", at: place,
        fix: "Give --host an address of this machine, such as 127.0.0.1 or 0.0.0.0.")
    }
    defer { freeaddrinfo(found) }
    let socket = Foundation.socket(
      address.pointee.ai_family, address.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue),
      address.pointee.ai_protocol)
    guard socket >= 0 else { throw ListeningSocket.error("cannot make a socket", place) }
    var yes: Int32 = 1
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    guard bind(socket, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0, listen(socket, 512) == 0
    else {
      let error = ListeningSocket.error("cannot listen", place)
      close(socket)
      throw error
    }
    _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
    descriptor = socket
    self.port = ListeningSocket.port(of: socket)
  }

  private static func error(_ what: String, _ place: String) -> FireflyError {
    FireflyError(
      "\(what): \(String(cString: strerror(errno)))", at: place, fix: "Choose another --port or --host.")
  }

  private static func port(of socket: Int32) -> Int {
    var address = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &address) { storage in
      storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(socket, $0, &length) }
      // The port has one place in both families: two bytes after the family.
      return storage.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
        Int(UInt16(bigEndian: $0.pointee.sin_port))
      }
    }
  }
}
