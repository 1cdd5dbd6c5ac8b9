import CCard
import FireflyTensors

extension CardDevice {
  package func convert(_ out: Matrix, _ x: Matrix) {
    run("convert", card_convert(card, out.output, x.input, Int64(x.rows), Int64(x.columns)))
  }

  package func scale(_ x: Matrix, by factor: Float) {
    run("scale", card_scale(card, x.output, factor, Int64(x.rows), Int64(x.columns)))
  }

  package func softCap(_ x: Matrix, _ cap: Float) {
    run("softCap", card_soft_cap(card, x.output, cap, Int64(x.rows), Int64(x.columns)))
  }

  package func softCapGradient(_ dx: Matrix, y: Matrix, _ cap: Float) {
    run(
      "softCapGradient",
      card_soft_cap_gradient(card, dx.output, y.input, cap, Int64(dx.rows), Int64(dx.columns)))
  }

  package func scaleRows(_ x: Matrix, by factors: Tensor) {
    run("scaleRows", card_scale_rows(card, x.output, factors.float32, Int64(x.rows), Int64(x.columns)))
  }

  package func rowDots(_ dots: Tensor, _ a: Matrix, _ b: Matrix, heads: Int) {
    run(
      "rowDots",
      card_row_dots(
        card, dots.float32, Int64(a.rows), a.input, b.input, Int64(a.rows), Int64(heads),
        Int64(a.columns / heads)))
  }

  package func add(_ x: Matrix, _ y: Matrix) {
    run("add", card_add(card, x.output, y.input, Int64(x.rows), Int64(x.columns)))
  }

  package func addBias(_ y: Matrix, _ bias: Tensor) {
    run("addBias", card_add_bias(card, y.output, bias.float32, Int64(y.rows), Int64(y.columns)))
  }

  package func addColumnSums(_ sums: Tensor, _ y: Matrix) {
    run(
      "addColumnSums", card_add_column_sums(card, sums.float32, y.input, Int64(y.rows), Int64(y.columns)))
  }

  package func gatherRows(_ out: Matrix, _ x: Matrix, rows: [Int32]) {
    let indices = uploaded(rows)
    run(
      "gatherRows",
      card_gather_rows(
        card, out.output, x.input, indices.elements, Int64(rows.count), Int64(x.columns)))
    withExtendedLifetime(indices) {}
  }

  /// Each row of x that gets anything is one task, which adds what comes to it in order.
  package func scatterAddRows(_ x: Matrix, _ rows: [Int32], _ y: Matrix) {
    let plan = ScatterPlan(rows)
    let (targets, firsts) = (uploaded(plan.targets), uploaded(plan.firsts))
    let sources = uploaded(plan.sources)
    run(
      "scatterAddRows",
      card_scatter_add_rows(
        card, x.output, y.input, targets.elements, firsts.elements, sources.elements,
        Int64(plan.targets.count),
        Int64(x.columns)))
    withExtendedLifetime((targets, firsts, sources)) {}
  }
}

/// The rows that are added to, and which rows are added to each: those of target i are
/// sources[firsts[i] ..< firsts[i + 1]], ascending.
private struct ScatterPlan {
  var targets: [Int32] = []
  var firsts: [Int32] = []
  let sources: [Int32]

  /// - Parameter rows: where each source goes.
  init(_ rows: [Int32]) {
    sources = rows.indices.map(Int32.init).sorted { (rows[Int($0)], $0) < (rows[Int($1)], $1) }
    for (place, source) in sources.enumerated() where rows[Int(source)] != targets.last {
      targets.append(rows[Int(source)])
      firsts.append(Int32(place))
    }
    firsts.append(Int32(sources.count))
  }
}
