/// Problems to train on and problems to judge by; no sum of one occurs in the other, in either language.
package struct ProblemSet: Sendable {
  package var training: [Problem]
  package var heldOut: [Problem]

  /// About one sum in ten belongs to the held-out side, by a hash of the sum itself.
  ///
  /// - Parameter seed: the same seed gives the same problems everywhere.
  package init(seed: UInt64, training: Int = 5000, heldOut: Int = 200) {
    var random = SeededRandom(seed: seed)
    self.training = ProblemSet.draw(training, heldOut: false, &random)
    self.heldOut = ProblemSet.draw(heldOut, heldOut: true, &random)
  }

  /// Every family equally often, three English problems to two Chinese ones, no question twice.
  private static func draw(_ count: Int, heldOut: Bool, _ random: inout SeededRandom) -> [Problem] {
    var problems: [Problem] = []
    var seen: Set<String> = []
    while problems.count < count {
      let family = Family.all[problems.count % Family.all.count]
      let language: Language = problems.count / Family.all.count % 5 < 3 ? .english : .chinese
      var draw = Draw(language, SeededRandom(seed: random.next()))
      let problem = family.make(&draw)
      if isHeldOut(problem) == heldOut, seen.insert(problem.question).inserted { problems.append(problem) }
    }
    random.shuffle(&problems)
    return problems
  }

  private static func isHeldOut(_ problem: Problem) -> Bool {
    let hash = problem.key.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01B3
    }
    return SeededRandom.mix(hash) % 10 == 0
  }
}
