extension Ops {
  /// Causal attention within each of several sequences laid end to end: row i of a sequence attends to its rows 0...i,
  /// or to the last `shape.window` of them.
  ///
  /// No more than a block of scores is ever held. A sequence's result does not depend on its neighbours.
  /// - Parameters:
  ///   - out: `[T, heads·headDim]`
  ///   - logSums: `[heads, T]` float32; gets each row's log Σ exp(score), which the gradient needs.
  ///   - q: `[T, heads·headDim]`; may, like k and v, be a column range of a wider buffer. All of one type.
  ///   - k: `[T, keyValueHeads·headDim]`
  ///   - v: `[T, keyValueHeads·headDim]`
  ///   - starts: Where the sequences start, and at the end T: `[S + 1]`.
  public static func attention(
    _ out: Matrix, logSums: Tensor?, q: Matrix, k: Matrix, v: Matrix, starts: [Int32], shape: AttentionShape
  ) {
    check(shape, starts, query: [q, out], key: [k, v])
    if let logSums { check(logSums, shape, rows: q.rows) }
    let device = device(
      out.storage, logSums?.storage, q.storage, k.storage, v.storage, shape.slopes?.storage)
    Ledger.measure(.attention, flop: shape.flop(starts, products: 2)) {
      device.attention(out, logSums: logSums, q: q, k: k, v: v, starts: starts, shape: shape)
    }
  }

  /// The gradient of `attention`; scores are computed again from q, k and the log sums.
  ///
  /// - Parameters:
  ///   - dq: `[T, heads·headDim]`; dk and dv `[T, keyValueHeads·headDim]`; all overwritten.
  ///   - dout: The gradient of `out`, the attention's result; both `[T, heads·headDim]`.
  ///   - logSums: `[heads, T]` float32, from the forward pass.
  public static func attentionGradient(
    dq: Matrix, dk: Matrix, dv: Matrix, dout: Matrix, out: Matrix, logSums: Tensor, q: Matrix, k: Matrix,
    v: Matrix, starts: [Int32], shape: AttentionShape
  ) {
    check(shape, starts, query: [q, dq, dout, out], key: [k, v, dk, dv])
    check(logSums, shape, rows: q.rows)
    let device = device(
      dq.storage, dk.storage, dv.storage, dout.storage, out.storage, logSums.storage, q.storage)
    _ = Ops.device(q.storage, k.storage, v.storage, shape.slopes?.storage)
    let gradients = AttentionGradients(dq: dq, dk: dk, dv: dv)
    Ledger.measure(.attention, flop: shape.flop(starts, products: 5)) {
      device.attentionGradient(
        gradients, dout: dout, out: out, logSums: logSums, q: q, k: k, v: v, starts: starts, shape: shape)
    }
  }

  /// Attention of the newest rows of some sequences over all of their keys so far: a sequence's row i attends to its keys
  /// 0...past + i, or to the last `shape.window` of them.
  ///
  /// - Parameters:
  ///   - out: `[n, heads·headDim]`
  ///   - q: `[n, heads·headDim]`, the new rows of all sequences.
  ///   - k, v: `[n, keyValueHeads·headDim]`, the new rows' keys and values; they are copied to the ends of their sequences'.
  ///   - sequences: each with rows of its own among the n.
  public static func attentionCached(
    _ out: Matrix, q: Matrix, k: Matrix, v: Matrix, sequences: [CachedSequence], shape: AttentionShape
  ) {
    let device = device(out.storage, q.storage, k.storage, v.storage, shape.slopes?.storage)
    var pairs = 0
    for sequence in sequences {
      let (n, past) = (sequence.rows.count, sequence.past)
      precondition(past >= 0, "\(n) rows with \(sequence.keys.rows) keys")
      check(sequence.keys, sequence.values, k, shape)
      pairs += n * past + n * (n + 1) / 2
    }
    check(q, out, shape)
    check(k, v, k, shape)
    precondition(k.rows == q.rows && v.rows == q.rows && out.rows == q.rows, "\(q.rows) rows of q")
    Ledger.measure(.attention, flop: 4 * Double(pairs * shape.heads * shape.headDim)) {
      device.attentionCached(out, q: q, k: k, v: v, sequences: sequences, shape: shape)
    }
  }

  private static func check(_ q: Matrix, _ out: Matrix, _ shape: AttentionShape) {
    let columns = shape.heads * shape.headDim
    precondition(
      q.columns == columns && out.columns == columns && q.dtype == out.dtype,
      "attention \(shape) from [\(q.rows), \(q.columns)] to [\(out.rows), \(out.columns)]")
  }

  private static func check(_ keys: Matrix, _ values: Matrix, _ new: Matrix, _ shape: AttentionShape) {
    let columns = shape.keyValueHeads * shape.headDim
    precondition(
      keys.columns == columns && values.columns == columns && values.rows == keys.rows
        && keys.dtype == new.dtype && values.dtype == new.dtype,
      "attention \(shape) with keys [\(keys.rows), \(keys.columns)] and values [\(values.rows), \(values.columns)]"
    )
  }

  private static func check(
    _ shape: AttentionShape, _ starts: [Int32], query: [Matrix], key: [Matrix]
  ) {
    let rows = query[0].rows
    let dtype = query[0].dtype
    precondition(
      starts.first == 0 && starts.last == Int32(rows)
        && zip(starts, starts.dropFirst()).allSatisfy { $0 <= $1 },
      "starts \(starts.prefix(8)) of \(rows) rows")
    precondition(
      query.allSatisfy { $0.rows == rows && $0.columns == shape.heads * shape.headDim && $0.dtype == dtype }
        && key.allSatisfy {
          $0.rows == key[0].rows && $0.columns == shape.keyValueHeads * shape.headDim && $0.dtype == dtype
        },
      "attention \(shape) with queries [\(rows), \(query[0].columns)] and keys [\(key[0].rows), \(key[0].columns)]"
    )
  }

  private static func check(_ logSums: Tensor, _ shape: AttentionShape, rows: Int) {
    precondition(
      logSums.shape == [shape.heads, rows] && logSums.dtype == .float32, "log sums \(logSums.shape)")
  }
}
