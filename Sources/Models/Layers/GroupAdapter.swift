import FireflyTensors

/// The low-rank pairs on one group of linear layers (LoRA, Hu et al., 2021): s·(drop(x)·Aᵀ)·Bᵀ beside each x·Wᵀ.
///
/// The A's lie one under another, so that one product takes them all; values and gradients are the arena's.
struct GroupAdapter {
  /// To each linear of the group its pair; nil where it has none.
  let pairs: [Pair?]
  /// All A's: value and gradient `[Σr, in]` float32, and the value's copy in the compute type.
  let a: Tensor
  let aGradient: Tensor
  let aCompute: Tensor
  /// Probability that an element of the input is dropped in training.
  let dropout: Float

  struct Pair {
    /// Its rows of the stacked A's.
    let rows: Range<Int>
    /// s
    let scale: Float
    let b: Parameter  // [out, r]
    let bCompute: Tensor  // [out, r] c
  }

  /// Takes the pairs of a group out of the arena; nil where there are none. `parametersChanged` comes next.
  ///
  /// - Parameter pairs: to each linear of the group its A and B with their factor, or nil.
  init?(
    _ pairs: [(a: Parameter, b: Parameter, scale: Float)?], in arena: ParameterArena, dropout: Float,
    compute: DType
  ) {
    let stack = pairs.compactMap { $0?.a.slot }
    guard let first = stack.first, let last = stack.last else { return nil }
    let inputs = first.shape[1]
    let range = first.range.lowerBound..<last.range.upperBound
    guard !range.isEmpty else { return nil }
    precondition(stack.reduce(0) { $0 + $1.count } == range.count, "the A's of \(first.name) lie apart")
    let shape = [range.count / inputs, inputs]
    a = arena.values.slice(range).reshaped(shape)
    aGradient = arena.gradients.slice(range).reshaped(shape)
    aCompute = Tensor(shape, compute, on: a.device)
    self.dropout = dropout
    self.pairs = pairs.map { pair in
      pair.map { pair in
        let row = (pair.a.slot.range.lowerBound - range.lowerBound) / inputs
        return Pair(
          rows: row..<row + pair.a.slot.shape[0], scale: pair.scale, b: pair.b,
          bCompute: Tensor(pair.b.slot.shape, compute, on: arena.values.device))
      }
    }
  }

  /// Renews the copies in the compute type from the float32 values.
  func parametersChanged() {
    Ops.convert(aCompute.matrix, a.matrix)
    for case let pair? in pairs { Ops.convert(pair.bCompute.matrix, pair.b.value.matrix) }
  }
}

extension Pass {
  /// Decides the dropout's bits of one adapter's input.
  ///
  /// - Parameters:
  ///   - stream: unique in the model.
  ///   - firstRow: where the rows begin that are dropped from.
  func dropoutKey(stream: UInt64, firstRow: Int) -> DropoutKey {
    DropoutKey(seed: seed, step: step, stream: stream << 32 | microBatch, firstRow: UInt64(firstRow))
  }
}

// The two products of a pair and their derivatives: low = s·drop(x)·Aᵀ, y += low·Bᵀ.

extension GroupAdapter {
  /// m; nil where nothing is dropped.
  private func mask(_ pass: Pass, _ key: DropoutKey) -> DropoutBits? {
    pass.training && dropout > 0 ? DropoutBits(probability: dropout, key: key) : nil
  }

  /// The factor of all pairs, which goes with the product; nil: each has its own.
  private var commonScale: Float? {
    let scales = Set(pairs.compactMap { $0?.scale })
    return scales.count == 1 ? scales.first : nil
  }

  /// [T, in] → [T, Σr], scaled
  func low(_ x: Matrix, _ pass: Pass, _ key: DropoutKey) -> Matrix {
    let low = Tensor([x.rows, a.rows], aCompute.dtype, on: x.device).matrix
    if pass.rowByRow {
      let part = LinearPart(weight: .dense(aCompute), outputs: a.rows, inputs: x.columns)
      Ops.linear(low, x, parts: [part], low: [nil], rowByRow: true)
      scale(low)
      return low
    }
    let scale = commonScale ?? 1
    if let mask = mask(pass, key) {
      Ops.matmulDropped(low, x, aCompute.matrix, mask, scale: scale)
    } else {
      Ops.matmul(low, x, aCompute.matrix, transposeB: true, scale: scale)
    }
    if commonScale == nil { self.scale(low) }
    return low
  }

  private func scale(_ low: Matrix) {  // [T, Σr]
    for case let pair? in pairs where pair.scale != 1 {
      Ops.scale(low.columns(pair.rows), by: pair.scale)
    }
  }

  /// dB += dyᵀ·low, dA += dLowᵀ·drop(x); returns what comes to x: dLow = s·dy·B `[T, Σr]` by way of A.
  ///
  /// - Parameters:
  ///   - dy: the gradient of each linear's output.
  ///   - low: what the forward made.
  func addGradients(  // [T, out] each, [T, Σr], [T, in]
    _ dy: [Matrix], _ low: Matrix, _ x: Matrix, _ pass: Pass, _ key: DropoutKey
  ) -> LowRankGradient {
    let dLow = Tensor([x.rows, a.rows], aCompute.dtype, on: x.device).matrix
    let steps = zip(dy, pairs).compactMap { dPart, pair in
      pair.map { pair in
        LowRankStep(
          dB: pair.b.gradient.matrix, dLow: dLow.columns(pair.rows), dy: dPart, low: low.columns(pair.rows),
          b: pair.bCompute.matrix, scale: pair.scale)
      }
    }
    Ops.lowRankGradients(steps)
    let mask = mask(pass, key)
    if let mask {
      Ops.addMatmulDropped(aGradient.matrix, dLow, x, mask)
    } else {
      Ops.matmul(aGradient.matrix, dLow, x, transposeA: true, accumulate: true)
    }
    return LowRankGradient(low: dLow, a: aCompute.matrix, dropout: mask)
  }
}
