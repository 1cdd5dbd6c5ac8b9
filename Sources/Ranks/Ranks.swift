import FireflyBase
import Foundation

/// The processes that do one piece of work together, and this one's place among them.
///
/// Every rank calls the same functions in the same order. What they give is the same on all ranks, bit for bit, and the
/// same again with as many ranks: sums are taken in the ranks' order.
package final class Ranks {
  /// A process by itself. Its functions move nothing.
  package static func alone() -> Ranks { Ranks(Alone()) }

  private let rollCall: RollCall
  package let rank: Int
  package let size: Int
  /// Ranks on this one's machine, with it.
  package internal(set) var ranksOnHost = 1
  /// Threads for this rank, by the processors that it may use; nil where it is alone and has all of them.
  package internal(set) var threads: Int?
  /// The last error was thrown on all ranks.
  package internal(set) var failedTogether = false

  package init(_ transport: any Transport) {
    rollCall = RollCall(transport)
    rank = transport.rank
    size = transport.size
  }

  /// Seconds that a rank is waited for. Only what this process was awake of counts, so that one that was stopped and goes on
  /// does not take the others for lost.
  package var patience: Double {
    get { rollCall.patience }
    set { rollCall.patience = newValue }
  }

  /// The names of the ranks' machines; this one's alone until `meet`.
  package internal(set) var hosts: [String] {
    get { rollCall.hosts }
    set { rollCall.hosts = newValue }
  }

  /// This rank writes files and messages.
  package var isFirst: Bool { rank == 0 }
  package var isAlone: Bool { size == 1 }

  /// A rank by its number and, where there are several, its machine: `rank 2 (node7)`.
  package func name(_ rank: Int) -> String { rollCall.name(rank) }

  // MARK: - Messages

  /// Sends each rank its part, and receives from each so many elements; to be waited for later.
  package func start<Element: BitwiseCopyable>(
    _ parts: [[Element]], counts: [Int]
  ) throws -> Exchange<Element> {
    try Exchange(rollCall, parts, counts: counts)
  }

  /// What each rank has, on all of them.
  package func gather<Element: BitwiseCopyable>(_ own: [Element]) throws -> [[Element]] {
    let counts = try start([[Int]](repeating: [own.count], count: size), counts: ones).wait()
    return try start([[Element]](repeating: own, count: size), counts: counts.map { $0[0] }).wait()
  }

  /// As `gather`, of equally many elements on each rank.
  package func gather<Element: BitwiseCopyable>(equally own: [Element]) throws -> [[Element]] {
    try start(
      [[Element]](repeating: own, count: size), counts: [Int](repeating: own.count, count: size)
    ).wait()
  }

  private var ones: [Int] { [Int](repeating: 1, count: size) }

  // MARK: - The end

  /// Leaves the others, when all are here.
  package func close() throws {
    try rollCall.answerAll()
    rollCall.transport.close()
  }

  /// Ends all ranks; where the transport cannot, this one.
  package func abort(status: Int32) -> Never {
    rollCall.transport.abort(status: status)
    _exit(status)
  }
}

/// One process.
private final class Alone: Transport {
  let rank = 0
  let size = 1
  func send(_: UnsafeRawBufferPointer, to _: Int, tag _: Tag) -> any Transfer { nobody }
  func receive(_: UnsafeMutableRawBufferPointer, from _: Int, tag _: Tag) -> any Transfer { nobody }
  private var nobody: any Transfer { preconditionFailure("there is no other rank") }
  func abort(status _: Int32) {}
  func close() {}
}
