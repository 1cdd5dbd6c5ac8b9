import Foundation

/// The learning rate's course: transformers' `lr_scheduler_type` with what it takes from `lr_scheduler_kwargs`.
///
/// All but `constant` rise over the warm-up, from 0 where nothing else is said. A least rate is a part of the peak.
public enum Schedule: Sendable, Equatable {
  /// The peak from the first step on, without a warm-up.
  case constant
  case constantWithWarmup
  /// In a line to 0.
  case linear
  /// By so many waves of a cosine; half a one ends at `least`. `rise` is that of `cosine_warmup_with_min_lr`.
  case cosine(waves: Double = 0.5, least: Double = 0, rise: CosineRise = .fromZero)
  /// By half a wave to 0, so many times.
  case cosineWithRestarts(cycles: Int = 1)
  /// To `least` by a power of what is left of the steps.
  case polynomial(power: Double = 1, least: Double)
  /// By 1/√steps, which are counted in `timescale`; without it in the warm-up, or without that in 10,000.
  case inverseSquareRoot(timescale: Int? = nil)
  case warmupStableDecay(WarmupStableDecay)

  /// How the rate rises in front of a cosine.
  public enum CosineRise: Sendable, Equatable {
    case fromZero
    /// From this part of the peak, so that even the first step moves something; nil: from one step's part. The fall is a step
    /// ahead of other cosines, so that the last step has the least rate.
    case from(Double?)
  }

  /// A rise, a plateau at the peak, and a fall.
  public struct WarmupStableDecay: Sendable, Equatable {
    /// The form of the rise or the fall.
    public enum Form: String, Sendable, CaseIterable {
      case linear, cosine
      /// The fall as 1 − √progress, the rise turned round.
      case root = "1-sqrt"
    }

    public var decaySteps: Int
    /// nil: all that warm-up and decay leave.
    public var stableSteps: Int?
    public var rise = Form.linear
    public var fall = Form.cosine
    /// Where the rise begins and the fall ends.
    public var least = 0.0
    /// Of a fall by a cosine.
    public var waves = 0.5

    public init(decaySteps: Int, stableSteps: Int? = nil) {
      self.decaySteps = decaySteps
      self.stableSteps = stableSteps
    }
  }

  /// The factor of the peak as a function of completed optimizer steps, as transformers computes it: with a warm-up the first
  /// update has a rate of 0.
  ///
  /// - Parameters:
  ///   - warmup: steps over which the factor rises from 0 to 1.
  ///   - total: optimizer steps of the run, at which it has come down.
  public func factor(warmup: Int = 0, total: Int) -> @Sendable (Int) -> Double {
    let rise: @Sendable (Int) -> Double = { Double($0) / Double(max(1, warmup)) }
    let progress: @Sendable (Int) -> Double = { Double($0 - warmup) / Double(max(1, total - warmup)) }
    func risingFirst(_ fall: @escaping @Sendable (Int) -> Double) -> @Sendable (Int) -> Double {
      { $0 < warmup ? rise($0) : fall($0) }
    }
    switch self {
    case .constant: return { _ in 1 }
    case .constantWithWarmup: return risingFirst { _ in 1 }
    case .linear: return risingFirst { max(0, 1 - progress($0)) }
    case .cosine(let waves, let least, .fromZero):
      return risingFirst { Schedule.cosine(progress($0), waves, least) }
    case .cosine(let waves, let least, .from(let first)):
      return { step in
        guard step < warmup else {
          return Schedule.cosine(progress(step + 1), waves, least)
        }
        guard let first else { return rise(step + 1) }
        return first + (1 - first) * Double(step) / Double(max(1, warmup - 1))
      }
    case .cosineWithRestarts(let cycles):
      return risingFirst {
        let progress = progress($0)
        return progress >= 1
          ? 0 : Schedule.cosine((Double(cycles) * progress).truncatingRemainder(dividingBy: 1), 0.5, 0)
      }
    case .polynomial(let power, let least):
      return risingFirst { (1 - least) * pow(max(0, 1 - progress($0)), power) + least }
    case .inverseSquareRoot(let timescale):
      let scale = timescale ?? (warmup > 0 ? warmup : 10_000)
      return risingFirst { 1 / (Double($0 + scale - warmup) / Double(scale)).squareRoot() }
    case .warmupStableDecay(let stages): return stages.factor(warmup: warmup, total: total)
    }
  }

  fileprivate static func cosine(_ progress: Double, _ waves: Double, _ least: Double) -> Double {
    let factor = 0.5 * (1 + cos(.pi * waves * 2 * progress))
    return max(0, factor * (1 - least) + least)
  }
}

extension Schedule.WarmupStableDecay {
  fileprivate func factor(warmup: Int, total: Int) -> @Sendable (Int) -> Double {
    let decayStart = warmup + (stableSteps ?? total - warmup - decaySteps)
    return { [self] step in
      if step < warmup {
        return atLeast(risen(Double(step) / Double(max(1, warmup))))
      } else if step < decayStart {
        return 1
      } else if step < decayStart + decaySteps {
        return atLeast(fallen(Double(step - decayStart) / Double(max(1, decaySteps))))
      } else {
        return least
      }
    }
  }

  private func atLeast(_ factor: Double) -> Double { max(0, factor * (1 - least) + least) }

  private func risen(_ progress: Double) -> Double {
    switch rise {
    case .linear: progress
    case .cosine: 0.5 * (1 - cos(.pi * progress))
    case .root: 1 - (1 - progress).squareRoot()
    }
  }

  private func fallen(_ progress: Double) -> Double {
    switch fall {
    case .linear: 1 - progress
    case .cosine: Schedule.cosine(progress, waves, 0)
    case .root: 1 - progress.squareRoot()
    }
  }
}

extension Schedule {
  var kind: ScheduleKind {
    switch self {
    case .constant: .constant
    case .constantWithWarmup: .constantWithWarmup
    case .linear: .linear
    case .cosine(_, let least, .fromZero): least == 0 ? .cosine : .cosineWithLeast
    case .cosine(_, _, .from): .cosineFromLeast
    case .cosineWithRestarts: .cosineWithRestarts
    case .polynomial: .polynomial
    case .inverseSquareRoot: .inverseSquareRoot
    case .warmupStableDecay: .warmupStableDecay
    }
  }

  /// Whether the rate of a step depends on how many steps there are in all, the warm-up given in steps.
  var dependsOnTotal: Bool {
    switch self {
    case .constant, .constantWithWarmup, .inverseSquareRoot: false
    case .linear, .cosine, .cosineWithRestarts, .polynomial: true
    case .warmupStableDecay(let stages): stages.stableSteps == nil
    }
  }
}
