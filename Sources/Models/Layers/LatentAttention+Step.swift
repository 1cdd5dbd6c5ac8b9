import FireflyTensors

// What a cache holds of a row: the normed short vector and the turned part of the keys, `[R + P]`.

extension LatentAttention {
  /// New rows of several sequences against their caches, to which what is kept of them is appended.
  func step(_ x: Matrix, _ rows: [CachedRows], layer: Int, _ angles: Angles, _ pass: Pass) -> Tensor {
    let (lowered, _) = input.forward(x, pass)
    let (q, _) = queries(lowered, angles, pass)
    let caches = appended(lowered, rows, layer: layer, angles)
    let attended = output.makeInput(rows: x.rows)
    if pass.rowByRow {
      attendToLatents(attended, q, rows, caches)
    } else {
      attendToHeads(attended, q, rows, caches)
    }
    return output.forward(attended, pass).y
  }

  /// Each sequence's `[past + rows, R + P]`, the new rows' at the end.
  private func appended(
    _ lowered: Tensor, _ rows: [CachedRows], layer: Int, _ angles: Angles
  ) -> [Matrix] {
    let (normed, _, _) = keyValue.normed(lowered.matrix.columns(columns.keyValue))
    let turned = turnedKeys(lowered, angles)
    return rows.map { row in
      let cache = row.cache.rows(0, layer: layer, count: row.past + row.range.count)
      let new = cache.rows(row.past..<cache.rows)
      Ops.convert(new.columns(0..<latent.keyValueRank), normed.rows(row.range))
      Ops.convert(new.columns(latent.keyValueRank..<latent.cachedSize), turned.rows(row.range))
      return cache
    }
  }

  /// Makes the keys and values of each whole sequence: where several new rows share that.
  private func attendToHeads(_ attended: Matrix, _ q: Tensor, _ rows: [CachedRows], _ caches: [Matrix]) {
    let sequences = zip(rows, caches).map { row, cache in
      // By itself: the same whoever goes on beside it.
      let y = keyValue.up.forward(cache.columns(0..<latent.keyValueRank), .evaluation).y
      let (k, v) = layout.keysAndValues(
        y, turned: cache.columns(latent.keyValueRank..<latent.cachedSize))
      return CachedSequence(rows: row.range, keys: k.matrix, values: v.matrix)
    }
    Ops.attentionCached(attended, q: q.matrix, sequences: sequences, shape: shape)
  }

  /// Takes the queries to the short vectors instead: q·(U c) = (Uᵀ q)·c and Σ p (U c) = U Σ p c, so that the cache itself
  /// is the one key head of all query heads, and its first R columns the values.
  private func attendToLatents(_ attended: Matrix, _ q: Tensor, _ rows: [CachedRows], _ caches: [Matrix]) {
    let up = HeadwiseLinear(keyValue.up, heads: shape.heads)
    let (plain, value) = (latent.plainDim, latent.valueDim)
    let lowered = Tensor([q.rows, shape.heads * latent.keyValueRank], q.dtype, on: q.device)  // [n, H·R]
    up.multiply(lowered.matrix, layout.plainQueries(q).matrix, outputs: 0..<plain, transposed: false)
    let summed = Tensor(lowered.shape, q.dtype, on: q.device)  // [n, H·R]
    let shared = AttentionShape(
      heads: shape.heads, keyValueHeads: 1, headDim: latent.cachedSize, valueDim: latent.keyValueRank,
      scale: shape.scale)
    let sequences = zip(rows, caches).map {
      CachedSequence(rows: $0.range, keys: $1, values: $1.columns(0..<latent.keyValueRank))
    }
    Ops.attentionCached(
      summed.matrix, q: layout.latentQueries(lowered, q).matrix, sequences: sequences, shape: shared)
    up.multiply(attended, summed.matrix, outputs: plain..<plain + value, transposed: true)
  }
}

/// A linear layer whose outputs are several heads, for products with some of each head's outputs.
struct HeadwiseLinear {
  private let heads: Int
  /// Outputs of a head.
  private let size: Int
  private let weight: Tensor  // [H·size, in] c
  /// B `[H·size, r]`, A `[r, in]`, both c, and s.
  private let pair: (b: Tensor, a: Tensor, scale: Float)?

  /// - Parameter group: one linear layer without a bias.
  init(_ group: LinearGroup, heads: Int) {
    self.heads = heads
    size = group.outputs / heads
    if case .dense(let tensor) = group.parts[0].weight {
      weight = tensor
    } else {
      weight = Tensor([group.outputs, group.inputs], group.compute, on: group.device)
      Ops.decode(group.parts[0].weight, into: weight.matrix)
    }
    pair = group.adapter.flatMap { adapter in
      adapter.pairs[0].map { (b: $0.bCompute, a: adapter.aCompute, scale: $0.scale) }
    }
  }

  /// y_h = x_h·W_h with W_h the rows `outputs` of each head's; `transposed`: x_h·W_hᵀ, the layer's own direction.
  func multiply(_ y: Matrix, _ x: Matrix, outputs: Range<Int>, transposed: Bool) {
    Ops.multiplyHeads(y, x, own(weight, outputs), transposed: transposed)
    guard let (b, a, scale) = pair else { return }
    let low = Tensor([x.rows, heads * a.rows], y.dtype, on: y.device)  // [n, H·r]
    let all = HeadWeights(a.matrix, heads: heads, rows: 0..<a.rows, step: 0)
    Ops.multiplyHeads(low.matrix, x, transposed ? all : own(b, outputs), transposed: transposed)
    if scale != 1 { Ops.scale(low.matrix, by: scale) }
    Ops.multiplyHeads(
      y, low.matrix, transposed ? own(b, outputs) : all, transposed: transposed, accumulate: true)
  }

  private func own(_ weight: Tensor, _ outputs: Range<Int>) -> HeadWeights {
    HeadWeights(weight.matrix, heads: heads, rows: outputs, step: size)
  }
}
