import FireflyBase
import FireflyHub
import FireflyTestSupport
import Foundation
import Synchronization
import Testing

/// What goes wrong on the way: it is noticed, and what has come is kept where it is good.
@Suite struct BrokenDownloadTests {
  private let weights = bytes(200_000)

  /// A hub whose answers for the weights are changed.
  private func hub(
    _ change: @escaping @Sendable (Int, inout LoopbackServer.Reply) -> Void
  ) throws -> FakeHub {
    try FakeHub([modelName: .small(weights: weights)]) {
      $0.change = { path, before, reply in if path == "model.safetensors" { change(before, &reply) } }
    }
  }

  private func starts(_ hub: FakeHub) -> [Int] {
    hub.fetched.filter { $0.path == "model.safetensors" }.map(\.start)
  }

  private func incomplete(_ download: ModelDownload) -> String {
    "\(download.cached)/blobs/\(HubHash.sha256(weights)).incomplete"
  }

  // MARK: - Connections

  @Test func aBrokenConnectionGoesOnWhereItEnded() throws {
    try inTemporaryFolder { folder in
      let hub = try hub { before, reply in if before < 3 { reply.manner = .broken(after: 50_000) } }
      let path = try ModelDownload(hub, in: folder).run()
      #expect(try read("\(path)/model.safetensors") == weights)
      #expect(starts(hub) == [0, 50_000, 100_000, 150_000])
    }
  }

  @Test func manyBreaksAreFineAsLongAsSomethingComes() throws {
    try inTemporaryFolder { folder in
      let hub = try hub { _, reply in reply.manner = .broken(after: 10_000) }
      let path = try ModelDownload(hub, in: folder).run()
      #expect(try read("\(path)/model.safetensors") == weights)
      #expect(starts(hub).count == 20)
    }
  }

  @Test func whatBringsNothingEndsAfterAFewTries() throws {
    try inTemporaryFolder { folder in
      let hub = try hub { before, reply in reply.manner = .broken(after: before == 0 ? 70_000 : 0) }
      let download = try ModelDownload(hub, in: folder)
      let error = try #require(throws: FireflyError.self) { try download.run() }
      #expect(error.what.hasPrefix("the download breaks off again and again: "))
      #expect(error.found == "68.4 KiB of 195.3 KiB, which are kept")
      #expect(starts(hub).count == 5)
      #expect(try read(incomplete(download)) == Array(weights[..<70_000]))
      // The next run, another process's even, goes on there.
      hub.behaviour.change = { _, _, _ in }
      hub.forgetRequests()
      let path = try ModelDownload(hub, in: folder).run()
      #expect(starts(hub) == [70_000])
      #expect(try read("\(path)/model.safetensors") == weights)
    }
  }

