import FireflyBase
import FireflyServer
import Foundation

/// A page of this machine for choosing a model and rows, training, watching, comparing, asking and writing the result.
///
/// It writes the configurations that `firefly train` reads, and starts that program for a run: a run goes on when the studio
/// ends, and is found again by the next one. A studio that is let go stops.
package final class Studio: Sendable {
  private let options: StudioOptions
  private let token = StudioAccess.makeToken()
  private let http = Locked<HTTPServer?>(nil)
  private let chat = ChatRoom()

  /// - Throws: `FireflyError` when the folder is none.
  package init(_ options: StudioOptions) throws {
    var options = options
    options.folder = options.folder.resolvedPath
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: options.folder, isDirectory: &isFolder), isFolder.boolValue
    else { throw FireflyError("there is no such folder", at: options.folder) }
    self.options = options
  }

  /// Listens, for this machine alone.
  ///
  /// - Returns: the address to open, which holds the token that lets its reader in.
  /// - Throws: `FireflyError` when the port cannot be had.
  package func start() throws -> String {
    let socket = try ListeningSocket(host: StudioAccess.host, port: options.port)
    let access = StudioAccess(token: token, port: socket.port)
    let made = HTTPServer(
      handler: StudioRoutes(access, endpoints: StudioEndpoints(options, chat)),
      limits: HTTPServer.Limits(
        bodyBytes: StudioRoutes.bodyBytes, connections: 64, idleTime: .seconds(60), requestTime: .seconds(60))
    )
    try made.start(socket)
    http.withLock { $0 = made }
    return "http://\(StudioAccess.host):\(socket.port)\(StudioAccess.entrance)\(token)"
  }

  /// Closes the page's connections and what is asked; runs go on.
  package func stop() {
    chat.close()
    http.withLock { server in
      server?.quiesce()
      server?.stop()
      server = nil
    }
  }

  deinit { stop() }
}
