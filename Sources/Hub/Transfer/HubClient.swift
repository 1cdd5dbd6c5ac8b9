import CCurl
import FireflyBase
import Foundation

/// How often and when a request is repeated.
package struct RetryPolicy: Sendable {
  /// Requests in a row that bring nothing.
  package var tries = 5
  /// Before the second try; twice as long before each further one.
  package var delay: Duration = .seconds(1)
  package var limits = TransferLimits()

  package init() {}

  /// - Parameters:
  ///   - failures: how often it has failed in a row.
  ///   - asked: seconds that the server asks for.
  package func delay(after failures: Int, asked: Int) -> Duration {
    max(delay * (1 << min(failures - 1, 5)), min(.seconds(asked), .seconds(60)))
  }
}

/// Asks a hub about models, in the protocol of huggingface.co.
final class HubClient {
  let settings: HubSettings
  let policy: RetryPolicy
  let loop = TransferLoop()
  private let isCancelled: () -> Bool

  init(_ settings: HubSettings, _ policy: RetryPolicy, isCancelled: @escaping () -> Bool) {
    self.settings = settings
    self.policy = policy
    self.isCancelled = isCancelled
  }

  /// - Throws: `FireflyError` when the user has interrupted.
  func checkCancellation() throws {
    if isCancelled() {
      throw FireflyError("interrupted: what has come is kept, and the same command goes on from there")
    }
  }

  // MARK: - Questions

  /// The commit that the name stands for, and its files.
  func model(_ name: ModelName) throws -> RemoteModel {
    let revision = HubClient.quoted(name.revision ?? "main")
    let url = "\(settings.endpoint)/api/models/\(name.repository)/revision/\(revision)?blobs=true"
    var body: [UInt8] = []
    _ = try answer(about: name) {
      body = []
      return Transfer(.get, url, token: self.settings.token, self.policy.limits) { transfer, bytes in
        guard body.count + bytes.count <= HubClient.longestListing else {
          throw FireflyError("the hub's listing is too long", at: transfer.url)
        }
        body += bytes
      }
    }
    return try ModelListing.read(String(decoding: body, as: UTF8.self), source: url)
  }

  private static let longestListing = 64 << 20

  /// What a file is, from the headers that it would be sent with: for mirrors whose listing has only names.
  func file(_ path: String, of name: ModelName, commit: String) throws -> RemoteFile {
    var url = address(of: path, name, commit: commit)
    for _ in 0..<HubClient.mostRedirects {
      let answer = try answer(about: name, file: path, allowsRedirect: true) {
        Transfer(.head, url, token: self.settings.token, followsRedirects: false, self.policy.limits) {
          _, _ in
        }
      }
      // Elsewhere lies only the content: the hub itself has told what there is to know.
      guard let next = answer.redirect, HubClient.isSameHost(url, next) else {
        return try ModelListing.file(
          path, headers: answer.headers, isRedirect: !answer.isSuccess, source: url)
      }
      url = next
    }
    throw FireflyError("the hub leads in circles", at: url)
  }

  private static let mostRedirects = 10

  /// Where a file is fetched.
  func address(of path: String, _ name: ModelName, commit: String) -> String {
    let parts = path.split(separator: "/").map { HubClient.quoted(String($0)) }
    return "\(settings.endpoint)/\(name.repository)/resolve/\(commit)/\(parts.joined(separator: "/"))"
  }

  // MARK: - Answers

  /// Asks until there is an answer that is not a passing failure.
  private func answer(
    about name: ModelName, file: String? = nil, allowsRedirect: Bool = false, _ ask: () -> Transfer
  ) throws -> Transfer {
    var failures = 0
    while true {
      let transfer = ask()
      let code = try run(transfer)
      if let error = transfer.receiverError { throw error }
      let redirects = allowsRedirect && (300..<400).contains(transfer.status)
      if code == CURLE_OK, transfer.isSuccess || redirects { return transfer }
      failures += 1
      let failure = HubFailure(transfer: transfer, code: code, name: name, settings: settings)
      guard failure.isPassing, !failure.isDisconnection, failures < policy.tries else {
        throw failure.error(file: file)
      }
      try wait(policy.delay(after: failures, asked: transfer.retrySeconds))
    }
  }

  private func run(_ transfer: Transfer) throws -> CURLcode {
    loop.add(transfer)
    while true {
      try checkCancellation()
      if let ended = loop.step(milliseconds: HubClient.period).first { return ended.code }
    }
  }

  private func wait(_ time: Duration) throws {
    let end = ContinuousClock.now + time
    while ContinuousClock.now < end {
      try checkCancellation()
      _ = loop.step(milliseconds: HubClient.period)
    }
  }

  /// Within which an interruption is noticed.
  static let period: Int32 = 100

  // MARK: - Addresses

  private static let unreserved = CharacterSet(
    charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

  private static func quoted(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? text
  }

  private static func isSameHost(_ one: String, _ other: String) -> Bool {
    guard let one = URLComponents(string: one), let other = URLComponents(string: other) else { return false }
    return one.scheme == other.scheme && one.host == other.host && one.port == other.port
  }
}
