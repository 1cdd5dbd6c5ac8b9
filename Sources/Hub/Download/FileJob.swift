import CCurl
import FireflyBase

/// A file that is to be fetched, and how far it is.
final class FileJob {
  let file: RemoteFile
  var lock: FileLock?
  /// nil before the first try and when the file is there.
  var partial: PartialFile?
  var isToldToWait = false
  private var isDone = false
  private var failures = 0
  /// When the next try may begin.
  private var due = ContinuousClock.now
  /// Bytes that were there when the running transfer began.
  private var countAtStart = 0
  private var hasBegun = false

  init(_ file: RemoteFile) { self.file = file }

  /// Bytes that are there.
  var count: Int { isDone ? file.size : partial?.count ?? 0 }
  var isDue: Bool { ContinuousClock.now >= due }

  func done() {
    isDone = true
    partial = nil
    lock = nil
  }

  func begin() {
    countAtStart = count
    hasBegun = false
  }

  /// Takes a piece of the body.
  func receive(_ transfer: Transfer, _ bytes: UnsafeRawBufferPointer) throws {
    if !hasBegun { try checkPlace(transfer) }
    hasBegun = true
    try partial?.write(bytes)
  }

  /// A server that does not know ranges sends the whole from its beginning.
  private func checkPlace(_ transfer: Transfer) throws {
    guard countAtStart > 0 else { return }
    guard transfer.status == 206 else {
      try partial?.startAnew()
      return
    }
    let range = transfer.headers["content-range"] ?? "none"
    guard range.hasPrefix("bytes \(countAtStart)-") else {
      throw FireflyError(
        "the server sends another part of the file than was asked for", at: transfer.url,
        expected: "from byte \(countAtStart)", found: range)
    }
  }

  /// Counts a try that broke off, and says when the next is due.
  ///
  /// - Returns: false when there is to be no other: too many in a row have brought nothing.
  func fails(_ policy: RetryPolicy, asked: Int) -> Bool {
    let hasMoved = count > countAtStart
    failures = hasMoved ? 1 : failures + 1
    due = .now + (hasMoved ? .zero : policy.delay(after: failures, asked: asked))
    return failures < policy.tries
  }
}
