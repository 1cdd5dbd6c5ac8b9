import FireflyTensors

/// Causal grouped-query attention: q, k, v as one group of linears, then o.
struct Attention {
  let input: LinearGroup  // q, k, v: [T, C] → [T, H·D + 2·KV·D]
  let output: LinearGroup  // o: [T, H·D] → [T, C]
  let shape: AttentionShape
  let order: HeadOrder
  /// How queries and keys turn; nil when they do not.
  let rotary: Rotary?

  struct Saved {
    let input: LinearGroup.Saved
    let heads: HeadMatrices  // c, q and k rotated
    let attended: Matrix  // [T, H·D] c
    let logSums: Tensor  // [H, T], or of as many rows as branches lay out
    let output: LinearGroup.Saved
  }

  private var layout: HeadLayout { HeadLayout(shape: shape, order: order) }

  func forward(_ x: Matrix, _ batch: BatchContext) -> (y: Tensor, saved: Saved) {  // [T, C] → [T, C]
    let (heads, inputSaved) = projected(x, batch.rotary, batch.pass)
    let attended = output.makeInput(rows: x.rows)
    let logSums = attend(attended, heads, batch)
    let (y, outputSaved) = output.forward(attended, batch.pass)
    let saved = Saved(
      input: inputSaved, heads: heads, attended: attended, logSums: logSums, output: outputSaved)
    return (y, saved)
  }

  private func attend(_ out: Matrix, _ heads: HeadMatrices, _ batch: BatchContext) -> Tensor {
    if let branches = batch.branches { return branches.attention(out, heads, shape) }
    let logSums = Tensor([shape.heads, out.rows], .float32, on: out.device)
    Ops.attention(
      out, logSums: logSums, q: heads.q, k: heads.k, v: heads.v, starts: batch.starts, shape: shape)
    return logSums
  }

  /// q, k, v with q and k turned by their positions.
  private func projected(
    _ x: Matrix, _ tables: RotaryTables?, _ pass: Pass
  ) -> (HeadMatrices, LinearGroup.Saved) {
    let (y, saved) = input.forward(x, pass)
    let heads = layout.split(y)
    rotate(heads, tables, inverse: false)
    return (heads, saved)
  }

  private func rotate(_ heads: HeadMatrices, _ tables: RotaryTables?, inverse: Bool) {
    guard let rotary, let tables else { return }
    for x in [heads.q, heads.k] {
      Ops.rotate(
        x, headDim: shape.headDim, rotaryDim: rotary.dimensions, cos: tables.cos, sin: tables.sin,
        interleaved: rotary.interleaved, inverse: inverse)
    }
  }

  func backward(  // [T, C] float32 → [T, C] float32
    _ dy: Tensor, _ saved: Saved, _ batch: BatchContext, wantsInputGradient: Bool
  ) -> Tensor? {
    let dyCompute = dy.inType(input.compute)
    guard let dAttended = output.backward(dyCompute.matrix, saved.output, batch.pass) else {
      preconditionFailure("the output projection always passes a gradient on")
    }
    let dInput = Tensor([dy.rows, input.outputs], input.compute, on: dy.device)
    let gradients = layout.makeGradients(dInput)
    attentionGradient(gradients, dAttended.inType(input.compute).matrix, saved, batch)
    rotate(gradients, batch.rotary, inverse: true)
    layout.join(gradients, into: dInput)
    return input.backward(dInput.matrix, saved.input, batch.pass, wantsInputGradient: wantsInputGradient)
  }

  private func attentionGradient(
    _ gradients: HeadMatrices, _ dout: Matrix, _ saved: Saved, _ batch: BatchContext
  ) {
    let heads = saved.heads
    if let branches = batch.branches {
      return branches.attentionGradient(
        gradients, dout: dout, out: saved.attended, logSums: saved.logSums, heads, shape)
    }
    Ops.attentionGradient(
      dq: gradients.q, dk: gradients.k, dv: gradients.v, dout: dout, out: saved.attended,
      logSums: saved.logSums, q: heads.q, k: heads.k, v: heads.v, starts: batch.starts, shape: shape)
  }

  /// New rows of several sequences against their caches; their keys and values are appended.
  func step(_ x: Matrix, _ rows: [CachedRows], layer: Int, _ tables: RotaryTables?, _ pass: Pass) -> Tensor {
    let (heads, _) = projected(x, tables, pass)
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
