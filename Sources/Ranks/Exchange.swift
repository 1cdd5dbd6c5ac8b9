/// Messages to and from every other rank, under way together.
package final class Exchange<Element: BitwiseCopyable> {
  private let rollCall: RollCall
  private var outgoing: [UnsafeMutableBufferPointer<Element>] = []
  private var incoming: [UnsafeMutableBufferPointer<Element>]  // by rank
  private var transfers: [any Transfer] = []

  /// - Parameters:
  ///   - parts: what each rank gets; this one's own part is what it gets back.
  ///   - counts: elements that each rank sends here.
  init(_ rollCall: RollCall, _ parts: [[Element]], counts: [Int]) throws {
    self.rollCall = rollCall
    incoming = counts.map { .allocate(capacity: $0) }
    let transport = rollCall.transport
    let (own, size) = (transport.rank, transport.size)
    precondition(parts.count == size && parts[own].count == counts[own], "a part for each rank")
    _ = incoming[own].update(fromContentsOf: parts[own])
    // Each begins with its neighbour, so that not all send to the same one.
    for distance in 1..<max(1, size) {
      let (to, from) = ((own + distance) % size, (own - distance + size) % size)
      if counts[from] > 0 {
        transfers.append(try transport.receive(.init(incoming[from]), from: from, tag: .data))
      }
      if !parts[to].isEmpty {
        let part = UnsafeMutableBufferPointer<Element>.allocate(capacity: parts[to].count)
        _ = part.update(fromContentsOf: parts[to])
        outgoing.append(part)
        transfers.append(try transport.send(.init(part), to: to, tag: .data))
      }
    }
  }

  /// Whether all has come and gone; asking also moves it on.
  package func isDone() throws -> Bool {
    transfers = try transfers.filter { try !$0.isDone() }
    return transfers.isEmpty
  }

  /// What came, by rank.
  ///
  /// - Throws: `RankSilent`.
  package func wait() throws -> [[Element]] {
    try rollCall.wait(for: transfers)
    transfers = []
    return incoming.map { Array($0) }
  }

  deinit {
    // What is still under way is the transport's; the process is about to end then.
    guard transfers.isEmpty else { return }
    for part in outgoing + incoming { part.deallocate() }
  }
}
