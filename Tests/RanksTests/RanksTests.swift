import FireflyBase
import FireflyDoubles
import FireflyRanks
import Foundation
import Testing

@Suite struct RanksTests {
  /// What all ranks gave, each on its thread.
  private func values<Value: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Ranks) throws -> Value
  ) throws -> [Value] {
    try LocalRanks.run(count, body).map { try $0.get() }
  }

  @Test(arguments: 1...4) func everyRankGetsTheSame(_ count: Int) throws {
    // Sums that depend on the order of additions.
    let numbers = [1e16, 1, -1e16, 1]
    let sums = try values(count) { try $0.sum([numbers[$0.rank], Double($0.rank)]) }
    let expected = numbers[..<count].reduce(0, +)
    #expect(sums.allSatisfy { $0 == [expected, Double(count * (count - 1) / 2)] }, "\(sums)")
    let texts = try values(count) { ranks in
      try ranks.gather(texts: [String](repeating: "é\(ranks.rank)", count: ranks.rank))
    }
    let each = (0..<count).map { [String](repeating: "é\($0)", count: $0) }
    #expect(texts.allSatisfy { $0 == each })
    #expect(try values(count) { try $0.broadcast([$0.rank + 7]) }.allSatisfy { $0 == [7] })
    #expect(try values(count) { try $0.any($0.rank == count - 1) }.allSatisfy { $0 })
    #expect(try values(count) { try $0.any(false) }.allSatisfy { !$0 })
  }

  /// Several exchanges under way are not mixed up.
  @Test func exchangesOverlap() throws {
    let results = try values(3) { ranks in
      let pending = try (0..<5).map { round in
        try ranks.start(
          (0..<3).map { to in [Int](repeating: 100 * round + 10 * ranks.rank + to, count: to) },
          counts: [Int](repeating: ranks.rank, count: 3))
      }
      return try pending.map { try $0.wait() }
    }
    for (rank, rounds) in results.enumerated() {
      for (round, parts) in rounds.enumerated() {
        #expect(
          parts == (0..<3).map { [Int](repeating: 100 * round + 10 * $0 + rank, count: rank) })
      }
    }
  }

  @Test func anErrorOfOneRankIsThrownOnAll() throws {
    let results = LocalRanks.run(3) { ranks in
      try ranks.agree {
        if ranks.rank == 1 { throw FireflyError("no such file", at: "rows.jsonl", fix: "Copy it.") }
        if ranks.rank == 2 { throw FireflyError("another") }
      }
    }
    for (rank, result) in results.enumerated() {
      #expect(throws: FireflyError.self) { try result.get() }
      guard case .failure(let error as FireflyError) = result else { continue }
      // The rank that has it may say it as it is; the others name the rank.
      let place = rank == 1 ? "rows.jsonl" : "rank 1: rows.jsonl"
      #expect(error == FireflyError("no such file", at: place, fix: "Copy it."), "rank \(rank)")
    }
    #expect(try values(3) { ranks in try ranks.agree { ranks.rank } } == [0, 1, 2])
  }

  @Test func whatDiffersIsNamed() throws {
    for result in LocalRanks.run(
      3,
      { ranks in
        try ranks.requireEqual([("seed", "42"), ("learning_rate", ranks.rank == 2 ? "0.1" : "0.2")])
        return 0
      })
    {
      let error = #expect(throws: FireflyError.self) { try result.get() }
      #expect(error?.what == "the ranks do not have the same learning_rate")
      #expect(error?.place == "rank 2" && error?.found == "0.1")
    }
  }

  /// Other settings may have other keys.
  @Test func whatIsMissingIsNamed() throws {
    for result in LocalRanks.run(
      2,
      { ranks in
        try ranks.requireEqual([("seed", "42")] + (ranks.rank == 1 ? [("lora_rank", "8")] : []))
        return 0
      })
    {
      let error = #expect(throws: FireflyError.self) { try result.get() }
      #expect(error?.what == "the ranks do not have the same lora_rank")
      #expect(error?.expected == "none as rank 0 has" && error?.found == "8")
    }
  }

  /// A rank that does nothing is named by all who wait, and told by the lowest of them.
  @Test(arguments: 0..<3) func aSilentRankIsNamed(_ silent: Int) throws {
    let results = LocalRanks.run(3, patience: 0.3) { ranks in
      ranks.rank == silent ? [] : try ranks.sum([1])
    }
    for (rank, result) in results.enumerated() where rank != silent {
      let error = #expect(throws: RankSilent.self) { try result.get() }
      #expect(error?.ranks == [silent] && error?.teller == (silent == 0 ? 1 : 0))
      #expect(error?.description.hasPrefix("no answer from rank \(silent) for") == true)
    }
  }

  @Test func aRankByItselfNeedsNobody() throws {
    let ranks = Ranks.alone()
    #expect(try ranks.sum([1, 2]) == [1, 2] && ranks.gather(texts: ["a"]) == [["a"]])
    #expect(ranks.isFirst && ranks.isAlone && ranks.summary(threads: 1) == nil)
    try ranks.close()
  }

  @Test func closingWaitsForAll() throws {
    #expect(
      try values(3) { ranks in
        _ = try ranks.sum([1])
        try ranks.close()
        return ranks.rank
      } == [0, 1, 2])
  }

  /// Who leaves early is not taken for one that looks for the others.
  @Test func aRankThatLeavesEarlyEndsNothing() throws {
    let isLeaving = DispatchSemaphore(value: 0)
    let results = try values(3) { ranks in
      // Rank 1 needs nothing of rank 2, which comes when rank 1 goes.
      if ranks.rank == 2 {
        isLeaving.wait()
        for _ in 0..<10_000 { sched_yield() }
      }
      let counts = ranks.rank == 1 ? [1, 1, 0] : [1, 1, 1]
      let parts = (0..<3).map { ranks.rank == 2 && $0 == 1 ? [] : [ranks.rank] }
      let got = try ranks.start(parts, counts: counts).wait()
      if ranks.rank == 1 { isLeaving.signal() }
      try ranks.close()
      return got
    }
    #expect(results == [[[0], [1], [2]], [[0], [1], []], [[0], [1], [2]]])
  }

  @Test func ranksOfAMachineShareItsProcessors() throws {
    let together = try values(3) { ranks in
      let processors: Set<Int> = ranks.rank == 2 ? [4] : [0, 1, 2]
      try ranks.meet(processors: processors, cores: processors.count)
      return (ranks.threads ?? 0, ranks.ranksOnHost)
    }
    #expect(together.map(\.0) == [1, 1, 1] && together.map(\.1) == [3, 3, 3])
    let apart = try values(2) { ranks in
      try ranks.meet(processors: ranks.rank == 0 ? [0, 1] : [2, 3], cores: 2)
      return ranks.threads ?? 0
    }
    #expect(apart == [2, 2])
  }
}
