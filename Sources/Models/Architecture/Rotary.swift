import FireflyTensors
import Foundation

/// Rotary position embedding (Su et al., 2021), with transformers' scalings.
///
/// Frequencies are computed in float32 in the order transformers does, so that the angles agree.
package struct Rotary: Equatable, Sendable {
  package var theta: Float
  /// Dimensions of a head that turn; the rest pass.
  package var dimensions: Int
  package var scaling: Scaling
  /// Which dimensions turn together: neighbours 2i and 2i + 1, or, as in transformers, i and i + dimensions/2.
  package var interleaved: Bool

  /// How queries grow with their positions; nil: they do not.
  package var queryGrowth: QueryGrowth?

  /// A query at position p is multiplied by 1 + β·ln(1 + ⌊p / original⌋) (Llama 4's scaling for long contexts).
  package struct QueryGrowth: Equatable, Sendable {
    package let beta: Float
    package let original: Int
  }

  package enum Scaling: Equatable, Sendable {
    case none
    /// Positions divided by `factor` (position interpolation, Chen et al., 2023).
    case linear(factor: Float)
    /// θ grows with the sequence once it is longer than `limit` positions (NTK-aware, as transformers does).
    case dynamic(factor: Float, limit: Float)
    /// LLaMA 3.1's: long wavelengths divided by `factor`, short ones kept, a ramp between.
    case llama3(factor: Float, low: Float, high: Float, original: Float)
    /// YaRN (Peng et al., 2023); `attention` multiplies cosine and sine. The ramp's ends are whole dimensions where `rounds`.
    case yarn(factor: Float, fast: Float, slow: Float, original: Float, attention: Float, rounds: Bool)
    /// LongRoPE (Ding et al., 2024): each frequency divided by its own factor, the `long` ones once the sequence is longer
    /// than `original`; `attention` multiplies cosine and sine.
    case long(short: [Float], long: [Float], original: Float, attention: Float)
  }

  init(theta: Float, dimensions: Int, scaling: Scaling = .none, interleaved: Bool = false) {
    self.theta = theta
    self.dimensions = dimensions
    self.scaling = scaling
    self.interleaved = interleaved
  }

  /// Whether YaRN's ramp is, in effect, where it is without `beta_fast` and `beta_slow`; true of other scalings.
  package var hasUsualRamp: Bool {
    guard case .yarn(let factor, _, _, let original, let attention, let rounds) = scaling else { return true }
    var usual = self
    usual.scaling = .yarn(
      factor: factor, fast: 32, slow: 1, original: original, attention: attention, rounds: rounds)
    return inverseFrequencies(length: 1) == usual.inverseFrequencies(length: 1)
  }

  /// Whether a longer sequence turns its first rows otherwise than a shorter one.
  var dependsOnLength: Bool {
    switch scaling {
    case .dynamic, .long: true
    case .none, .linear, .llama3, .yarn: false
    }
  }

  /// Inverse frequencies for a sequence of `length` positions, `[dimensions / 2]`, radians per position.
  func inverseFrequencies(length: Int) -> [Float] {
    let theta = effectiveTheta(length: length)
    let plain = stride(from: 0, to: dimensions, by: 2).map { 1 / powf(theta, Float($0) / Float(dimensions)) }
    switch scaling {
    case .none, .dynamic: return plain
    case .linear(let factor): return plain.map { $0 / factor }
    case .llama3(let factor, let low, let high, let original):
      return plain.map { frequency in
        let wavelength = 2 * Float.pi / frequency
        if wavelength < original / high { return frequency }
        if wavelength > original / low { return frequency / factor }
        let smooth = (original / wavelength - low) / (high - low)
        return (1 - smooth) * frequency / factor + smooth * frequency
      }
    case .yarn(let factor, let fast, let slow, let original, _, let rounds):
      let ends = yarnEnds(fast: fast, slow: slow, original: original, rounds: rounds)
      return yarnFrequencies(plain, factor: factor, from: ends.low, to: ends.high)
    case .long(let short, let long, let original, _):
      return zip(Float(length) > original ? long : short, plain).map { $1 / $0 }
    }
  }

  private func effectiveTheta(length: Int) -> Float {
    guard case .dynamic(let factor, let limit) = scaling, Float(length) > limit else { return theta }
    let size = Float(dimensions)
    return theta * powf(factor * Float(length) / limit - (factor - 1), size / (size - 2))
  }

  /// Between which dimensions the ramp is.
  private func yarnEnds(fast: Float, slow: Float, original: Float, rounds: Bool) -> (low: Float, high: Float)
  {
    // The dimension that turns `turns` times over the original context.
    func dimension(_ turns: Float) -> Float {
      Float(dimensions) * logf(original / (turns * 2 * .pi)) / (2 * logf(theta))
    }
    let (first, last) = (dimension(fast), dimension(slow))
    let low = max(rounds ? first.rounded(.down) : first, 0)
    let high = min(rounds ? last.rounded(.up) : last, Float(dimensions - 1))
    return (low, low == high ? high + 0.001 : high)
  }

  private func yarnFrequencies(
    _ plain: [Float], factor: Float, from low: Float, to high: Float
  ) -> [Float] {
    plain.enumerated().map { index, frequency in
      let ramp = min(max((Float(index) - low) / (high - low), 0), 1)
      return frequency / factor * ramp + frequency * (1 - ramp)
    }
  }

  /// What cosine and sine are multiplied by.
  private var attentionFactor: Float {
    switch scaling {
    case .yarn(_, _, _, _, let factor, _), .long(_, _, _, let factor): factor
    default: 1
    }
  }

  /// Cosine and sine of every row's angle, `[T, dimensions / 2]` float32 each, sequence after sequence.
  func tables(_ sequences: [Positions], on device: any Device) -> RotaryTables {
    let attention = attentionFactor
    var cosines: [Float] = []
    var sines: [Float] = []
    for sequence in sequences {
      let frequencies = inverseFrequencies(length: sequence.first + sequence.count)
      for position in sequence.first..<sequence.first + sequence.count {
        for frequency in frequencies {
          let angle = Float(position) * frequency
          cosines.append(cosf(angle) * attention)
          sines.append(sinf(angle) * attention)
        }
      }
    }
    let shape = [cosines.count / (dimensions / 2), dimensions / 2]
    return RotaryTables(
      cos: Tensor(cosines, shape, on: device), sin: Tensor(sines, shape, on: device),
      queryFactors: queryGrowth.map { Tensor($0.factors(sequences), [shape[0]], on: device) })
  }
}

/// A pass's angles, for each way in which some layers' heads turn.
struct Angles: Sendable {
  private let tables: [(rotary: Rotary, tables: RotaryTables)]

  init(_ rotaries: [Rotary], _ sequences: [Positions], on device: any Device) {
    tables = rotaries.map { ($0, $0.tables(sequences, on: device)) }
  }

  subscript(_ rotary: Rotary) -> RotaryTables {
    guard let found = tables.first(where: { $0.rotary == rotary }) else {
      preconditionFailure("the angles of another model")
    }
    return found.tables
  }
}

/// `count` rows of one sequence, the first standing at position `first`.
struct Positions {
  let first: Int
  let count: Int
}

/// One batch's angles.
struct RotaryTables: Sendable {
  let cos: Tensor  // [T, D/2]
  let sin: Tensor  // [T, D/2]
  /// What each row's query is multiplied by; nil: 1.
  let queryFactors: Tensor?  // [T]
}

extension Rotary.QueryGrowth {
  fileprivate func factors(_ sequences: [Positions]) -> [Float] {
    sequences.flatMap { sequence in
      (sequence.first..<sequence.first + sequence.count).map { 1 + beta * logf(1 + Float($0 / original)) }
    }
  }
}
