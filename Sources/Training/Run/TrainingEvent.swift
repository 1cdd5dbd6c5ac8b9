import Synchronization

/// What a run tells its caller while it goes on.
public enum TrainingEvent: Sendable {
  /// Something the user should know, once.
  case notice(String)
  /// Reading rows or weights: the share done, 0…1.
  case preparing(String, share: Double)
  /// All is read; the first step comes next.
  case started(RunPlan, from: Int)
  /// Micro-batches of the current step that are done.
  case microBatch(Int, of: Int)
  case step(StepReport)
  /// A log entry was made: every logging_steps.
  case logged(LogEntry)
  /// The share of eval_file's rows that are done.
  case evaluating(share: Double)
  case evaluated(EvaluationEntry)
  /// A checkpoint's folder.
  case saved(String)
  /// The last of a stream of events; `run` returns it instead.
  case ended(TrainingResult)
}

/// One optimizer step.
public struct StepReport: Sendable, Equatable {
  /// The step's number, from 1.
  public var step: Int
  public var totalSteps: Int
  public var epoch: Double
  /// The loss in nats per target token; of preference training the mean over pairs.
  public var loss: Double
  /// The gradients' norm before clipping.
  public var gradientNorm: Double
  /// The learning rate that the step used.
  public var learningRate: Double
  public var tokens: Int
  public var targets: Int
  /// Wall time of the step.
  public var seconds: Double
  package init(
    step: Int, totalSteps: Int, epoch: Double, loss: Double, gradientNorm: Double, learningRate: Double,
    tokens: Int, targets: Int, seconds: Double
  ) {
    self.step = step
    self.totalSteps = totalSteps
    self.epoch = epoch
    self.loss = loss
    self.gradientNorm = gradientNorm
    self.learningRate = learningRate
    self.tokens = tokens
    self.targets = targets
    self.seconds = seconds
  }
}

/// Asks a run, from any thread, to save and stop at the end of the step it is in.
public final class StopRequest: Sendable {
  private let asked = Atomic(false)

  public init() {}

  public func stop() { asked.store(true, ordering: .relaxed) }

  public var isAsked: Bool { asked.load(ordering: .relaxed) }
}
