extension Ops {
  /// Causal attention within each of several sequences laid end to end: row i of a sequence attends to its rows 0...i,
  /// or to the last `shape.window` of them.
  ///
  /// No more than a block of scores is ever held. A sequence's result does not depend on its neighbours.
  /// - Parameters:
  ///   - out: `[T, heads·valueDim]`
  ///   - logSums: `[heads, T]` float32; gets each row's log Σ exp(score), the sinks' among them, which the gradient needs.
  ///   - q: `[T, heads·headDim]`; may, like k and v, be a column range of a wider buffer. All of one type.
  ///   - k: `[T, keyValueHeads·headDim]`
  ///   - v: `[T, keyValueHeads·valueDim]`
  ///   - starts: Where the sequences start, and at the end T: `[S + 1]`.
  package static func attention(
    _ out: Matrix, logSums: Tensor?, q: Matrix, k: Matrix, v: Matrix, starts: [Int32], shape: AttentionShape
  ) {
    check(shape, starts, q: [q], out: [out], k: [k], v: [v])
    if let logSums { check(logSums, shape, rows: q.rows) }
    let logSums = logSums ?? logSumsForSinks(out, shape)
    let device = device(
      out.storage, logSums?.storage, q.storage, k.storage, v.storage, shape.slopes?.storage)
    Ledger.measure(.attention, flop: shape.flop(starts, ofKeys: 1, ofValues: 1)) {
      device.attention(out, logSums: logSums, q: q, k: k, v: v, starts: starts, shape: shape)
      addSinks(shape, to: out, logSums: logSums)
    }
  }

  /// The gradient of `attention`; scores are computed again from q, k and the log sums.
  ///
  /// - Parameters:
  ///   - dq: As q; dk as k and dv as v; all overwritten.
  ///   - dout: The gradient of `out`, the attention's result; both `[T, heads·valueDim]`.
  ///   - dSinks: `[heads]` float32, to which the sinks' gradient is added; nil: it is not wanted.
  ///   - logSums: `[heads, T]` float32, from the forward pass.
  package static func attentionGradient(
    dq: Matrix, dk: Matrix, dv: Matrix, dSinks: Tensor? = nil, dout: Matrix, out: Matrix, logSums: Tensor,
    q: Matrix, k: Matrix, v: Matrix, starts: [Int32], shape: AttentionShape
  ) {
    check(shape, starts, q: [q, dq], out: [out, dout], k: [k, dk], v: [v, dv])
    check(logSums, shape, rows: q.rows)
    let device = device(
      dq.storage, dk.storage, dv.storage, dout.storage, out.storage, logSums.storage, q.storage)
    _ = Ops.device(q.storage, k.storage, v.storage, shape.slopes?.storage)
    let gradients = AttentionGradients(dq: dq, dk: dk, dv: dv)
    Ledger.measure(.attention, flop: shape.flop(starts, ofKeys: 3, ofValues: 2)) {
      device.attentionGradient(
        gradients, dout: dout, out: out, logSums: logSums, q: q, k: k, v: v, starts: starts, shape: shape)
      guard let dSinks, let sinks = shape.sinks else { return }
      checkCount(dSinks, shape.heads, "gradients of sinks")
      let dots = Tensor([shape.heads, q.rows], .float32, on: device)
      device.rowDots(dots, dout, out, heads: shape.heads)
      device.addSinkGradient(dSinks, dots: dots, logSums: logSums, sinks: sinks)
    }
  }

