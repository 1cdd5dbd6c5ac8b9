import FireflyBase
import Foundation

/// Some ranks have not answered for too long: they are stopped, dead, or cut off.
package struct RankSilent: Error, CustomStringConvertible {
  package let ranks: [Int]
  /// The lowest rank that is there, which tells it.
  package let teller: Int
  package let description: String
}

/// Waits for messages, and finds out which rank is missing where one has waited for too long: who is there says so to all.
final class RollCall {
  let transport: any Transport
  var patience = 1800.0
  var hosts: [String]
  private let peers: [Int]
  private var presences: [any Transfer]?  // as peers; nil until there is something to wait for
  private let received: UnsafeMutableRawBufferPointer  // a byte a peer
  private let sent = UnsafeMutableRawBufferPointer.allocate(byteCount: 2, alignment: 1)

  /// Why a rank says that it is here: another one is missed, or its work is done.
  private enum Reason: UInt8 { case missing, leaving }

  init(_ transport: any Transport) {
    self.transport = transport
    hosts = [String](repeating: ProcessInfo.processInfo.hostName, count: transport.size)
    peers = (0..<transport.size).filter { $0 != transport.rank }
    received = .allocate(byteCount: peers.count, alignment: 1)
    for index in sent.indices { sent[index] = UInt8(index) }
  }

  func name(_ rank: Int) -> String {
    Set(hosts).count > 1 ? "rank \(rank) (\(hosts[rank]))" : "rank \(rank)"
  }

  /// Waits until all have come or gone.
  ///
  /// - Throws: `RankSilent` after `patience`, and where another rank has waited that long.
  func wait(for transfers: [any Transfer]) throws {
    var open = transfers
    var waited = Wakefulness()
    let presences = try expected()
    while true {
      open = try open.filter { try !$0.isDone() }
      if open.isEmpty { return }
      waited.pause()
      let isMissed = try waited.isTimeToLook && othersMiss(presences)
      if isMissed || waited.seconds > patience { throw try missing() }
    }
  }

  /// Says to all that this rank is here, and waits until all have said so.
  func answerAll() throws {
    try wait(for: try answer(.leaving) + expected())
    presences = nil
  }

  /// Says that this rank is here, and waits a little for the others to say the same.
  private func missing() throws -> RankSilent {
    _ = try answer(.missing)
    let (presences, grace) = (try expected(), min(30, max(1, patience / 4)))
    var waited = Wakefulness()
    while waited.seconds < grace, try presences.contains(where: { try !$0.isDone() }) { waited.pause() }
    let silent = try zip(peers, presences).filter { try !$1.isDone() }.map(\.0)
    let teller = (0..<transport.size).first { !silent.contains($0) } ?? transport.rank
    let long = Readable.duration(patience)
    guard !silent.isEmpty else {
      return RankSilent(
        ranks: [], teller: teller,
        description: "the ranks waited for each other for \(long): "
          + "the network between them carries small messages and no large ones")
    }
    let names = silent.map(name).joined(separator: ", ")
    return RankSilent(
      ranks: silent, teller: teller,
      description: "no answer from \(names) for \(long): stopped, dead, or cut off. "
        + "Look there; then go on with --resume. A higher ddp_timeout waits longer.")
  }

  /// What the others will say when they look for a missing rank, or at the end.
  private func expected() throws -> [any Transfer] {
    if let presences { return presences }
    let all = try peers.enumerated().map { index, peer in
      try transport.receive(.init(rebasing: received[index..<index + 1]), from: peer, tag: .presence)
    }
    presences = all
    return all
  }

  private func othersMiss(_ presences: [any Transfer]) throws -> Bool {
    try presences.indices.contains { index in
      try presences[index].isDone() && received[index] == Reason.missing.rawValue
    }
  }

  private func answer(_ reason: Reason) throws -> [any Transfer] {
    let byte = UnsafeRawBufferPointer(rebasing: sent[Int(reason.rawValue)..<Int(reason.rawValue) + 1])
    return try peers.map { try transport.send(byte, to: $0, tag: .presence) }
  }

  deinit {
    // Until the end the bytes are the transport's, and the process is about to end where it did not come.
    guard presences == nil else { return }
    received.deallocate()
    sent.deallocate()
  }
}

/// Waiting, and for how long.
private struct Wakefulness {
  /// Time since the beginning, without what this process was stopped of it.
  private(set) var seconds = 0.0
  private var last = ContinuousClock.now
  private var turns = 0

  /// Now and then there is time to look at something else.
  var isTimeToLook: Bool { turns % 64 == 0 }

  /// A moment, in which others may use the core; a short one at first.
  mutating func pause() {
    turns += 1
    if turns < 200 { sched_yield() } else { usleep(50) }
    let now = ContinuousClock.now
    seconds += min(1, (now - last).seconds)
    last = now
  }
}
