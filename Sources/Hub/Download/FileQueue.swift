import CCurl
import FireflyBase
import Foundation

/// Fetches files side by side in one thread. A transfer that breaks off goes on where it ended; a file that another
/// process is fetching is waited for.
final class FileQueue {
  private let client: HubClient
  private let target: any DownloadTarget
  private let name: ModelName
  private let commit: String
  private let progress: (DownloadEvent) -> Void
  /// Not started, or to be started again.
  private var waiting: [FileJob] = []
  private var running: [ObjectIdentifier: FileJob] = [:]
  private static let sideBySide = 4

  init(
    _ client: HubClient, _ target: any DownloadTarget, _ name: ModelName, commit: String,
    progress: @escaping (DownloadEvent) -> Void
  ) {
    self.client = client
    self.target = target
    self.name = name
    self.commit = commit
    self.progress = progress
  }

  /// Returns when all are there and published.
  ///
  /// - Throws: `FireflyError` for the first file that cannot be had; what has come of the others is kept.
  func fetch(_ files: [RemoteFile]) throws {
    let total = files.reduce(0) { $0 + $1.size }
    let jobs = files.map(FileJob.init)
    waiting = jobs
    while true {
      try client.checkCancellation()
      try startWaiting()
      progress(.progress(done: jobs.reduce(0) { $0 + $1.count }, total: total))
      if waiting.isEmpty && running.isEmpty { return }
      for (transfer, code) in client.loop.step(milliseconds: HubClient.period) {
        if let job = running.removeValue(forKey: ObjectIdentifier(transfer)) {
          try ended(job, transfer, code)
        }
      }
    }
  }

  private func startWaiting() throws {
    for job in waiting where running.count < FileQueue.sideBySide && job.isDue {
      if try start(job) { waiting.removeAll { $0 === job } }
    }
  }

  /// - Returns: false when the file is to be tried again later: another process has it.
  private func start(_ job: FileJob) throws -> Bool {
    if job.partial == nil {
      if try target.has(job.file) { return try publish(job) }
      if isComing(job.file) { return false }
      guard let lock = try FileLock(target.lock(job.file)) else {
        if !job.isToldToWait { progress(.waiting(path: job.file.path)) }
        job.isToldToWait = true
        return false
      }
      // Another process may have finished it meanwhile.
      if try target.has(job.file) { return try publish(job) }
      job.lock = lock
      job.partial = try PartialFile(target.partial(job.file), for: job.file)
    }
    guard job.count < job.file.size else { return try finish(job) }
    let url = client.address(of: job.file.path, name, commit: commit)
    let transfer = Transfer(
      .get, url, token: client.settings.token, from: job.count, client.policy.limits, receive: job.receive)
    job.begin()
    running[ObjectIdentifier(transfer)] = job
    client.loop.add(transfer)
    return true
  }

  /// Whether a file of the same content, under another name, is on its way.
  private func isComing(_ file: RemoteFile) -> Bool {
    (waiting + running.values).contains { $0.file.tag == file.tag && $0.partial != nil }
  }

  private func ended(_ job: FileJob, _ transfer: Transfer, _ code: CURLcode) throws {
    if let error = transfer.receiverError { throw error }
    if code == CURLE_OK, transfer.isSuccess, job.count == job.file.size {
      if try !finish(job) { waiting.append(job) }
      return
    }
    let failure = HubFailure(transfer: transfer, code: code, name: name, settings: client.settings)
    // 416: what is there is more than the server has. A success that is too short was broken off unnoticed.
    let isStale = code == CURLE_OK && transfer.status == 416
    let isShort = code == CURLE_OK && transfer.isSuccess
    guard isStale || isShort || failure.isPassing else { throw failure.error(file: job.file.path) }
    if isStale { try job.partial?.startAnew() }
    guard job.fails(client.policy, asked: transfer.retrySeconds) else {
      throw FireflyError(
        "the download breaks off again and again: \(failure.reason)", at: "\(name): \(job.file.path)",
        found: "\(Readable.bytes(job.count)) of \(Readable.bytes(job.file.size)), which are kept",
        fix: "Try again later: the same command goes on from there. HF_ENDPOINT names a mirror.")
    }
    waiting.append(job)
  }

  /// Checks what has come and gives it its name.
  ///
  /// - Returns: false when it was wrong because of what an earlier try had left: to be fetched from the beginning.
  private func finish(_ job: FileJob) throws -> Bool {
    guard let partial = job.partial else { return true }
    if partial.isRight() {
      if job.file.digest == nil {
        progress(.note("the hub tells no hash of \(job.file.path): only its size was checked"))
      }
      try partial.finish(as: target.content(job.file))
      return try publish(job)
    }
    if partial.isResumed {
      try partial.startAnew()
      return false
    }
    partial.discard()
    throw FireflyError(
      "the file is damaged on its way: its hash is not the hub's", at: "\(name): \(job.file.path)",
      expected: job.file.digest?.text, fix: "Try again; if it happens again, try another HF_ENDPOINT.")
  }

  private func publish(_ job: FileJob) throws -> Bool {
    let isNew = job.partial != nil
    try target.publish(job.file)
    job.done()
    if isNew { progress(.finished(path: job.file.path, bytes: job.file.size)) }
    return true
  }
}
