import CKernels

/// The heads of a grouped-query attention: query head h reads key head h / (heads / keyValueHeads).
public struct AttentionShape: Sendable, Equatable {
  public var heads: Int
  public var keyValueHeads: Int
  public var headDim: Int
  /// Factor on the scores, usually 1 / √headDim.
  public var scale: Float

  public init(heads: Int, keyValueHeads: Int, headDim: Int, scale: Float) {
    precondition(
      heads > 0 && keyValueHeads > 0 && headDim > 0 && heads % keyValueHeads == 0,
      "\(heads) heads over \(keyValueHeads) key heads of \(headDim)")
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headDim = headDim
    self.scale = scale
  }

  /// Query heads to a key head.
  var group: Int { heads / keyValueHeads }
  func columns(_ head: Int) -> Range<Int> { head * headDim..<(head + 1) * headDim }

  /// FLOP of `products` products over the pairs of query and key below the diagonal.
  func flop(_ starts: [Int32], products: Int) -> Double {
    let pairs = zip(starts, starts.dropFirst()).reduce(0.0) { sum, bounds in
      let rows = Double(bounds.1 - bounds.0)
      return sum + rows * (rows + 1) / 2
    }
    return 2 * pairs * Double(products * heads * headDim)
  }
}

extension Ops {
  /// Causal attention within each of several sequences laid end to end: row i of a sequence attends to its rows 0...i.
  ///
  /// Query blocks are taken against the keys up to their diagonal; no more than a block of scores is ever held. A
  /// sequence's result does not depend on its neighbours.
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
    AttentionBlock.check(shape, starts, query: [q, out], key: [k, v])
    if let logSums {
      precondition(
        logSums.shape == [shape.heads, q.rows] && logSums.dtype == .float32, "log sums \(logSums.shape)")
    }
    let blocks = AttentionBlock.of(starts, shape)
    Ledger.measure(.attention, flop: shape.flop(starts, products: 2)) {
      Parallel.run(blocks.count * shape.heads) { task in
        let block = blocks[task / shape.heads]
        let head = task % shape.heads
        block.attend(out, q: q, k: k, v: v, head: head, shape, logSums: logSums?.head(head, block.queries))
      }
    }
  }

  /// Attention of the newest rows of one sequence over all of its keys so far: row i attends to keys 0...past + i.
  ///
  /// - Parameters:
  ///   - out: `[n, heads·headDim]`
  ///   - q: `[n, heads·headDim]`
  ///   - keys: `[past + n, keyValueHeads·headDim]`, the new rows' keys included; so are `values`.
  public static func attentionCached(
    _ out: Matrix, q: Matrix, keys: Matrix, values: Matrix, past: Int, shape: AttentionShape
  ) {
    precondition(
      past >= 0 && keys.rows == past + q.rows, "\(q.rows) rows after \(past) with \(keys.rows) keys")
    AttentionBlock.check(shape, [0, Int32(q.rows)], query: [q, out], key: [keys, values])
    let pairs = q.rows * past + q.rows * (q.rows + 1) / 2
    Ledger.measure(.attention, flop: 4 * Double(pairs * shape.heads * shape.headDim)) {
      attend(out, q: q, keys: keys, values: values, past: past, shape)
    }
  }

  private static func attend(
    _ out: Matrix, q: Matrix, keys: Matrix, values: Matrix, past: Int, _ shape: AttentionShape
  ) {
    if q.rows <= 4 && shape.headDim <= KERNELS_HEAD_LIMIT {
      Parallel.run(q.rows * shape.keyValueHeads) { task in
        let row = task / shape.keyValueHeads
        attendRow(
          out, q: q, keys: keys, values: values, row: row, past: past, head: task % shape.keyValueHeads, shape
        )
      }
      return
    }
    let blocks = AttentionBlock.of([0, Int32(q.rows)], shape, past: past)
    Parallel.run(blocks.count * shape.heads) { task in
      blocks[task / shape.heads].attend(
        out, q: q, k: keys, v: values, head: task % shape.heads, shape, logSums: nil)
    }
  }

  /// One row's queries that share key head `head`.
  private static func attendRow(
    _ out: Matrix, q: Matrix, keys: Matrix, values: Matrix, row: Int, past: Int, head: Int,
    _ shape: AttentionShape
  ) {
    let queries = head * shape.group * shape.headDim..<(head + 1) * shape.group * shape.headDim
    let k = keys.columns(shape.columns(head))
    let v = values.columns(shape.columns(head))
    Ops.kernels.pointee.attention_row(
      out.rows(row..<row + 1).columns(queries).pointer, q.rows(row..<row + 1).columns(queries).pointer,
      k.pointer, k.stride, v.pointer, v.stride, q.dtype.code, shape.group, shape.headDim, past + row + 1,
      shape.scale)
  }
}

/// Some rows of queries of one sequence and the keys that they may see.
struct AttentionBlock {
  static let rows = 128

  /// Rows of q.
  let queries: Range<Int>
  /// Rows of k and v: up to the last query's own.
  let keys: Range<Int>
  /// How many of the keys the first query sees; each further one sees one more.
  let visible: Int

  /// The blocks of all sequences, the largest first so that threads end together.
  static func of(_ starts: [Int32], _ shape: AttentionShape, past: Int = 0) -> [AttentionBlock] {
    var blocks: [AttentionBlock] = []
    for (start, end) in zip(starts.lazy.map(Int.init), starts.dropFirst().lazy.map(Int.init)) {
      for first in stride(from: start, to: end, by: rows) {
        let last = min(first + rows, end)
        blocks.append(
          AttentionBlock(queries: first..<last, keys: start..<last + past, visible: first - start + past + 1))
      }
    }
    return blocks.sorted { $0.queries.count * $0.keys.count > $1.queries.count * $1.keys.count }
  }

  static func check(_ shape: AttentionShape, _ starts: [Int32], query: [Matrix], key: [Matrix]) {
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

  /// out = softmax(scale·q·kᵀ)·v for this block and one head.
  func attend(
    _ out: Matrix, q: Matrix, k: Matrix, v: Matrix, head: Int, _ shape: AttentionShape,
    logSums: UnsafeMutablePointer<Float>?
  ) {
    let (m, n) = (queries.count, keys.count)
    let columns = shape.columns(head)
    let keyColumns = shape.columns(head / shape.group)
    let scores = Tensor([m, n], .float32).matrix
    let probabilities = Tensor([m, n], q.dtype).matrix
    Product(
      out: scores, a: q.rows(queries).columns(columns), b: k.rows(keys).columns(keyColumns), transposeB: true
    ).run()
    withUnsafeTemporaryAllocation(of: Float.self, capacity: AttentionBlock.rows) { spare in
      guard let sums = logSums ?? spare.baseAddress else { return }
      Ops.kernels.pointee.softmax_causal(
        probabilities.pointer, q.dtype.code, n, sums, scores.floatRow(0), n, shape.scale, visible, m, n)
    }
    Product(out: out.rows(queries).columns(columns), a: probabilities, b: v.rows(keys).columns(keyColumns))
      .run()
  }
}

extension Tensor {
  /// Where head's values for `rows` start in `[heads, T]`.
  func head(_ head: Int, _ rows: Range<Int>) -> UnsafeMutablePointer<Float> {
    floatPointer + head * shape[1] + rows.lowerBound
  }
}
