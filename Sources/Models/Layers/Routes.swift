import Foundation

/// Which experts each row goes to, and how much of its result each gives: the router's part after its product.
///
/// p = softmax(logits) `[T, E]`; the k largest of a row are chosen, of all or of its groups', and w = s·p, or s·p / Σ p of the chosen.
struct Routes {
  let experts: Int
  /// p, `[T, E]`.
  let probabilities: [Float]
  /// To each expert its rows, ascending, and beside them their w.
  let rows: [[Int32]]
  let weights: [[Float]]
  /// Where each expert's rows stand when those of all experts are laid one after another.
  let places: [Range<Int>]
  /// What a row's probabilities were divided by, `[T]`; nil: by nothing.
  private let sums: [Float]?
  private let scale: Float

  var rowCount: Int { probabilities.count / experts }

  /// - Parameter logits: `[T, E]`
  init(logits: [Float], _ options: Experts) {
    let experts = options.count
    let probabilities = Routes.softmax(logits, experts)
    var rows = [[Int32]](repeating: [], count: experts)
    var weights = [[Float]](repeating: [], count: experts)
    var sums: [Float] = []
    for row in 0..<logits.count / experts {
      let own = probabilities[row * experts..<(row + 1) * experts]
      let places = options.groups.map { Routes.places(in: $0, of: own) } ?? Array(own.indices)
      let chosen = Routes.largest(options.perRow, of: own, among: places).map { $0 - own.startIndex }
      let sum = options.normalizesWeights ? chosen.reduce(0) { $0 + own[own.startIndex + $1] } : 1
      sums.append(sum)
      for expert in chosen {
        rows[expert].append(Int32(row))
        weights[expert].append(options.scale * own[own.startIndex + expert] / sum)
      }
    }
    self.experts = experts
    self.probabilities = probabilities
    self.rows = rows
    self.weights = weights
    var next = 0
    places = rows.map { rows in
      defer { next += rows.count }
      return next..<next + rows.count
    }
    self.sums = options.normalizesWeights ? sums : nil
    scale = options.scale
  }

  private static func softmax(_ logits: [Float], _ experts: Int) -> [Float] {
    var result = logits
    for start in stride(from: 0, to: logits.count, by: experts) {
      let row = start..<start + experts
      let largest = logits[row].reduce(-.infinity) { max($0, $1) }
      var sum: Float = 0
      for index in row {
        result[index] = exp(logits[index] - largest)
        sum += result[index]
      }
      for index in row { result[index] /= sum }
    }
    return result
  }

  /// Indices of the values that stand in one of the chosen groups, ascending.
  private static func places(in groups: Experts.Groups, of values: ArraySlice<Float>) -> [Int] {
    let size = values.count / groups.count
    let starts = (0..<groups.count).map { values.startIndex + $0 * size }
    let best = starts.map { values[$0..<$0 + size].reduce(-.infinity) { max($0, $1) } }
    let chosen = largest(groups.chosen, of: best[...], among: Array(best.indices)).sorted()
    return chosen.flatMap { starts[$0]..<starts[$0] + size }
  }

  /// Those of `indices` with the `count` largest values, the first of equal ones first.
  private static func largest(_ count: Int, of values: ArraySlice<Float>, among indices: [Int]) -> [Int] {
    var left = indices
    return (0..<count).map { _ in
      var best = 0
      for place in left.indices where values[left[place]] > values[left[best]] { best = place }
      return left.remove(at: best)
    }
  }

  /// The gradient of the logits, `[T, E]`.
  ///
  /// - Parameters:
  ///   - dWeights: of w, to each expert beside its rows.
  ///   - dProbabilities: what p's gradient has beside that, `[T, E]`; nil: nothing.
  func logitGradient(dWeights: [[Float]], dProbabilities: [Float]?) -> [Float] {
    var dp = dProbabilities ?? [Float](repeating: 0, count: probabilities.count)
    // w_i = s·p_i / Σ p: dp_i = (s·dw_i − Σ_j w_j·dw_j) / Σ p
    var shared = [Float](repeating: 0, count: rowCount)
    if sums != nil {
      for (expert, rows) in rows.enumerated() {
        for (place, row) in rows.enumerated() {
          shared[Int(row)] += weights[expert][place] * dWeights[expert][place]
        }
      }
    }
    for (expert, rows) in rows.enumerated() {
      for (place, row) in rows.enumerated() {
        let direct = scale * dWeights[expert][place] - shared[Int(row)]
        dp[Int(row) * experts + expert] += direct / (sums?[Int(row)] ?? 1)
      }
    }
    // dlogit_i = p_i·(dp_i − Σ_j p_j·dp_j)
    for start in stride(from: 0, to: dp.count, by: experts) {
      let row = start..<start + experts
      let mean = row.reduce(Float(0)) { $0 + probabilities[$1] * dp[$1] }
      for index in row { dp[index] = probabilities[index] * (dp[index] - mean) }
    }
    return dp
  }
}
