import Foundation

/// top-h (Baghaei Potraghloo et al., 2025), before top-k: of the hundred most likely tokens the first ones, as long as their terms of
/// these tokens' entropy do not add up to more than a share of it.
struct EntropyShare {
  /// The most tokens that are looked at, as in transformers.
  static let most = 100

  private let share: Double
  private let temperature: Double

  init(_ share: Double, temperature: Double) {
    self.share = share
    self.temperature = temperature
  }

  /// The logits of what is kept, at least the most likely token; the others' are -∞.
  ///
  /// - Parameters:
  ///   - logits: `[V]`
  ///   - largest: the `most` most likely tokens, the most likely first.
  func kept(_ logits: [Float], _ largest: [Int32]) -> [Float] {
    let ids = largest.filter { logits[Int($0)] > -.infinity }
    let top = Double(logits[Int(ids[0])])
    let weights = ids.map { exp((Double(logits[Int($0)]) - top) / temperature) }
    let total = weights.reduce(0, +)
    let terms = weights.map { $0 > 0 ? -$0 / total * log($0 / total) : 0 }
    let bound = share * terms.reduce(0, +)
    var kept = [Float](repeating: -.infinity, count: logits.count)
    var sum = 0.0
    for (place, id) in ids.enumerated() {
      sum += terms[place]
      guard place == 0 || sum <= bound else { break }
      kept[Int(id)] = logits[Int(id)]
    }
    return kept
  }
}
