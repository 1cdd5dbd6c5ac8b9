import FireflyTensors

/// Causal grouped-query attention with rotary positions: q, k, v as one group of linears, then o.
struct Attention {
  let input: LinearGroup  // q, k, v: [T, C] → [T, H·D + 2·KV·D]
  let output: LinearGroup  // o: [T, H·D] → [T, C]
  let shape: AttentionShape
  let rotaryDimensions: Int

  struct Saved {
    let input: LinearGroup.Saved
    let queryKeyValue: Tensor  // [T, H·D + 2·KV·D] c, rotated
    let attended: Matrix  // [T, H·D] c
    let logSums: Tensor  // [H, T]
    let output: LinearGroup.Saved
  }

  private var queryColumns: Range<Int> { input.columns(0) }
  private var keyColumns: Range<Int> { input.columns(1) }
  private var valueColumns: Range<Int> { input.columns(2) }

  func forward(_ x: Matrix, _ batch: BatchContext) -> (y: Tensor, saved: Saved) {  // [T, C] → [T, C]
    let (qkv, inputSaved) = projected(x, batch.rotary, batch.pass)
    let attended = output.makeInput(rows: x.rows)
    let logSums = Tensor([shape.heads, x.rows], .float32)
    Ops.attention(
      attended, logSums: logSums, q: qkv.matrix.columns(queryColumns), k: qkv.matrix.columns(keyColumns),
      v: qkv.matrix.columns(valueColumns), starts: batch.starts, shape: shape)
    let (y, outputSaved) = output.forward(attended, batch.pass)
    let saved = Saved(
      input: inputSaved, queryKeyValue: qkv, attended: attended, logSums: logSums, output: outputSaved)
    return (y, saved)
  }

  /// q, k, v with q and k turned by their positions.
  private func projected(
    _ x: Matrix, _ rotary: RotaryTables, _ pass: Pass
  ) -> (Tensor, LinearGroup.Saved) {
    let (qkv, saved) = input.forward(x, pass)
    rotate(qkv.matrix, rotary, inverse: false)
    return (qkv, saved)
  }

  private func rotate(_ qkv: Matrix, _ rotary: RotaryTables, inverse: Bool) {
    let turned = qkv.columns(0..<keyColumns.upperBound)  // q and k lie side by side
    Ops.rotate(
      turned, headDim: shape.headDim, rotaryDim: rotaryDimensions, cos: rotary.cos, sin: rotary.sin,
      inverse: inverse)
  }

  func backward(  // [T, C] float32 → [T, C] float32
    _ dy: Tensor, _ saved: Saved, _ batch: BatchContext, wantsInputGradient: Bool
  ) -> Tensor? {
    let dyCompute = converted(dy)
    guard let dAttended = output.backward(dyCompute.matrix, saved.output, batch.pass) else {
      preconditionFailure("the output projection always passes a gradient on")
    }
    let qkv = saved.queryKeyValue.matrix
    let dqkv = Tensor(saved.queryKeyValue.shape, input.compute)
    Ops.attentionGradient(
      dq: dqkv.matrix.columns(queryColumns), dk: dqkv.matrix.columns(keyColumns),
      dv: dqkv.matrix.columns(valueColumns), dout: converted(dAttended).matrix, out: saved.attended,
      logSums: saved.logSums, q: qkv.columns(queryColumns), k: qkv.columns(keyColumns),
      v: qkv.columns(valueColumns), starts: batch.starts, shape: shape)
    rotate(dqkv.matrix, batch.rotary, inverse: true)
    return input.backward(dqkv.matrix, saved.input, batch.pass, wantsInputGradient: wantsInputGradient)
  }

  private func converted(_ x: Tensor) -> Tensor {
    guard x.dtype != input.compute else { return x }
    let result = Tensor(x.shape, input.compute)
    Ops.convert(result.matrix, x.matrix)
    return result
  }

  /// New rows of several sequences against their caches; their keys and values are appended.
  func step(_ x: Matrix, _ rows: [CachedRows], layer: Int, _ rotary: RotaryTables, _ pass: Pass) -> Tensor {
    let (qkv, _) = projected(x, rotary, pass)
    let attended = output.makeInput(rows: x.rows)
    for row in rows {
      let new = qkv.matrix.rows(row.range)
      let past = row.past
      row.cache.append(
        keys: new.columns(keyColumns), values: new.columns(valueColumns), layer: layer, at: past)
      let total = past + row.range.count
      Ops.attentionCached(
        attended.rows(row.range), q: new.columns(queryColumns),
        keys: row.cache.keys(layer, count: total), values: row.cache.values(layer, count: total), past: past,
        shape: shape)
    }
    return output.forward(attended, pass).y
  }
}
