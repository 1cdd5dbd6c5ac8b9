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
    /// The w of the experts' rows, one expert after another: `[T·k]` float32.
    let weights: Tensor
    let visits: [Visit]
    let shared: SharedVisit?
  }

  /// One expert's rows on their way through it.
  struct Visit {
    let expert: Int
    /// Where its weights stand among all.
    let places: Range<Int>
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
    let (output, routerSaved) = router.forward(routed, pass)
    let logits = output.floats  // the one read of a device in the forward pass
    let width = output.columns
    let routes = Routes(logits: MixtureOfExperts.columns(0..<options.count, of: logits, width), options)
    balance?.add(routes)

    let y = Tensor.zeros([x.rows, x.columns], .float32, on: x.device)
    let weights = Tensor(routes.weights.flatMap { $0 }, [routes.places.last?.upperBound ?? 0], on: x.device)
    let visits = routes.rows.indices.compactMap { visit($0, routes, weights, x, y, pass) }
    let gates = options.names.sharedGate.map { _ in
      MixtureOfExperts.columns(options.count..<width, of: logits, width).map { 1 / (1 + exp(-$0)) }
    }
    let sharedVisit = shared.map { visitShared($0, gates, x, y, pass) }
    let saved = Saved(
      router: routerSaved, routes: routes, weights: weights, visits: visits, shared: sharedVisit)
    return (y, saved)
  }

  /// y += w·f(x) of one expert's rows; nil where it has none.
  private func visit(
    _ expert: Int, _ routes: Routes, _ weights: Tensor, _ x: Matrix, _ y: Tensor, _ pass: Pass
  ) -> Visit? {
    let rows = routes.rows[expert]
    guard !rows.isEmpty else { return nil }
    let places = routes.places[expert]
    let gathered = experts[expert].input.makeInput(rows: rows.count)
    Ops.gatherRows(gathered, x, rows: rows)
    let (output, saved) = experts[expert].forward(gathered, pass)
    let weighted = output.converted(to: .float32)
    Ops.scaleRows(weighted.matrix, by: weights.slice(places))
    Ops.scatterAddRows(y.matrix, rows, weighted.matrix)
    return Visit(expert: expert, places: places, output: output, saved: saved)
  }

  /// y += σ(gate)·f(x), or f(x).
  private func visitShared(
    _ shared: FeedForward, _ gates: [Float]?, _ x: Matrix, _ y: Tensor, _ pass: Pass
  ) -> SharedVisit {
    let (output, saved) = shared.forward(x, pass)
    if let gates {
      let gated = output.converted(to: .float32)
      Ops.scaleRows(gated.matrix, by: Tensor(gates, [gates.count], on: x.device))
      Ops.add(y.matrix, gated.matrix)
    } else {
      Ops.add(y.matrix, output.matrix)
    }
    return SharedVisit(gates: gates, output: output, saved: saved)
  }

  // MARK: - Backward

  func backward(  // [T, C] float32 → [T, C] float32
    _ dy: Tensor, _ saved: Saved, _ pass: Pass, _ balance: BalanceLoss?
  ) -> Tensor {
    let dx = Tensor.zeros(dy.shape, .float32, on: dy.device)
    let gates = saved.shared?.gates
    // The gradients of all weights w and then of all gates: read together.
    let routed = saved.weights.count
    let dots = Tensor([routed + (gates?.count ?? 0)], .float32, on: dy.device)
    for visit in saved.visits { backward(visit, saved, dy, dx, dots.slice(visit.places), pass) }
    if let shared, let visit = saved.shared {
      backward(shared, visit, dy, dx, dots.slice(routed..<dots.count), pass)
    }
    let dLogits = logitGradient(saved.routes, gates, dots: dots.floats, balance)
    let dRouted = router.backward(
      Tensor(dLogits, [dy.rows, dLogits.count / dy.rows], on: dy.device).matrix, saved.router, pass)
    Ops.add(dx.matrix, dRouted.matrix)
    return dx
  }

  /// dx += the part of one expert's rows; dots gets the gradients of their weights.
  private func backward(
    _ visit: Visit, _ saved: Saved, _ dy: Tensor, _ dx: Tensor, _ dots: Tensor, _ pass: Pass
  ) {
    let rows = saved.routes.rows[visit.expert]
    let dOutput = Tensor([rows.count, dy.columns], .float32, on: dy.device)
    Ops.gatherRows(dOutput.matrix, dy.matrix, rows: rows)
    Ops.rowDots(dots, dOutput.matrix, visit.output.converted(to: .float32).matrix)
    Ops.scaleRows(dOutput.matrix, by: saved.weights.slice(visit.places))
    let dRows = experts[visit.expert].backward(dOutput, visit.saved, pass)
    Ops.scatterAddRows(dx.matrix, rows, dRows.matrix)
  }

  /// dx += the shared expert's part; dots gets the gradients of its gates, where it has any.
  private func backward(
    _ shared: FeedForward, _ visit: SharedVisit, _ dy: Tensor, _ dx: Tensor, _ dots: Tensor, _ pass: Pass
  ) {
    guard let gates = visit.gates else {
      Ops.add(dx.matrix, shared.backward(dy, visit.saved, pass).matrix)
      return
    }
    Ops.rowDots(dots, dy.matrix, visit.output.converted(to: .float32).matrix)
    let dOutput = dy.converted(to: .float32)
    Ops.scaleRows(dOutput.matrix, by: Tensor(gates, [gates.count], on: dy.device))
    Ops.add(dx.matrix, shared.backward(dOutput, visit.saved, pass).matrix)
  }

  /// The gradient of the router's outputs, `[T, E]` or with the gate's `[T, E + 1]`.
  private func logitGradient(
    _ routes: Routes, _ gates: [Float]?, dots: [Float], _ balance: BalanceLoss?
  ) -> [Float] {
    let dLogits = routes.logitGradient(
      dWeights: routes.places.map { Array(dots[$0]) }, dProbabilities: balance?.gradient(routes))
    guard let gates else { return dLogits }
    let dGates = zip(dots.suffix(gates.count), gates).map { $0 * $1 * (1 - $1) }
    return dGates.indices.flatMap { row in
      dLogits[row * options.count..<(row + 1) * options.count] + [dGates[row]]
    }
  }

  // MARK: - Small matrices

  /// Columns `range` of a matrix of `width` columns.
  private static func columns(_ range: Range<Int>, of values: [Float], _ width: Int) -> [Float] {
    if range.count == width { return values }
    return stride(from: 0, to: values.count, by: width).flatMap { row in
      values[row + range.lowerBound..<row + range.upperBound]
    }
  }
}
