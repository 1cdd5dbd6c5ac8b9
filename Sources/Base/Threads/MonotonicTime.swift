import Foundation

/// A clock that never goes back, for measuring.
package enum MonotonicTime {
  /// Seconds since some moment.
  package static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
