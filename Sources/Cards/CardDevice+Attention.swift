import CCard
import FireflyTensors

extension CardDevice {
  package func attention(
    _ out: Matrix, logSums: Tensor?, q: Matrix, k: Matrix, v: Matrix, starts: [Int32], shape: AttentionShape
  ) {
    attend(out, logSums: logSums?.matrix, q: q, k: k, v: v, starts: starts, past: 0, shape: shape)
  }

  /// In tiles where the card can; otherwise query blocks are taken against the keys up to their diagonal, from the first that
  /// they see, and their heads are a batch.
  ///
  /// - Parameters:
  ///   - logSums: `[heads, T]`
  ///   - past: keys before the first query's own.
  func attend(
    _ out: Matrix, logSums: Matrix?, q: Matrix, k: Matrix, v: Matrix, starts: [Int32], past: Int,
    shape: AttentionShape
  ) {
    if attendsInTiles(shape, [out, q, k, v]) {
      return attendInTiles(
        out, logSums: logSums, q: q, k: k, v: v, starts: starts, past: past, shape: shape)
    }
    for block in QueryBlock.forCard(starts, shape, past: past) {
      attend(block, out, q: q, k: k, v: v, shape, logSums: logSums)
    }
  }

  /// out = softmax(scores)·v for this block, all heads.
  private func attend(
    _ block: QueryBlock, _ out: Matrix, q: Matrix, k: Matrix, v: Matrix, _ shape: AttentionShape,
    logSums: Matrix?
  ) {
    let (q, out) = (q.rows(block.queries), out.rows(block.queries))
    let (k, v) = (k.rows(block.keys), v.rows(block.keys))
    let (m, n) = (block.queries.count, block.keys.count)
    for heads in HeadBatch.few(shape) {
      let scores = Tensor([heads.count, m, n], .float32, on: self)
      let p = Tensor([heads.count, m, n], q.dtype, on: self)
      multiply(heads.scores(scores, q: q, k: k, shape))
      var mask = block.mask(heads, shape)
      run(
        "attention",
        card_attention_softmax(
          card, p.pointer, q.dtype.code, logSums.map { $0.float32 + block.queries.lowerBound },
          Int64(logSums?.stride ?? 0), scores.float32, &mask))
      multiply(
        CardProduct(
          out: heads.values(out, shape), a: heads.first(p), b: heads.keyValues(v, shape),
          count: heads.count,
          steps: (heads.headStep * shape.valueDim, m * n, heads.keyHeadStep * shape.valueDim)))
      withExtendedLifetime((scores, p)) {}
    }
  }

  package func attentionGradient(
    _ gradients: AttentionGradients, dout: Matrix, out: Matrix, logSums: Tensor, q: Matrix, k: Matrix,
    v: Matrix,
    starts: [Int32], shape: AttentionShape
  ) {
    let dots = Tensor([shape.heads, q.rows], .float32, on: self)
    rowDots(dots, dout, out, heads: shape.heads)
    if attendsInTiles(shape, [dout, q, k, v, gradients.dq, gradients.dk, gradients.dv]) {
      return attentionGradientInTiles(
        gradients, dout: dout, dots: dots, logSums: logSums.matrix, q: q, k: k, v: v, starts: starts,
        shape: shape)
    }
    let dk = Tensor.zeros([k.rows, k.columns], .float32, on: self)
    let dv = Tensor.zeros([v.rows, v.columns], .float32, on: self)
    let pass = GradientPass(
      device: self, dq: gradients.dq, dk: dk.matrix, dv: dv.matrix, dout: dout, logSums: logSums, dots: dots,
      q: q, k: k, v: v, shape: shape)
    for block in QueryBlock.forCard(starts, shape) { pass.run(block) }
    convert(gradients.dk, dk.matrix)
    convert(gradients.dv, dv.matrix)
    withExtendedLifetime((dots, dk, dv)) {}
  }

