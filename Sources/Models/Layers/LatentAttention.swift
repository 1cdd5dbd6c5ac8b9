import FireflyTensors

/// Causal multi-head latent attention (DeepSeek-AI, 2024): one linear group reads the input and gives the short vectors;
/// q, k and v come from those.
struct LatentAttention {
  /// The queries' short vector or the queries, that of keys and values, and the keys' turning part.
  let input: LinearGroup  // [T, C] → [T, Q + R + P]
  /// Nil: `input` gives the queries.
  let query: LatentProjection?  // [T, Q] → [T, H·(N + P)]
  let keyValue: LatentProjection  // [T, R] → [T, H·(N + DV)]
  let output: LinearGroup  // o: [T, H·DV] → [T, C]
  let shape: AttentionShape
  let latent: LatentHeads
  /// Nil: no part of a head turns after all.
  let rotary: Rotary?

  struct Saved {
    let input: LinearGroup.Saved
    let query: LatentProjection.Saved?
    let keyValue: LatentProjection.Saved
    // c, as attention takes them; q and k turned
    let q: Tensor  // [T, H·(P + N)]
    let k: Tensor  // [T, H·(P + N)]
    let v: Tensor  // [T, H·DV]
    let attended: Matrix  // [T, H·DV] c
    let logSums: Tensor  // [H, T]
    let output: LinearGroup.Saved
  }

  var layout: LatentLayout { LatentLayout(heads: shape.heads, latent: latent) }

  /// Every linear group, in the order of the computation.
  var groups: [LinearGroup] { [input] + (query.map { [$0.up] } ?? []) + [keyValue.up, output] }

  /// Where Q, R and P lie in what `input` gives.
  var columns: (query: Range<Int>, keyValue: Range<Int>, turning: Range<Int>) {
    let first = input.outputs - latent.cachedSize
    let second = first + latent.keyValueRank
    return (0..<first, first..<second, second..<input.outputs)
  }

  // MARK: - Forward

  func forward(  // [T, C] → [T, C]
    _ x: Matrix, _ batch: BatchContext, finish: LinearFinish
  ) -> (y: Tensor, saved: Saved) {
    let (lowered, inputSaved) = input.forward(x, batch.pass)
    let (q, querySaved) = queries(lowered, batch.angles, batch.pass)
    let (up, keyValueSaved) = keyValue.forward(lowered.matrix.columns(columns.keyValue), batch.pass)
    let (k, v) = layout.keysAndValues(up, turned: turnedKeys(lowered, batch.angles))
    let attended = output.makeInput(rows: x.rows)
    let logSums = Tensor([shape.heads, x.rows], .float32, on: x.device)
    Ops.attention(
      attended, logSums: logSums, q: q.matrix, k: k.matrix, v: v.matrix, starts: batch.starts, shape: shape)
    let (y, outputSaved) = output.forward(attended, batch.pass, finish: finish)
    let saved = Saved(
      input: inputSaved, query: querySaved, keyValue: keyValueSaved, q: q, k: k, v: v, attended: attended,
      logSums: logSums, output: outputSaved)
    return (y, saved)
  }

  /// Turned queries.
  func queries(
    _ lowered: Tensor, _ angles: Angles, _ pass: Pass
  ) -> (q: Tensor, saved: LatentProjection.Saved?) {
    let own = lowered.matrix.columns(columns.query)
    let projected = query?.forward(own, pass)
    let q = layout.queries(projected?.y ?? copy(own))
    turn(q, headDim: shape.headDim, angles, inverse: false)
    return (q, projected?.saved)
  }

  /// The part of the keys that all heads share, turned.
  func turnedKeys(_ lowered: Tensor, _ angles: Angles) -> Matrix {  // [T, P] c
    let turned = copy(lowered.matrix.columns(columns.turning))
    turn(turned, headDim: latent.rotaryDim, angles, inverse: false)
    return turned.matrix
  }

  private func turn(_ x: Tensor, headDim: Int, _ angles: Angles, inverse: Bool) {
    guard let rotary else { return }
    let tables = angles[rotary]
    Ops.rotate(
      x.matrix, headDim: headDim, rotaryDim: rotary.dimensions, cos: tables.cos, sin: tables.sin,
      interleaved: rotary.interleaved, inverse: inverse)
  }

  private func copy(_ x: Matrix) -> Tensor {
    let result = Tensor([x.rows, x.columns], x.dtype, on: x.device)
    Ops.convert(result.matrix, x)
    return result
  }

  // MARK: - Backward

  func backward(  // [T, C] float32 → [T, C] float32
    _ dy: Tensor, _ saved: Saved, _ batch: BatchContext, wantsInputGradient: Bool
  ) -> Tensor? {
    let compute = input.compute
    let dAttended = output.backward(dy.inType(compute).matrix, saved.output, batch.pass, in: compute)
    let (dq, dk, dv) = (like(saved.q), like(saved.k), like(saved.v))
    Ops.attentionGradient(
      dq: dq.matrix, dk: dk.matrix, dv: dv.matrix, dout: dAttended.matrix,
      out: saved.attended, logSums: saved.logSums, q: saved.q.matrix, k: saved.k.matrix, v: saved.v.matrix,
      starts: batch.starts, shape: shape)

    let dLowered = Tensor([dy.rows, input.outputs], compute, on: dy.device)  // [T, Q + R + P]
    let (dUp, dTurned) = layout.keysAndValuesGradient(dk, dv)
    let dTurning = dTurned.inType(compute)
    turn(dTurning, headDim: latent.rotaryDim, batch.angles, inverse: true)
    Ops.convert(dLowered.matrix.columns(columns.turning), dTurning.matrix)
    let dKeyValue = keyValue.backward(dUp.matrix, saved.keyValue, batch.pass)
    Ops.convert(dLowered.matrix.columns(columns.keyValue), dKeyValue.matrix)

    turn(dq, headDim: shape.headDim, batch.angles, inverse: true)
    var dQuery = layout.queriesGradient(dq)
    if let query, let querySaved = saved.query {
      dQuery = query.backward(dQuery.matrix, querySaved, batch.pass)
    }
    Ops.convert(dLowered.matrix.columns(columns.query), dQuery.matrix)
    return input.backward(dLowered.matrix, saved.input, batch.pass, wantsInputGradient: wantsInputGradient)
  }

  private func like(_ x: Tensor) -> Tensor { Tensor(x.shape, x.dtype, on: x.device) }
}
