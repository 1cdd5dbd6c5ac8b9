import FireflyTraining

/// How long a run takes on this machine, from what it computes and what a block of its model was measured to cost.
public struct RunEstimate: Sendable {
  /// What all steps take, without loading and saving.
  public let seconds: Double
  public let secondsPerStep: Double

  /// Measures a block first, which takes a second or two.
  public init(_ plan: RunPlan) throws {
    self.init(
      plan.work, steps: plan.steps, parameters: plan.trainableParameters, try StepRates(plan.step))
  }

  /// - Parameters:
  ///   - work: of all steps.
  ///   - parameters: updated in each step.
  package init(_ work: StepWork, steps: Int, parameters: Int, _ rates: StepRates) {
    seconds =
      work.matrices / rates.matrices + work.attention / rates.attention
      + work.decodedWeights * rates.decoding + work.residualElements * rates.residual
      + work.logits * rates.logit + Double(steps * parameters) * rates.parameter
    secondsPerStep = seconds / Double(max(1, steps))
  }
}
