import FireflyBase
import FireflyTensors
import FireflyTraining

/// How long a run takes on this machine, from what it computes and the machine's measured rates.
public struct RunEstimate: Sendable {
  /// What all steps take, and asking the reference before them, without loading and saving.
  public let seconds: Double
  public let secondsPerStep: Double

  // What `firefly bench` shows: products and attention as shares of the matrix rate, and what the rest costs.
  private static let matrixEfficiency = 0.92
  private static let attentionEfficiency = 0.57
  private static let decodedWeightsPerSecondAndThread = 5e9
  /// Memory traffic of norms, sums, activations, rotary and dropout per element of the residual stream and block.
  private static let bytesPerResidualElement = 350.0
  /// Value, gradient and both moments read and written, the copies renewed.
  private static let bytesPerUpdatedElement = 48.0

  public init(_ plan: RunPlan, matrixRate: Double, readRate: Double) {
    func seconds(_ work: StepWork) -> Double {
      work.matrices / (matrixRate * RunEstimate.matrixEfficiency)
        + work.attention / (matrixRate * RunEstimate.attentionEfficiency)
        + work.decodedWeights / (RunEstimate.decodedWeightsPerSecondAndThread * Double(Parallel.threads))
        + work.residualElements * RunEstimate.bytesPerResidualElement / readRate
    }
    let updated = Double(plan.steps * plan.trainableParameters)
    let steps = seconds(plan.work) + updated * RunEstimate.bytesPerUpdatedElement / readRate
    self.seconds = steps + (plan.referenceWork.map(seconds) ?? 0)
    secondsPerStep = steps / Double(max(1, plan.steps))
  }

  /// Measures the two rates first, which takes about two seconds.
  public init(_ plan: RunPlan) {
    self.init(
      plan, matrixRate: MachineLimits.matrixRate(plan.compute), readRate: MachineLimits.memoryRate())
  }
}
