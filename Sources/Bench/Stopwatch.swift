import FireflyBase

/// Measures wall time in seconds.
enum Stopwatch {
  static func time(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    return (ContinuousClock.now - start).seconds
  }

  static func middle(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
