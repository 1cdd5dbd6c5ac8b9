import FireflyBase
import FireflyCards

// What follows from the plan of a run on a card.

extension RunSetup {
  /// What is paged lies in the card's memory too where the run fits so; otherwise the processor keeps and updates the moments, and
  /// where that is not enough the master weights.
  func placingPaged() throws -> RunSetup {
    guard device is CardDevice else { return self }
    let facts = ModelFacts(self)
    var setup = self
    var near = config
    near.optimizerMemory = .memory
    near.full.masterWeights = .memory
    for step in PlacingStep.all where step.isPaged(config) {
      let needed = try MemoryPlan(facts, near).needed
      guard let limit = memoryLimit, needed > limit else { break }
      step.move(&near)
      setup = setup.changed(
        to: near, notice: step.notice(Readable.bytes(needed), Readable.bytes(limit)))
    }
    return setup.changed(to: near)
  }

  /// What the card says where its memory is used up after all.
  func adviseCard(_ plan: RunPlan) {
    guard let card = device as? CardDevice else { return }
    let (facts, config, needed) = (ModelFacts(self), config, plan.memoryBytes)
    card.adviseWhenFull {
      let advice = (try? RunAdvice(facts, config, limit: 0))?.lines ?? []
      return ["By its plan the run takes \(Readable.bytes(needed)). With"] + advice.map { "  " + $0 }
    }
  }
}

/// What can move from a card's memory to the processor's.
private struct PlacingStep {
  let isPaged: @Sendable (RunConfig) -> Bool
  let move: @Sendable (inout RunConfig) -> Void
  /// Of what the run would take without the step, and what the card has.
  let notice: @Sendable (_ needed: String, _ limit: String) -> String

  static let all = [
    PlacingStep(
      isPaged: { $0.optimizerMemory == .paged }, move: { $0.optimizerMemory = .paged },
      notice: {
        "the optimizer lies in the processor's memory: with it the run would take \($0) of the card's, which has \($1)"
      }),
    PlacingStep(
      isPaged: { $0.full.masterWeights == .paged }, move: { $0.full.masterWeights = .paged },
      notice: {
        "the master weights lie in the processor's memory: with them the run would take \($0) of the card's, which has \($1)"
      }),
  ]
}