  @Test func anInterruptionKeepsWhatHasCome() throws {
    try inTemporaryFolder { folder in
      let hub = try hub { before, reply in if before == 0 { reply.manner = .silent(after: 120_000) } }
      let download = try ModelDownload(hub, in: folder)
      var done = 0
      let error = try #require(throws: FireflyError.self) {
        try download.run(isCancelled: { done >= 120_000 }) {
          if case .progress(let count, _) = $0 { done = count }
        }
      }
      #expect(error.what.hasPrefix("interrupted: what has come is kept"))
      #expect(try read(incomplete(download)).count == 120_000)
      let missing = try #require(throws: FireflyError.self) {
        try LocalModels(download.settings).path(of: modelName, for: .model)
      }
      #expect(missing.what.hasPrefix("the model is not completely on this machine: 1 missing: the weights"))
      hub.forgetRequests()
      let path = try download.run()
      #expect(starts(hub) == [120_000])
      #expect(try read("\(path)/model.safetensors") == weights)
    }
  }

  @Test func aServerThatFallsSilentIsLeft() throws {
    try inTemporaryFolder { folder in
      let hub = try hub { before, reply in if before == 0 { reply.manner = .silent(after: 60_000) } }
      var download = try ModelDownload(hub, in: folder)
      download.policy.limits.stallSeconds = 1
      let path = try download.run()
      #expect(try read("\(path)/model.safetensors") == weights)
      // On a machine that is busy, more than one second may pass once more.
      #expect(starts(hub).prefix(2) == [0, 60_000])
    }
  }

  @Test func aTrickleIsWaitedFor() throws {
    try inTemporaryFolder { folder in
      let hub = try hub { _, reply in reply.manner = .dripping }
      let path = try ModelDownload(hub, in: folder).run()
      #expect(try read("\(path)/model.safetensors") == weights)
      #expect(starts(hub) == [0])
    }
  }

  @Test func aServerThatKnowsNoRangesSendsAllOfItAgain() throws {
    try inTemporaryFolder { folder in
      let hub = try hub { before, reply in if before == 0 { reply.manner = .broken(after: 50_000) } }
      hub.behaviour.ignoresRange = true
      let path = try ModelDownload(hub, in: folder).run()
      #expect(try read("\(path)/model.safetensors") == weights)
      #expect(starts(hub) == [0, 50_000])
    }
  }

  @Test func anotherPartThanWasAskedForIsRefused() throws {
    try inTemporaryFolder { folder in
      let hub = try hub { before, reply in
        if before == 0 { reply.manner = .broken(after: 50_000) }
        if before == 1 { reply.headers["Content-Range"] = "bytes 40000-199999/200000" }
      }
      let error = try #require(throws: FireflyError.self) { try ModelDownload(hub, in: folder).run() }
      #expect(error.what == "the server sends another part of the file than was asked for")
      #expect(error.expected == "from byte 50000" && error.found == "bytes 40000-199999/200000")
    }
  }

  @Test(arguments: [500, 502, 503, 429, 408])
  func aServersPassingTroubleIsWaitedOut(status: Int) throws {
    try inTemporaryFolder { folder in
      let hub = try hub { before, reply in if before < 2 { reply = .init(status) } }
      let path = try ModelDownload(hub, in: folder).run()
      #expect(try read("\(path)/model.safetensors") == weights)
      #expect(starts(hub) == [0, 0, 0])
    }
  }

  @Test func waitingTakesLongerEachTimeAndAsLongAsTheServerAsks() {
    let policy = RetryPolicy()
    #expect((1...4).map { policy.delay(after: $0, asked: 0) } == [1, 2, 4, 8].map { .seconds($0) })
    #expect(policy.delay(after: 1, asked: 30) == .seconds(30))
    #expect(policy.delay(after: 1, asked: 100_000) == .seconds(60))
  }

  // MARK: - Contents

  @Test func aWrongHashIsRefusedAndNothingKept() throws {
    try inTemporaryFolder { folder in
      let hub = try hub { _, reply in reply.body[100_000] ^= 1 }
      let download = try ModelDownload(hub, in: folder)
      let error = try #require(throws: FireflyError.self) { try download.run() }
      #expect(error.what == "the file is damaged on its way: its hash is not the hub's")
      #expect(error.place == "Org/Name: model.safetensors" && error.expected == HubHash.sha256(weights))
      let left = try files(in: "\(download.cached)/blobs")
      #expect(!left.contains { $0.hasPrefix(HubHash.sha256(weights)) })
    }
  }

  @Test func aSmallFilesWrongHashIsNoticedToo() throws {
    try inTemporaryFolder { folder in
      let hub = try FakeHub([modelName: .small()])
      hub.behaviour.change = { path, _, reply in if path == "tokenizer.json" { reply.body[17] ^= 1 } }
      let error = try #require(throws: FireflyError.self) { try ModelDownload(hub, in: folder).run() }
      #expect(error.place == "Org/Name: tokenizer.json")
    }
  }

  @Test func damagedRemainsOfAnEarlierTryAreFetchedAgain() throws {
    try inTemporaryFolder { folder in
      let hub = try hub { _, _ in }
      let download = try ModelDownload(hub, in: folder)
      try AtomicFile.makeFolder("\(download.cached)/blobs")
      try AtomicFile.write(Data(bytes(90_000, seed: 77)), to: incomplete(download))
      let path = try download.run()
      #expect(starts(hub) == [90_000, 0])
      #expect(try read("\(path)/model.safetensors") == weights)
      #expect(!FileManager.default.fileExists(atPath: incomplete(download)))
    }
  }

  @Test(arguments: [200_000, 300_000])
  func remainsThatAreWholeOrTooLongAreDealtWith(count: Int) throws {
    try inTemporaryFolder { folder in
      let hub = try hub { _, _ in }
      let download = try ModelDownload(hub, in: folder)
      try AtomicFile.makeFolder("\(download.cached)/blobs")
      let remains = count == weights.count ? weights : bytes(count, seed: 5)
      try AtomicFile.write(Data(remains), to: incomplete(download))
      let path = try download.run()
      #expect(starts(hub) == (count == weights.count ? [] : [0]))
      #expect(try read("\(path)/model.safetensors") == weights)
    }
  }

  @Test func moreBytesThanTheHubListsAreRefused() throws {
    try inTemporaryFolder { folder in
      let hub = try hub { _, reply in reply.body += [1, 2, 3] }
      let error = try #require(throws: FireflyError.self) { try ModelDownload(hub, in: folder).run() }
      #expect(error.what == "the file is not the one that the hub lists")
      #expect(error.place == "model.safetensors" && error.expected == "200000 bytes")
    }
  }

  @Test func fewerBytesThanTheHubListsAreAskedForAgain() throws {
    try inTemporaryFolder { folder in
      let hub = try hub { before, reply in if before == 0 { reply.body.removeLast(1000) } }
      let path = try ModelDownload(hub, in: folder).run()
      #expect(starts(hub) == [0, 199_000])
      #expect(try read("\(path)/model.safetensors") == weights)
    }
  }

  @Test func aBlobOfTheWrongSizeIsFetchedAgain() throws {
    try inTemporaryFolder { folder in
      let hub = try hub { _, _ in }
      let download = try ModelDownload(hub, in: folder)
      let path = try download.run()
      let blob = "\(download.cached)/blobs/\(HubHash.sha256(weights))"
      try AtomicFile.write(Data(weights[..<10]), to: blob)
      hub.forgetRequests()
      #expect(try download.run() == path)
      #expect(starts(hub) == [0])
      #expect(try read(blob) == weights)
    }
  }

  @Test func aFullDiskIsToldBeforeAnythingComes() throws {
    try inTemporaryFolder { folder in
      let hub = try hub { _, _ in }
      var download = try ModelDownload(hub, in: folder)
      try AtomicFile.makeFolder("\(download.cached)/blobs")
      try AtomicFile.write(Data(weights[..<150_000]), to: incomplete(download))
      let needed = 50_000 + 5000 + 2
      download.freeBytes = { _ in needed - 1 }
      let error = try #require(throws: FireflyError.self) { try download.run() }
      #expect(error.what == "the disk is too full for the model")
      #expect(error.expected == "\(Readable.bytes(needed)) free")
      #expect(hub.fetched.isEmpty)
      download.freeBytes = { _ in needed }
      #expect(try read(try download.run() + "/model.safetensors") == weights)
      #expect(starts(hub) == [150_000])
    }
  }

  // MARK: - Others at the same time

  @Test func whatAnotherProcessFetchesIsWaitedFor() throws {
    try inTemporaryFolder { folder in
      let hub = try hub { _, _ in }
      let download = try ModelDownload(hub, in: folder)
      let hash = HubHash.sha256(weights)
      let cache = HuggingFaceCache(root: download.settings.cacheFolder)
      var other = try FileLock(cache.lock(hash, of: modelName))
      #expect(other != nil)
      var waited = 0
      let path = try download.run(progress: {
        guard case .waiting(let path) = $0 else { return }
        waited += 1
        #expect(path == "model.safetensors")
        // The other is done.
        try? AtomicFile.write(Data(weights), to: cache.blob(hash, of: modelName))
        other = nil
      })
      #expect(waited == 1 && other == nil)
      #expect(starts(hub).isEmpty)
      #expect(try read("\(path)/model.safetensors") == weights)
    }
  }

  @Test func anotherProcessThatGivesUpLeavesItsPart() throws {
    try inTemporaryFolder { folder in
      let hub = try hub { _, _ in }
      let download = try ModelDownload(hub, in: folder)
      let hash = HubHash.sha256(weights)
      let cache = HuggingFaceCache(root: download.settings.cacheFolder)
      var other = try FileLock(cache.lock(hash, of: modelName))
      #expect(other != nil)
      let path = try download.run(progress: {
        guard case .waiting = $0 else { return }
        try? AtomicFile.write(Data(weights[..<123_456]), to: incomplete(download))
        other = nil
      })
      #expect(other == nil && starts(hub) == [123_456])
      #expect(try read("\(path)/model.safetensors") == weights)
    }
  }

  @Test func twoAtOnceFetchEachFileOnce() throws {
    try inTemporaryFolder { folder in
      let hub = try hub { _, reply in reply.manner = .dripping }
      let failures = Mutex<[String]>([])
      DispatchQueue.concurrentPerform(iterations: 3) { _ in
        do {
          let path = try ModelDownload(hub, in: folder).run()
          guard try read("\(path)/model.safetensors") == weights else { throw FireflyError("other bytes") }
        } catch {
          failures.withLock { $0.append("\(error)") }
        }
      }
      #expect(failures.withLock { $0 } == [])
      #expect(hub.fetched.map(\.path).sorted() == ["config.json", "model.safetensors", "tokenizer.json"])
    }
  }
}