  /// Attention of the newest rows of some sequences over all of their keys so far: a sequence's row i attends to its keys
  /// 0...past + i, or to the last `shape.window` of them.
  ///
  /// - Parameters:
  ///   - out: `[n, heads·valueDim]`
  ///   - q: `[n, heads·headDim]`, the new rows of all sequences.
  ///   - new: the new rows' keys and values, which are copied to the ends of their sequences'; nil: they are there.
  ///   - sequences: each with rows of its own among the n.
  package static func attentionCached(
    _ out: Matrix, q: Matrix, adding new: NewKeyValues? = nil, sequences: [CachedSequence],
    shape: AttentionShape
  ) {
    let device = device(
      out.storage, q.storage, new?.k.storage, new?.v.storage, shape.slopes?.storage)
    var pairs = 0
    for sequence in sequences {
      let (n, past) = (sequence.rows.count, sequence.past)
      precondition(past >= 0, "\(n) rows with \(sequence.keys.rows) keys")
      check(sequence.keys, sequence.values, q.dtype, shape)
      pairs += n * past + n * (n + 1) / 2
    }
    precondition(
      q.columns == shape.heads * shape.headDim && out.columns == shape.heads * shape.valueDim
        && out.rows == q.rows && q.dtype == out.dtype,
      "attention \(shape) from [\(q.rows), \(q.columns)] to [\(out.rows), \(out.columns)]")
    if let new {
      check(new.k, new.v, q.dtype, shape)
      precondition(new.k.rows == q.rows, "\(new.k.rows) new keys of \(q.rows) rows")
    }
    let flop = 2 * Double(pairs * shape.heads * (shape.headDim + shape.valueDim))
    Ledger.measure(.attention, flop: flop) {
      let logSums = logSumsForSinks(out, shape)
      device.attentionCached(
        out, logSums: logSums, q: q, adding: new, sequences: sequences, shape: shape)
      addSinks(shape, to: out, logSums: logSums)
    }
  }

  // MARK: Sinks

  /// Zeros, as a step may have rows of no sequence; nil: there are no sinks.
  private static func logSumsForSinks(_ out: Matrix, _ shape: AttentionShape) -> Tensor? {
    shape.sinks.map { _ in Tensor.zeros([shape.heads, out.rows], .float32, on: out.device) }
  }

  /// Devices attend without sinks; a result and its log sum say what it is with them.
  private static func addSinks(_ shape: AttentionShape, to out: Matrix, logSums: Tensor?) {
    guard let sinks = shape.sinks, let logSums, out.rows > 0 else { return }
    device(out.storage, sinks.storage).addSinks(sinks, to: out, logSums: logSums)
  }

  // MARK: Checks

  private static func check(_ keys: Matrix, _ values: Matrix, _ dtype: DType, _ shape: AttentionShape) {
    precondition(
      keys.columns == shape.keyValueHeads * shape.headDim
        && values.columns == shape.keyValueHeads * shape.valueDim && values.rows == keys.rows
        && keys.dtype == dtype && values.dtype == dtype,
      "attention \(shape) with keys [\(keys.rows), \(keys.columns)] and values [\(values.rows), \(values.columns)]"
    )
  }

  private static func check(
    _ shape: AttentionShape, _ starts: [Int32], q: [Matrix], out: [Matrix], k: [Matrix], v: [Matrix]
  ) {
    let (rows, keyRows, dtype) = (q[0].rows, k[0].rows, q[0].dtype)
    precondition(
      starts.first == 0 && starts.last == Int32(rows)
        && zip(starts, starts.dropFirst()).allSatisfy { $0 <= $1 },
      "starts \(starts.prefix(8)) of \(rows) rows")
    func are(_ matrices: [Matrix], _ rows: Int, _ columns: Int) -> Bool {
      matrices.allSatisfy { $0.rows == rows && $0.columns == columns && $0.dtype == dtype }
    }
    precondition(
      are(q, rows, shape.heads * shape.headDim) && are(out, rows, shape.heads * shape.valueDim)
        && are(k, keyRows, shape.keyValueHeads * shape.headDim)
        && are(v, keyRows, shape.keyValueHeads * shape.valueDim),
      "attention \(shape) with queries [\(rows), \(q[0].columns)], keys [\(keyRows), \(k[0].columns)] and values "
        + "[\(v[0].rows), \(v[0].columns)]")
  }

  private static func check(_ logSums: Tensor, _ shape: AttentionShape, rows: Int) {
    precondition(
      logSums.shape == [shape.heads, rows] && logSums.dtype == .float32, "log sums \(logSums.shape)")
  }
}
