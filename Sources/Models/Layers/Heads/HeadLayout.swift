import FireflyTensors

/// Queries, keys and values, each with its heads side by side.
struct HeadMatrices {
  let q: Matrix  // [T, H·D]
  let k: Matrix  // [T, KV·D]
  let v: Matrix  // [T, KV·D]

  func rows(_ range: Range<Int>) -> HeadMatrices {
    HeadMatrices(q: q.rows(range), k: k.rows(range), v: v.rows(range))
  }
}

/// Finds q, k and v in what the attention's input projections give, and puts their gradients back in its order.
struct HeadLayout {
  let shape: AttentionShape
  let order: HeadOrder

  private var querySize: Int { shape.heads * shape.headDim }
  private var keyValueSize: Int { shape.keyValueHeads * shape.headDim }

  /// Views of `y` where it is in the order of the attention, copies otherwise.
  func split(_ y: Tensor) -> HeadMatrices {  // [T, (H + 2·KV)·D]
    switch order {
    case .sideBySide: return columns(y)
    case .byKeyValueHead:
      let heads = makeHeads(y)
      for (part, columns) in groups(y, heads) { Ops.convert(part, columns) }
      return heads
    }
  }

  /// Where gradients for `y` are to be written before `join`.
  func makeGradients(_ dy: Tensor) -> HeadMatrices {
    switch order {
    case .sideBySide: columns(dy)
    case .byKeyValueHead: makeHeads(dy)
    }
  }

  /// Puts what was written to `makeGradients`' matrices into dy.
  func join(_ heads: HeadMatrices, into dy: Tensor) {
    guard order == .byKeyValueHead else { return }
    for (part, columns) in groups(dy, heads) { Ops.convert(columns, part) }
  }

  private func columns(_ y: Tensor) -> HeadMatrices {
    let keys = querySize..<querySize + keyValueSize
    return HeadMatrices(
      q: y.matrix.columns(0..<keys.lowerBound), k: y.matrix.columns(keys),
      v: y.matrix.columns(keys.upperBound..<keys.upperBound + keyValueSize))
  }

  private func makeHeads(_ y: Tensor) -> HeadMatrices {
    func matrix(_ columns: Int) -> Matrix { Tensor([y.rows, columns], y.dtype, on: y.device).matrix }
    return HeadMatrices(q: matrix(querySize), k: matrix(keyValueSize), v: matrix(keyValueSize))
  }

  /// q, k and v with a row for each key-value head of each token, beside their columns in `y` seen the same way.
  private func groups(_ y: Tensor, _ heads: HeadMatrices) -> [(part: Matrix, columns: Matrix)] {
    let group = querySize / shape.keyValueHeads
    let wide = y.reshaped([y.rows * shape.keyValueHeads, group + 2 * shape.headDim]).matrix
    let keys = group..<group + shape.headDim
    let values = keys.upperBound..<keys.upperBound + shape.headDim
    return [
      (byKeyValueHead(heads.q, group), wide.columns(0..<group)),
      (byKeyValueHead(heads.k, shape.headDim), wide.columns(keys)),
      (byKeyValueHead(heads.v, shape.headDim), wide.columns(values)),
    ]
  }

  private func byKeyValueHead(_ x: Matrix, _ columns: Int) -> Matrix {  // [T, KV·n] → [T·KV, n]
    Matrix(
      storage: x.storage, byteOffset: x.byteOffset, rows: x.rows * shape.keyValueHeads, columns: columns,
      stride: columns, dtype: x.dtype)
  }
}
