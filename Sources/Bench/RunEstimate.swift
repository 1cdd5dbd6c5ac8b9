import FireflyTraining

/// How long a run takes on this machine, from what it computes and what a block of its model was measured to cost.
package struct RunEstimate: Sendable {
  /// What all steps take, and asking the reference before them, without loading and saving.
  package let seconds: Double
  package let secondsPerStep: Double

  /// Measures a block first, which takes a second or two.
  package init(_ plan: RunPlan) throws {
    self.init(
      plan.work, steps: plan.steps, parameters: plan.trainableParameters, reference: plan.referenceWork,
      try StepRates(plan.step))
  }

  /// - Parameters:
  ///   - work: of all steps.
  ///   - parameters: updated in each step.
  ///   - reference: of asking the reference; nil where there is none.
  package init(
    _ work: StepWork, steps: Int, parameters: Int, reference: StepWork? = nil, _ rates: StepRates
  ) {
    let stepping = rates.seconds(work) + Double(steps * parameters) * rates.parameter
    seconds = stepping + (reference.map(rates.seconds) ?? 0)
    secondsPerStep = stepping / Double(max(1, steps))
  }
}