  package func addSinks(_ sinks: Tensor, to out: Matrix, logSums: Tensor) {
    run(
      "addSinks",
      card_attention_sinks(
        card, out.output, logSums.float32, Int64(out.rows), sinks.float32, Int64(out.rows),
        Int64(sinks.count), Int64(out.columns / sinks.count)))
  }

  package func addSinkGradient(_ dSinks: Tensor, dots: Tensor, logSums: Tensor, sinks: Tensor) {
    run(
      "addSinkGradient",
      card_attention_sink_gradient(
        card, dSinks.float32, dots.float32, logSums.float32, Int64(dots.shape[1]), sinks.float32,
        Int64(dots.shape[1]), Int64(sinks.count)))
  }
}

/// What all blocks of one gradient read and write.
private struct GradientPass {
  let device: CardDevice
  let dq: Matrix
  let dk, dv: Matrix  // float32, sums over the blocks
  let dout: Matrix
  let logSums, dots: Tensor  // [heads, T]
  let q, k, v: Matrix
  let shape: AttentionShape

  /// dq of the block's rows, and its addition to dk and dv of the keys it sees. Query heads that share a key head come one
  /// after the other.
  func run(_ block: QueryBlock) {
    let (m, n, type) = (block.queries.count, block.keys.count, q.dtype)
    let (q, dq, dout) = (q.rows(block.queries), dq.rows(block.queries), dout.rows(block.queries))
    let (k, v, dk, dv) = (k.rows(block.keys), v.rows(block.keys), dk.rows(block.keys), dv.rows(block.keys))
    for heads in HeadBatch.one(ofEachKeyHead: shape) {
      let scores = Tensor([heads.count, m, n], .float32, on: device)
      let dp = Tensor([heads.count, m, n], .float32, on: device)
      let p = Tensor([heads.count, m, n], type, on: device)
      let ds = Tensor([heads.count, m, n], type, on: device)
      let (ofKeys, ofValues) = (heads.keyHeadStep * shape.headDim, heads.keyHeadStep * shape.valueDim)
      let (ofQueries, ofOut) = (heads.headStep * shape.headDim, heads.headStep * shape.valueDim)
      // scores = q·kᵀ and the gradient of the probabilities = dout·vᵀ
      device.multiply(heads.scores(scores, q: q, k: k, shape))
      device.multiply(
        CardProduct(
          out: heads.first(dp), a: heads.values(dout, shape), b: heads.keyValues(v, shape), transposeB: true,
          count: heads.count, steps: (m * n, ofOut, ofValues)))
      // p, and ds = scale·p·(dp − dout·out)
      softmaxGradient(block, heads, p: p, ds: ds, scores: scores, dp: dp)
      // dq = ds·k, dk += dsᵀ·q, dv += pᵀ·dout
      device.multiply(
        CardProduct(
          out: heads.queries(dq, shape), a: heads.first(ds), b: heads.keys(k, shape), count: heads.count,
          steps: (ofQueries, m * n, ofKeys)))
      device.multiply(
        CardProduct(
          out: heads.keys(dk, shape), a: heads.first(ds), b: heads.queries(q, shape), transposeA: true,
          accumulate: true, count: heads.count, steps: (ofKeys, m * n, ofQueries)))
      device.multiply(
        CardProduct(
          out: heads.keyValues(dv, shape), a: heads.first(p), b: heads.values(dout, shape), transposeA: true,
          accumulate: true, count: heads.count, steps: (ofValues, m * n, ofOut)))
      withExtendedLifetime((scores, dp, p, ds)) {}
    }
  }

  private func softmaxGradient(
    _ block: QueryBlock, _ heads: HeadBatch, p: Tensor, ds: Tensor, scores: Tensor, dp: Tensor
  ) {
    var mask = block.mask(heads, shape)
    let first = block.queries.lowerBound
    device.run(
      "attentionGradient",
      card_attention_softmax_gradient(
        device.card, p.pointer, ds.pointer, q.dtype.code, scores.float32, dp.float32,
        logSums.float32 + first, dots.float32 + first, Int64(logSums.shape[1]), &mask))
  }
}
