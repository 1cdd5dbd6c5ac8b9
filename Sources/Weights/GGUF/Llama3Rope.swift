import Foundation

/// Llama 3.1's rotary scaling: long wavelengths are divided by `factor`, short ones kept, those between interpolated.
/// GGUF files keep the divisors. Source: rope_type "llama3" of transformers.
package struct Llama3Rope {
  /// GGUF's name of the divisors.
  package static let tensorName = "rope_freqs.weight"

  let factor: Double
  /// A wavelength is long when fewer than `low` of them make the original length, short when more than `high` do.
  let low: Double
  let high: Double
  let originalLength: Double
  let theta: Double
  let headDim: Int

  package init(
    factor: Double, low: Double, high: Double, originalLength: Double, theta: Double, headDim: Int
  ) {
    self.factor = factor
    self.low = low
    self.high = high
    self.originalLength = originalLength
    self.theta = theta
    self.headDim = headDim
  }

  /// The rule that gives `divisors`, if any with the bounds of all published models does: its factor is the largest, and
  /// one that is interpolated tells the original length.
  init(divisors: [Double], theta: Double, headDim: Int) {
    let (low, high) = (1.0, 4.0)
    let factor = divisors.max() ?? 1
    let between = divisors.enumerated().first { $0.element > 1 && $0.element < factor }
    let length = between.map { index, divisor in
      let smooth = (1 / divisor - 1 / factor) / (1 - 1 / factor)
      return ((low + smooth * (high - low)) * Llama3Rope.wavelength(index, theta, headDim)).rounded()
    }
    self.init(
      factor: factor, low: low, high: high,
      originalLength: length.flatMap { Int32(exactly: $0) }.map(Double.init) ?? 8192, theta: theta,
      headDim: headDim)
  }

  private static func wavelength(_ index: Int, _ theta: Double, _ headDim: Int) -> Double {
    2 * Double.pi * pow(theta, Double(2 * index) / Double(headDim))
  }

  /// What each of the headDim / 2 frequencies is divided by.
  package var divisors: [Double] {
    (0..<headDim / 2).map { index in
      let turns = originalLength / Llama3Rope.wavelength(index, theta, headDim)
      if turns > high { return 1 }
      if turns < low { return factor }
      let smooth = (turns - low) / (high - low)
      return 1 / ((1 - smooth) / factor + smooth)
    }
  }
}
