import FireflyBase
import Foundation

extension Ranks {
  /// Joins the processes that a launcher started beside this one.
  ///
  /// - Returns: `alone` where there are none.
  /// - Throws: `FireflyError` where they cannot be reached.
  package static func join(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> Ranks {
    guard let launch = Launch(environment) else { return .alone() }
    let ranks = Ranks(try MPITransport(launch))
    try ranks.meet(processors: Processors.allowed, cores: Processors.threads)
    return ranks
  }

  /// Learns the others' machines, and takes this rank's share of the cores that it may use: those that other ranks of the
  /// machine may use too are shared with them.
  ///
  /// - Parameters:
  ///   - processors: those of this process, by their numbers.
  ///   - cores: how many of them it computes with alone.
  package func meet(processors: Set<Int>, cores: Int) throws {
    let own = [hosts[rank], processors.sorted().map(String.init).joined(separator: ",")]
    let all = try gather(texts: own)
    hosts = all.map { $0[0] }
    ranksOnHost = hosts.count { $0 == own[0] }
    let sharing = all.count { $0 == own }
    threads = max(1, cores / sharing)
  }

  /// One line on who takes part: `ranks: 4 on 2 machines (a 2, b 2), 28 threads here, of 56 processors`; nil for one.
  package func summary(threads: Int) -> String? {
    if isAlone { return nil }
    var counts: [(host: String, ranks: Int)] = []
    for host in hosts {
      if let index = counts.firstIndex(where: { $0.host == host }) {
        counts[index].ranks += 1
      } else {
        counts.append((host, 1))
      }
    }
    let places = counts.map { "\($0.host) \($0.ranks)" }.joined(separator: ", ")
    return "ranks: \(size) on \(counts.count == 1 ? "one machine" : "\(counts.count) machines") (\(places)), "
      + "\(threads) \(threads == 1 ? "thread" : "threads") here, of \(Processors.count) processors"
  }
}
