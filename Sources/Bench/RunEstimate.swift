import FireflyTraining

/// How long a run takes on this machine, from what it computes and what a block of its model was measured to cost.
package struct RunEstimate: Sendable {
  /// What all steps take, and asking the reference before them, without loading and saving.
  package let seconds: Double
  package let secondsPerStep: Double
  /// Of it the ranks' exchange of gradients and values, after the computing.
  package let wireSecondsPerStep: Double

  /// Measures a block first, which takes a second or two.
  ///
  /// - Parameter gigabits: what the network between ranks carries in a second, each way.
  package init(_ plan: RunPlan, gigabits: Double = 10) throws {
    self.init(
      plan.work, steps: plan.steps, parameters: plan.trainableParameters, reference: plan.referenceWork,
      try StepRates(plan.step), ranks: plan.ranks, wireSeconds: 8 * Double(plan.wireBytes) / (gigabits * 1e9))
  }

  /// - Parameters:
  ///   - work: of all steps.
  ///   - parameters: updated in each step.
  ///   - reference: of asking the reference; nil where there is none.
  ///   - ranks: processes that share all this.
  ///   - wireSeconds: what their exchange takes in each step.
  package init(
    _ work: StepWork, steps: Int, parameters: Int, reference: StepWork? = nil, _ rates: StepRates,
    ranks: Int = 1, wireSeconds: Double = 0
  ) {
    let computing = rates.seconds(work) + Double(steps * parameters) * rates.parameter
    let stepping = computing / Double(ranks) + Double(steps) * wireSeconds
    wireSecondsPerStep = wireSeconds
    seconds = stepping + (reference.map(rates.seconds) ?? 0) / Double(ranks)
    secondsPerStep = stepping / Double(max(1, steps))
  }
}
