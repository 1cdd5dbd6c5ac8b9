import FireflyTensors
import Foundation

/// y = Σ w_e·f_e(x) over the experts that the router chooses for a row, plus those that every row goes through.
///
/// The router works in float32. An expert sees its rows gathered into one matrix; results are added in the experts' order,
/// whatever the number of threads.
struct MixtureOfExperts {
  let options: Experts
  /// [T, C] float32 → [T, E], or [T, E + 1] with the shared expert's gate.
  let router: LinearGroup
  let experts: [FeedForward]
  let shared: FeedForward?

  struct Saved {
    let router: LinearGroup.Saved
    let routes: Routes
    let visits: [Visit]
    let shared: SharedVisit?
  }

  /// One expert's rows on their way through it.
  struct Visit {
    let expert: Int
    let output: Tensor  // [n, C] c, before the weights
    let saved: FeedForward.Saved
  }

  struct SharedVisit {
    /// σ of the shared expert's gate, [T]; nil: it has none.
    let gates: [Float]?
    let output: Tensor  // [T, C] c
    let saved: FeedForward.Saved
  }

  /// Every linear group, the router first.
  var groups: [LinearGroup] {
    [router] + (experts + (shared.map { [$0] } ?? [])).flatMap { [$0.input, $0.output] }
  }

  // MARK: - Forward

  func forward(  // [T, C] c → [T, C] float32
    _ x: Matrix, _ pass: Pass, _ balance: BalanceLoss?
  ) -> (y: Tensor, saved: Saved) {
    let routed = router.makeInput(rows: x.rows)
    Ops.convert(routed, x)
    let (logits, routerSaved) = router.forward(routed, pass)
    let routes = Routes(logits: columns(0..<options.count, of: logits), options)
    balance?.add(routes)

    let y = Tensor.zeros([x.rows, x.columns], .float32)
    let visits = routes.rows.indices.compactMap { visit($0, routes, x, y, pass) }
    let sharedVisit = shared.map { visitShared($0, logits, x, y, pass) }
    return (y, Saved(router: routerSaved, routes: routes, visits: visits, shared: sharedVisit))
  }

  /// y += w·f(x) of one expert's rows; nil where it has none.
  private func visit(_ expert: Int, _ routes: Routes, _ x: Matrix, _ y: Tensor, _ pass: Pass) -> Visit? {
    let rows = routes.rows[expert]
    guard !rows.isEmpty else { return nil }
    let gathered = experts[expert].input.makeInput(rows: rows.count)
    Ops.gatherRows(gathered, x, rows: rows)
    let (output, saved) = experts[expert].forward(gathered, pass)
    let weighted = wide(output)
    Ops.scaleRows(weighted.matrix, by: routes.weights[expert])
    Ops.scatterAddRows(y.matrix, rows, weighted.matrix)
    return Visit(expert: expert, output: output, saved: saved)
  }

  /// y += σ(gate)·f(x), or f(x).
  private func visitShared(
    _ shared: FeedForward, _ logits: Tensor, _ x: Matrix, _ y: Tensor, _ pass: Pass
  ) -> SharedVisit {
    let (output, saved) = shared.forward(x, pass)
    guard options.names.sharedGate != nil else {
      Ops.add(y.matrix, output.matrix)
      return SharedVisit(gates: nil, output: output, saved: saved)
    }
    let gates = columns(options.count..<options.count + 1, of: logits).map { 1 / (1 + exp(-$0)) }
    let gated = wide(output)
    Ops.scaleRows(gated.matrix, by: gates)
    Ops.add(y.matrix, gated.matrix)
    return SharedVisit(gates: gates, output: output, saved: saved)
  }

  // MARK: - Backward

  func backward(  // [T, C] float32 → [T, C] float32
    _ dy: Tensor, _ saved: Saved, _ pass: Pass, _ balance: BalanceLoss?
  ) -> Tensor {
    let dx = Tensor.zeros(dy.shape, .float32)
    var dWeights = saved.routes.rows.map { [Float](repeating: 0, count: $0.count) }
    for visit in saved.visits {
      dWeights[visit.expert] = backward(visit, saved.routes, dy, dx, pass)
    }
    var dLogits = Tensor(
      saved.routes.logitGradient(dWeights: dWeights, dProbabilities: balance?.gradient(saved.routes)),
      [dy.rows, options.count])
    if let shared, let visit = saved.shared {
      let dGates = backward(shared, visit, dy, dx, pass)
      if let dGates { dLogits = beside(dLogits, dGates) }
    }
    guard let dRouted = router.backward(dLogits.matrix, saved.router, pass) else {
      preconditionFailure("the router always passes a gradient on")
    }
    Ops.add(dx.matrix, dRouted.matrix)
    return dx
  }

  /// dx += the part of one expert's rows; returns the gradients of their weights.
  private func backward(
    _ visit: Visit, _ routes: Routes, _ dy: Tensor, _ dx: Tensor, _ pass: Pass
  ) -> [Float] {
    let rows = routes.rows[visit.expert]
    let dOutput = Tensor([rows.count, dy.columns], .float32)
    Ops.gatherRows(dOutput.matrix, dy.matrix, rows: rows)
    let dWeights = Ops.rowDots(dOutput.matrix, wide(visit.output).matrix)
    Ops.scaleRows(dOutput.matrix, by: routes.weights[visit.expert])
    let dRows = experts[visit.expert].backward(dOutput, visit.saved, pass)
    Ops.scatterAddRows(dx.matrix, rows, dRows.matrix)
    return dWeights
  }

  /// dx += the shared expert's part; returns the gradients of its gates' logits.
  private func backward(
    _ shared: FeedForward, _ visit: SharedVisit, _ dy: Tensor, _ dx: Tensor, _ pass: Pass
  ) -> [Float]? {
    guard let gates = visit.gates else {
      Ops.add(dx.matrix, shared.backward(dy, visit.saved, pass).matrix)
      return nil
    }
    let dots = Ops.rowDots(dy.matrix, wide(visit.output).matrix)
    let dOutput = wide(dy)
    Ops.scaleRows(dOutput.matrix, by: gates)
    Ops.add(dx.matrix, shared.backward(dOutput, visit.saved, pass).matrix)
    return zip(dots, gates).map { $0 * $1 * (1 - $1) }
  }

  // MARK: - Small matrices

  /// A copy in float32.
  private func wide(_ x: Tensor) -> Tensor {
    let result = Tensor(x.shape, .float32)
    Ops.convert(result.matrix, x.matrix)
    return result
  }

  private func columns(_ range: Range<Int>, of x: Tensor) -> [Float] {  // [T, …] float32
    let part = Tensor([x.rows, range.count], .float32)
    Ops.convert(part.matrix, x.matrix.columns(range))
    return part.floats
  }

  /// [T, E] and [T] side by side.
  private func beside(_ x: Tensor, _ column: [Float]) -> Tensor {
    let result = Tensor([x.rows, x.columns + 1], .float32)
    Ops.convert(result.matrix.columns(0..<x.columns), x.matrix)
    Ops.convert(
      result.matrix.columns(x.columns..<x.columns + 1), Tensor(column, [column.count, 1]).matrix)
    return result
  }
}
