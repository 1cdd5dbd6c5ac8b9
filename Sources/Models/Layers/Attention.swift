import FireflyTensors

/// Causal grouped-query attention: q, k, v as one group of linears, then o.
struct Attention {
  let input: LinearGroup  // q, k, v: [T, C] → [T, H·D + 2·KV·D]
  let output: LinearGroup  // o: [T, H·D] → [T, C]
  let shape: AttentionShape
  let order: HeadOrder
  /// How queries and keys turn; nil when they do not.
  let rotary: Rotary?
  /// Of queries and keys; nil: there are none.
  let norms: HeadNorms?
  /// The shape's sinks where they are trained.
  let trainedSinks: Parameter?

  struct Saved {
    let input: LinearGroup.Saved
    let heads: HeadMatrices  // c, q and k normed and rotated
    let norms: HeadNorms.Saved?
    let attended: Matrix  // [T, H·D] c
    let logSums: Tensor  // [H, T], or of as many rows as branches lay out
    let output: LinearGroup.Saved
  }

  private var layout: HeadLayout { HeadLayout(shape: shape, order: order) }

  func forward(  // [T, C] → [T, C]
    _ x: Matrix, _ batch: BatchContext, finish: LinearFinish
  ) -> (y: Tensor, saved: Saved) {
    let (heads, normsSaved, inputSaved) = projected(x, batch.angles, batch.pass)
    let attended = output.makeInput(rows: x.rows)
    let logSums = attend(attended, heads, batch)
    let (y, outputSaved) = output.forward(attended, batch.pass, finish: finish)
    let saved = Saved(
      input: inputSaved, heads: heads, norms: normsSaved, attended: attended, logSums: logSums,
      output: outputSaved)
    return (y, saved)
  }

  private func attend(_ out: Matrix, _ heads: HeadMatrices, _ batch: BatchContext) -> Tensor {
    if let branches = batch.branches { return branches.attention(out, heads, shape) }
    let logSums = Tensor([shape.heads, out.rows], .float32, on: out.device)
    Ops.attention(
      out, logSums: logSums, q: heads.q, k: heads.k, v: heads.v, starts: batch.starts, shape: shape)
    return logSums
  }

  /// q, k, v with q and k normed and turned by their positions, in the family's order.
  private func projected(
    _ x: Matrix, _ angles: Angles, _ pass: Pass
  ) -> (HeadMatrices, HeadNorms.Saved?, LinearGroup.Saved) {
    let turn = turnWithin(angles)
    let (y, saved) = input.forward(x, pass, finish: turn)
    let heads = layout.split(y)
    if case .rotated = turn { return (heads, nil, saved) }
    let turnsFirst = norms?.followsRotation ?? false
    if turnsFirst { rotate(heads, angles, inverse: false) }
    let normsSaved = norms?.forward(heads)
    if !turnsFirst { rotate(heads, angles, inverse: false) }
    return (heads, normsSaved, saved)
  }

  /// The rotation where nothing stands between it and the projections, and q and k lie side by side in them.
  private func turnWithin(_ angles: Angles) -> LinearFinish {
    guard let rotary, norms == nil, order == .sideBySide, rotary.queryGrowth == nil else { return .none }
    let rotation = Rotation(
      headDim: shape.headDim, rotaryDim: rotary.dimensions, cos: angles[rotary].cos, sin: angles[rotary].sin,
      turn: RotaryTurn(interleaved: rotary.interleaved, inverse: false))
    return .rotated(columns: (shape.heads + shape.keyValueHeads) * shape.headDim, rotation)
  }

  /// The gradients of q and k as attention reads them become those of what the projections gave.
  private func projectedGradient(_ gradients: HeadMatrices, _ angles: Angles, _ saved: HeadNorms.Saved?) {
    let turnsFirst = norms?.followsRotation ?? false
    if !turnsFirst { rotate(gradients, angles, inverse: true) }
    if let norms, let saved { norms.backward(gradients, saved) }
    if turnsFirst { rotate(gradients, angles, inverse: true) }
  }

  private func rotate(_ heads: HeadMatrices, _ angles: Angles, inverse: Bool) {
    guard let rotary else { return }
    let tables = angles[rotary]
    for x in [heads.q, heads.k] {
      Ops.rotate(
        x, headDim: shape.headDim, rotaryDim: rotary.dimensions, cos: tables.cos, sin: tables.sin,
        interleaved: rotary.interleaved, inverse: inverse)
    }
    // In both directions the same: the factor does not depend on the query.
    if let factors = tables.queryFactors { Ops.scaleRows(heads.q, by: factors) }
  }

  func backward(  // [T, C] float32 → [T, C] float32
    _ dy: Tensor, _ saved: Saved, _ batch: BatchContext, wantsInputGradient: Bool
  ) -> Tensor? {
    let dyCompute = dy.inType(input.compute)
    let dAttended = output.backward(dyCompute.matrix, saved.output, batch.pass, in: input.compute)
    let dInput = Tensor([dy.rows, input.outputs], input.compute, on: dy.device)
    let gradients = layout.makeGradients(dInput)
    attentionGradient(gradients, dAttended.matrix, saved, batch)
    projectedGradient(gradients, batch.angles, saved.norms)
    layout.join(gradients, into: dInput)
    return input.backward(dInput.matrix, saved.input, batch.pass, wantsInputGradient: wantsInputGradient)
  }

  private func attentionGradient(
    _ gradients: HeadMatrices, _ dout: Matrix, _ saved: Saved, _ batch: BatchContext
  ) {
    let heads = saved.heads
    let dSinks = trainedSinks.map { _ in Tensor.zeros([shape.heads], .float32, on: dout.device) }
    if let branches = batch.branches {
      branches.attentionGradient(
        gradients, dSinks: dSinks, dout: dout, out: saved.attended, logSums: saved.logSums, heads, shape)
    } else {
      Ops.attentionGradient(
        dq: gradients.q, dk: gradients.k, dv: gradients.v, dSinks: dSinks, dout: dout, out: saved.attended,
        logSums: saved.logSums, q: heads.q, k: heads.k, v: heads.v, starts: batch.starts, shape: shape)
    }
    if let trainedSinks, let dSinks { trainedSinks.add(dSinks) }
  }

  /// New rows of several sequences against their caches; their keys and values are appended.
  func step(_ x: Matrix, _ rows: [CachedRows], layer: Int, _ angles: Angles, _ pass: Pass) -> Tensor {
    let (heads, _, _) = projected(x, angles, pass)
    let attended = output.makeInput(rows: x.rows)
    let sequences = rows.map { row in
      let total = row.past + row.range.count
      return CachedSequence(
        rows: row.range, keys: row.cache.rows(0, layer: layer, count: total),
        values: row.cache.rows(1, layer: layer, count: total))
    }
    Ops.attentionCached(
      attended, q: heads.q, adding: NewKeyValues(k: heads.k, v: heads.v), sequences: sequences, shape: shape)
    return output.forward(attended, pass).y
  }
}
