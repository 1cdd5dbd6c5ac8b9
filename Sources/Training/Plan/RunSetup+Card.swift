import FireflyBase
import FireflyCards

// What follows from the plan of a run on a card.

extension RunSetup {
  /// Paged moments lie in the card's memory too where the run fits so; otherwise the processor keeps and updates them.
  func placingOptimizer() throws -> RunSetup {
    guard device is CardDevice, config.optimizerMemory == .paged else { return self }
    var near = config
    near.optimizerMemory = .memory
    let needed = try MemoryPlan(ModelFacts(self), near).needed
    guard let limit = memoryLimit, needed > limit else { return changed(to: near) }
    return changed(
      to: config,
      notice: "the optimizer lies in the processor's memory: with it the run would take "
        + "\(Readable.bytes(needed)) of the card's, which has \(Readable.bytes(limit))")
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
