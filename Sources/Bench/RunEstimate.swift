import FireflyTraining

/// How long a run takes on this machine, from what it computes and what a block of its model was measured to cost.
package struct RunEstimate: Sendable {
  /// What all steps take, and asking the reference before them, without loading and saving.
  package let seconds: Double
  package let secondsPerStep: Double
  /// Of it the ranks' exchange of gradients and values, as far as no computing hides it.
  package let wireSecondsPerStep: Double

  /// Measures a block first, which takes a second or two.
  ///
  /// - Parameter gigabits: what the network between ranks carries in a second, each way.
  package init(_ plan: RunPlan, gigabits: Double = 10) throws {
    let rates = try StepRates(plan.step)
    let computing = rates.seconds(plan.work) / Double(max(1, plan.steps) * plan.ranks)
    let backward = computing * plan.lastShare * RunEstimate.backwardShare
    let (gradients, values) = (Double(plan.wire.gradients), Double(plan.wire.values))
    let secondsPerByte = 8 / (gigabits * 1e9)
    self.init(
      plan.work, steps: plan.steps, parameters: plan.trainableParameters, reference: plan.referenceWork,
      rates,
      ranks: plan.ranks,
      wireSeconds: max(0, gradients * secondsPerByte - backward) + values * secondsPerByte)
  }

  /// Of a micro-batch's computing: with checkpointing a frozen matrix is multiplied by once forwards, and twice then.
  private static let backwardShare = 2.0 / 3

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
