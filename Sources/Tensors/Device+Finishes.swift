// How a product ends, by separate operations: for devices that do not end it in the product's own tasks.

extension Device {
  package func linear(
    _ y: Matrix, _ x: Matrix, parts: [LinearPart], low: [Matrix?], rowByRow: Bool, finish: LinearFinish
  ) {
    linearThenFinish(y, x, parts: parts, low: low, rowByRow: rowByRow, finish)
  }

  func linearThenFinish(
    _ y: Matrix, _ x: Matrix, parts: [LinearPart], low: [Matrix?], rowByRow: Bool, _ finish: LinearFinish
  ) {
    guard case .added(let residual, let factor) = finish else {
      linear(y, x, parts: parts, low: low, rowByRow: rowByRow)
      return self.finish(y, columns: 0..<y.columns, finish)
    }
    let result = Tensor([y.rows, y.columns], x.dtype, on: self).matrix  // [T, O] c
    linear(result, x, parts: parts, low: low, rowByRow: rowByRow)
    if factor != 1 { scale(result, by: factor) }
    convert(y, residual)
    add(y, result)
  }

  /// What comes of some columns of y beside it, or in their place; of a gate with its columns of up.
  func finish(_ y: Matrix, columns: Range<Int>, _ finish: LinearFinish) {
    switch finish {
    case .none, .added: break
    case .activated(let into, let activation):
      let own = columns.clamped(to: 0..<into.columns)
      let isGated = into.columns != y.columns
      activate(
        into.columns(own), y.columns(own), gating: isGated ? y.columns(own.shifted(by: into.columns)) : nil,
        activation)
    case .rotated(let count, let rotation):
      rotate(y.columns(columns.clamped(to: 0..<count)), rotation)
    }
  }

  func rotate(_ x: Matrix, _ rotation: Rotation) {
    rotate(
      x, headDim: rotation.headDim, rotaryDim: rotation.rotaryDim, cos: rotation.cos, sin: rotation.sin,
      turn: rotation.turn)
  }

  package func linearInputGradient(
    _ dx: Matrix, _ dy: Matrix, parts: [LinearPart], through pairs: LowRankGradient?,
    finish: InputGradientFinish
  ) {
    let inputs = parts[0].inputs
    let sum = finish.isSum(dx) ? dx : Tensor([dy.rows, inputs], .float32, on: self).matrix
    linearInputGradient(sum, dy, parts: parts, accumulate: false)
    if let pairs { add(pairs, to: sum) }
    if !finish.isSum(dx) { self.finish(dx, sum, columns: 0..<inputs, of: inputs, finish) }
  }

  /// What comes of the float32 sum of some columns.
  func finish(
    _ dx: Matrix, _ sum: Matrix, columns: Range<Int>, of inputs: Int, _ finish: InputGradientFinish
  ) {
    switch finish {
    case .none: convert(dx.columns(columns), sum)
    case .activation(let z, let activation):
      let up = z.columns == inputs ? nil : columns.shifted(by: inputs)
      activateGradient(
        dx.columns(columns), dUp: up.map { dx.columns($0) }, dy: sum, x: z.columns(columns),
        gating: up.map { z.columns($0) }, activation)
    }
  }

  /// sum += m ⊙ (dLow·A); with a mask the product is rounded to its type first.
  func add(_ pairs: LowRankGradient, to sum: Matrix) {  // [T, in] float32
    guard let bits = pairs.dropout else {
      return matmul(
        sum, pairs.low, pairs.a, transposeA: false, transposeB: false, accumulate: true, scale: 1)
    }
    let through = Tensor([sum.rows, sum.columns], pairs.low.dtype, on: self).matrix
    matmul(through, pairs.low, pairs.a, transposeA: false, transposeB: false, accumulate: false, scale: 1)
    addDropped(sum, through, bits)
  }

  package func matmulDropped(_ low: Matrix, _ x: Matrix, _ a: Matrix, _ bits: DropoutBits, scale: Float) {
    let dropped = Tensor([x.rows, x.columns], x.dtype, on: self).matrix
    dropout(dropped, x, bits)
    matmul(low, dropped, a, transposeA: false, transposeB: true, accumulate: false, scale: scale)
  }

  package func addMatmulDropped(_ dA: Matrix, _ dLow: Matrix, _ x: Matrix, _ bits: DropoutBits) {
    let dropped = Tensor([x.rows, x.columns], x.dtype, on: self).matrix
    dropout(dropped, x, bits)
    matmul(dA, dLow, dropped, transposeA: true, transposeB: false, accumulate: true, scale: 1)
  }
}

extension Device {
  package func lowRankGradients(_ steps: [LowRankStep]) { for step in steps { multiply(step) } }

  func multiply(_ step: LowRankStep) {
    matmul(
      step.dB, step.dy, step.low, transposeA: true, transposeB: false, accumulate: true, scale: 1)
    matmul(
      step.dLow, step.dy, step.b, transposeA: false, transposeB: false, accumulate: false, scale: step.scale)
  }
}

extension InputGradientFinish {
  /// Whether dx is the float32 sum itself.
  func isSum(_ dx: Matrix) -> Bool {
    if case .none = self { dx.dtype == .float32 } else { false }
  }
}

extension Range<Int> {
  func shifted(by offset: Int) -> Range<Int> { lowerBound + offset..<upperBound + offset }
}
