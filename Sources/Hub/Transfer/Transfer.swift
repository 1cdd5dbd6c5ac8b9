import CCurl
import FireflyBase
import Foundation

/// One request to a server and its answer, by a handle of libcurl.
final class Transfer {
  enum Method { case get, head }

  let url: String
  /// Names of headers in small letters; of a redirected request those of all answers, a later one's before an earlier's.
  private(set) var headers: [String: String] = [:]
  /// The beginning of an error's body, which may say why.
  private(set) var errorBody: [UInt8] = []
  /// Gets the body of a success; what it throws ends the transfer.
  private let receive: (Transfer, UnsafeRawBufferPointer) throws -> Void
  private(set) var receiverError: (any Error)?
  let handle: UnsafeMutableRawPointer
  private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
  private static let longestErrorBody = 4096

  /// - Parameters:
  ///   - token: who asks; sent to this host alone.
  ///   - start: the first byte that is wanted.
  init(
    _ method: Method, _ url: String, token: String?, from start: Int = 0, followsRedirects: Bool = true,
    _ limits: TransferLimits, receive: @escaping (Transfer, UnsafeRawBufferPointer) throws -> Void
  ) {
    guard Transfer.library == CURLE_OK, let handle = curl_easy_init() else {
      preconditionFailure("libcurl does not start")
    }
    self.url = url
    self.handle = handle
    self.receive = receive
    errorText.initialize(to: 0)
    var request = curl_request()
    request.head = method == .head
    request.follows_redirects = followsRedirects
    request.connect_seconds = limits.connectSeconds
    request.stall_seconds = limits.stallSeconds
    request.context = Unmanaged.passUnretained(self).toOpaque()
    request.body = takeBody
    request.header = takeHeader
    request.error = errorText
    let range = start > 0 ? "\(start)-" : nil
    withCStrings([url, token, range, Transfer.noProxy]) { texts in
      (request.url, request.token, request.range, request.no_proxy) = (texts[0], texts[1], texts[2], texts[3])
      _ = curl_set_up(handle, &request)
    }
  }

  deinit {
    curl_easy_cleanup(handle)
    errorText.deallocate()
  }

  /// libcurl's own preparations, once in a process.
  private static let library = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

  /// Hosts that are asked directly whatever proxy the environment names: its own `no_proxy`, and this machine.
  private static let noProxy: String = {
    let environment = ProcessInfo.processInfo.environment
    let own = environment["no_proxy"] ?? environment["NO_PROXY"] ?? ""
    return own == "*" ? own : "localhost,127.0.0.1,::1,\(own)"
  }()

  /// The last answer's; 0 when there was none.
  var status: Int { Int(curl_status(handle)) }
  var isSuccess: Bool { (200..<300).contains(status) }
  /// Where an answer leads that was not followed.
  var redirect: String? { curl_redirect_url(handle).map { String(cString: $0) } }
  /// Seconds that the server asks to wait before another try.
  var retrySeconds: Int { Int(curl_retry_seconds(handle)) }

  /// What went wrong, in libcurl's words.
  func text(_ code: CURLcode) -> String {
    let own = String(cString: errorText)
    return own.isEmpty ? String(cString: curl_easy_strerror(code)) : own
  }

  fileprivate func take(body bytes: UnsafeRawBufferPointer) -> Bool {
    guard isSuccess else {
      errorBody += bytes.prefix(max(0, Transfer.longestErrorBody - errorBody.count))
      return true
    }
    do {
      try receive(self, bytes)
      return true
    } catch {
      receiverError = error
      return false
    }
  }

  fileprivate func take(header line: String) {
    let parts = line.split(separator: ":", maxSplits: 1)
    guard parts.count == 2 else { return }
    headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

/// How long a transfer waits.
package struct TransferLimits: Sendable {
  /// For a connection.
  package var connectSeconds = 20
  /// For anything to come.
  package var stallSeconds = 30
}

/// Lends texts to C; nil is NULL.
private func withCStrings(_ texts: [String?], _ body: ([UnsafePointer<CChar>?]) -> Void) {
  let copies = texts.map { $0.map { strdup($0) } ?? nil }
  defer { for copy in copies { free(copy) } }
  body(copies.map { UnsafePointer($0) })
}

private func takeBody(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let context else { return 0 }
  let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
  return transfer.take(body: UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
}

private func takeHeader(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let context else { return 0 }
  let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
  let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
  transfer.take(header: String(decoding: line, as: UTF8.self))
  return size * count
}
