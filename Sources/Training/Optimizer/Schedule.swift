import Foundation

extension ScheduleKind {
  /// The factor of the learning rate as a function of completed optimizer steps, as transformers computes it:
  /// with a warm-up the first update has a rate of 0.
  ///
  /// - Parameters:
  ///   - warmup: steps over which the factor rises from 0 to 1.
  ///   - total: optimizer steps of the run, where linear and cosine reach 0.
  public func factor(warmup: Int = 0, total: Int) -> @Sendable (Int) -> Double {
    let rise: @Sendable (Int) -> Double = { Double($0) / Double(max(1, warmup)) }
    let progress: @Sendable (Int) -> Double = { Double($0 - warmup) / Double(max(1, total - warmup)) }
    switch self {
    case .constant:
      return { _ in 1 }
    case .constantWithWarmup:
      return { $0 < warmup ? rise($0) : 1 }
    case .linear:
      return { $0 < warmup ? rise($0) : max(0, 1 - progress($0)) }
    case .cosine:
      return { $0 < warmup ? rise($0) : max(0, 0.5 * (1 + cos(.pi * progress($0)))) }
    }
  }
}
