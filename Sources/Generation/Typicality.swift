import Foundation

/// The cuts that look at a distribution's entropy or at probabilities as such, after top-k, top-p and min-p: locally typical
/// sampling (Meister et al., 2022), then epsilon and eta sampling (Hewitt et al., 2022), in transformers' order.
struct Typicality {
  private let options: SamplingOptions

  init(_ options: SamplingOptions) { self.options = options }

  /// Whether it may leave anything out.
  var cuts: Bool { options.typicalP < 1 || options.epsilonCutoff > 0 || options.etaCutoff > 0 }

  /// - Parameter weights: of the candidates, in proportion to their probabilities, the largest first.
  /// - Returns: the indices of those that are kept, ascending; at least one.
  func kept(_ weights: [Double]) -> [Int] {
    var kept = Array(weights.indices)
    if options.typicalP < 1 { kept = typical(kept, weights) }
    if options.epsilonCutoff > 0 {
      kept = cut(kept, weights) { _ in options.epsilonCutoff }
    }
    if options.etaCutoff > 0 {
      let epsilon = options.etaCutoff
      kept = cut(kept, weights) { min(epsilon, epsilon.squareRoot() * exp(-entropy($0))) }
    }
    return kept
  }

  /// Those whose surprise is nearest to the mean one, until their probabilities reach `typicalP`.
  private func typical(_ kept: [Int], _ weights: [Double]) -> [Int] {
    let probabilities = shares(kept, weights)
    let mean = entropy(probabilities)
    let surprises = probabilities.map { -log($0) }  // rising
    let distances = surprises.map { abs($0 - mean) }
    // What is nearest stands around the mean; from there on to both sides.
    var right = surprises.firstIndex { $0 > mean } ?? surprises.count
    var left = right - 1
    var sum = 0.0
    var farthest = 0.0
    while sum < options.typicalP, left >= 0 || right < distances.count {
      let isLeft = left >= 0 && (right == distances.count || distances[left] <= distances[right])
      let place = isLeft ? left : right
      if isLeft { left -= 1 } else { right += 1 }
      farthest = distances[place]
      sum += probabilities[place]
    }
    return kept.indices.filter { distances[$0] <= farthest }.map { kept[$0] }
  }

  /// Those whose probabilities reach a bound that may depend on all of them; and the most likely ones.
  private func cut(_ kept: [Int], _ weights: [Double], _ bound: ([Double]) -> Double) -> [Int] {
    let probabilities = shares(kept, weights)
    let (least, best) = (bound(probabilities), probabilities.max() ?? 0)
    return kept.indices.filter { probabilities[$0] >= least || probabilities[$0] == best }.map { kept[$0] }
  }

  private func shares(_ kept: [Int], _ weights: [Double]) -> [Double] {
    let total = kept.reduce(0) { $0 + weights[$1] }
    return kept.map { weights[$0] / total }
  }

  /// In nats.
  private func entropy(_ probabilities: [Double]) -> Double {
    probabilities.reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
  }
}
