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
