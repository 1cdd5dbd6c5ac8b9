import FireflyBase
import FireflyRanks
import Foundation

/// What a verb does together with the processes that mpirun or srun started beside this one, and how all of them end.
enum Together {
  /// Runs `body` on every rank.
  ///
  /// - Returns: after all have returned. An error that all ranks have is told once; one that this rank alone has ends them
  ///   all.
  static func run(_ body: (Ranks) throws -> Void) throws {
    let ranks = try join()
    if ranks.isAlone {
      try body(ranks)
      return try ranks.close()
    }
    if let threads = ranks.threads, try Parallel.threadsFromEnvironment() == nil {
      Parallel.threads = threads
    }
    do {
      try body(ranks)
      try ranks.close()
    } catch let silent as RankSilent {
      if ranks.rank == silent.teller { Messages.failure(silent) } else { sleep(5) }
      ranks.abort(status: 1)
    } catch {
      guard ranks.failedTogether else {
        Messages.failure(ranks.named(error))
        ranks.abort(status: 1)
      }
      if ranks.isFirst { Messages.failure(error) }
      try? ranks.close()
      exit(1)
    }
  }

  private static func join() throws -> Ranks {
    do {
      return try Ranks.join()
    } catch {
      // All fail alike, and cannot tell each other.
      guard Launch(ProcessInfo.processInfo.environment)?.rank ?? 0 == 0 else { exit(1) }
      throw error
    }
  }
}
