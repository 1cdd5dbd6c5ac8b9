/// The routers' auxiliary loss of one micro-batch: E·Σ_e f_e·P_e, with f_e the share of the rows that expert e gets and P_e
/// its mean probability. `Experts.Balance` says over which rows.
///
/// The forward pass of every layer adds its routes; after the last one `close` fixes the f, which the gradients need. What
/// a recomputation adds later is ignored. f is constant: only P has a gradient.
final class BalanceLoss {
  private let experts: Experts
  private let starts: [Int32]  // [S+1]
  /// Factor on the loss, and so on its gradients, in the total that is minimised.
  private let weight: Float
  private var isOpen = true
  /// Over all layers: how often each expert was chosen, and the sums of its probabilities.
  private var counts: [Double]
  private var sums: [Double]
  private var rows = 0.0
  /// Of losses that layers have on their own.
  private var ofLayers = 0.0

  init(_ experts: Experts, starts: [Int32], weight: Float) {
    self.experts = experts
    self.starts = starts
    self.weight = weight
    counts = [Double](repeating: 0, count: experts.count)
    sums = counts
  }

  private var coefficient: Double { Double(experts.balance.coefficient) }

  /// The loss with its coefficient.
  var value: Double {
    guard experts.balance.scope == .allLayers else { return coefficient * ofLayers }
    let products = zip(counts, sums).reduce(0) { $0 + $1.0 * $1.1 }
    return coefficient * Double(experts.count) * products / (rows * rows)
  }

  func close() { isOpen = false }

  /// One layer's routes, in the forward pass.
  func add(_ routes: Routes) {
    guard isOpen else { return }
    if experts.balance.scope == .allLayers {
      let all = tally(routes, 0..<routes.rowCount)
      for expert in counts.indices {
        counts[expert] += all.counts[expert]
        sums[expert] += all.sums[expert]
      }
      rows += Double(routes.rowCount)
      return
    }
    let parts = segments
    for part in parts {
      let own = tally(routes, part)
      let share = Double(experts.count) / Double(experts.perRow)
      let products = zip(own.counts, own.sums).reduce(0) { $0 + $1.0 * $1.1 }
      ofLayers += share * products / Double(part.count * part.count) / Double(parts.count)
    }
  }

  /// d(weight·loss) of a layer's probabilities, `[T, E]`.
  func gradient(_ routes: Routes) -> [Float] {
    var gradient = [Float](repeating: 0, count: routes.probabilities.count)
    func fill(_ part: Range<Int>, _ counts: [Double], _ factor: Double) {
      let values = counts.map { Float(Double(weight) * coefficient * factor * $0) }
      for row in part {
        for expert in values.indices { gradient[row * values.count + expert] = values[expert] }
      }
    }
    if experts.balance.scope == .allLayers {
      fill(0..<routes.rowCount, counts, Double(experts.count) / (rows * rows))
      return gradient
    }
    let parts = segments
    for part in parts {
      let share = Double(experts.count) / Double(experts.perRow)
      let factor = share / Double(part.count * part.count) / Double(parts.count)
      fill(part, tally(routes, part).counts, factor)
    }
    return gradient
  }

  /// Rows whose shares are compared, where layers are on their own.
  private var segments: [Range<Int>] {
    let bounds = experts.balance.scope == .sequence ? starts : [starts[0], starts[starts.count - 1]]
    return zip(bounds, bounds.dropFirst()).map { Int($0)..<Int($1) }
  }

  private func tally(_ routes: Routes, _ part: Range<Int>) -> (counts: [Double], sums: [Double]) {
    let counts = routes.rows.map { rows in Double(rows.count { part.contains(Int($0)) }) }
    var sums = [Double](repeating: 0, count: experts.count)
    for row in part {
      for expert in sums.indices {
        sums[expert] += Double(routes.probabilities[row * experts.count + expert])
      }
    }
    return (counts, sums)
  }
}
