import CKernels
import FireflyBase

/// The heads of a grouped-query attention: query head h reads key head h / (heads / keyValueHeads), and which keys a row
/// sees with which bias.
public struct AttentionShape: Sendable {
  public var heads: Int
  public var keyValueHeads: Int
  public var headDim: Int
  /// Factor on the scores, usually 1 / √headDim.
  public var scale: Float
  /// A row sees at most this many keys: its own and those just before it (Mistral's sliding window); nil: all.
  public var window: Int?
  /// ALiBi (Press, Smith & Lewis 2021): [heads] float32; head h adds slopes[h]·(key's − query's position) to a score.
  public var slopes: Tensor?

  public init(
    heads: Int, keyValueHeads: Int, headDim: Int, scale: Float, window: Int? = nil, slopes: Tensor? = nil
  ) {
    precondition(
      heads > 0 && keyValueHeads > 0 && headDim > 0 && heads % keyValueHeads == 0,
      "\(heads) heads over \(keyValueHeads) key heads of \(headDim)")
    if let window { precondition(window > 0, "a window of \(window) keys") }
    if let slopes { Ops.checkCount(slopes, heads, "slopes") }
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headDim = headDim
    self.scale = scale
    self.window = window
    self.slopes = slopes
  }

  /// Query heads to a key head.
  var group: Int { heads / keyValueHeads }
  func columns(_ head: Int) -> Range<Int> { head * headDim..<(head + 1) * headDim }

  /// FLOP of `products` products over the pairs of query and key that a row sees.
  func flop(_ starts: [Int32], products: Int) -> Double {
    let pairs = zip(starts, starts.dropFirst()).reduce(0.0) {
      $0 + AttentionShape.pairs(Int($1.1 - $1.0), window: window)
    }
    return 2 * pairs * Double(products * heads * headDim)
  }

  /// Pairs of query and key in a sequence of `length`: all below the diagonal, no further back than the window.
  package static func pairs(_ length: Int, window: Int?) -> Double {
    let growing = Double(min(length, window ?? length))  // rows that see all before them
    return growing * (growing + 1) / 2 + (Double(length) - growing) * growing
  }

  /// The first of the keys that the query at position `query` sees, counted from its sequence's start.
  func firstKey(of query: Int) -> Int { max(0, query + 1 - (window ?? query + 1)) }

  /// A query head's scores in a block whose first row has its own key in column `diagonal`.
  func mask(head: Int, diagonal: Int) -> kernels_mask {
    kernels_mask(
      scale: scale, slope: slopes.map { $0.floatPointer[head] } ?? 0, diagonal: diagonal,
      window: window ?? Int.max)
  }
}

extension Ops {
  /// Causal attention within each of several sequences laid end to end: row i of a sequence attends to its rows 0...i,
  /// or to the last `shape.window` of them.
  ///
  /// Query blocks are taken against the keys up to their diagonal, from the first that they see; no more than a block of
  /// scores is ever held. A sequence's result does not depend on its neighbours.
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

  /// Attention of the newest rows of one sequence over all of its keys so far: row i attends to keys 0...past + i,
  /// or to the last `shape.window` of them.
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
    let heads = head * shape.group..<(head + 1) * shape.group
    let columns = heads.lowerBound * shape.headDim..<heads.upperBound * shape.headDim
    let seen = shape.firstKey(of: past + row)..<past + row + 1
    let k = keys.rows(seen).columns(shape.columns(head))
    let v = values.rows(seen).columns(shape.columns(head))
    Ops.kernels.pointee.attention_row(
      out.rows(row..<row + 1).columns(columns).pointer, q.rows(row..<row + 1).columns(columns).pointer,
      k.pointer, k.stride, v.pointer, v.stride, q.dtype.code, shape.group, shape.headDim, seen.count,
      shape.scale, shape.slopes.map { $0.floatPointer + heads.lowerBound })
  }
}

/// Some rows of queries of one sequence and the keys that they may see.
struct AttentionBlock {
  static let rows = 128

  /// Rows of q.
  let queries: Range<Int>
  /// Rows of k and v: from the first query's first to the last query's own.
  let keys: Range<Int>
  /// Which of the keys is the first query's own; each further query's is the next.
  let diagonal: Int

  /// The blocks of all sequences, the largest first so that threads end together.
  static func of(_ starts: [Int32], _ shape: AttentionShape, past: Int = 0) -> [AttentionBlock] {
    var blocks: [AttentionBlock] = []
    for (start, end) in zip(starts.lazy.map(Int.init), starts.dropFirst().lazy.map(Int.init)) {
      for first in stride(from: start, to: end, by: rows) {
        let last = min(first + rows, end)
        let position = first - start + past
        let firstKey = shape.firstKey(of: position)
        blocks.append(
          AttentionBlock(
            queries: first..<last, keys: start + firstKey..<last + past, diagonal: position - firstKey))
      }
    }
    return blocks.sorted { $0.cost > $1.cost }
  }

  var cost: Int { queries.count * keys.count }

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

  /// out = softmax(scores)·v for this block and one head.
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
      var mask = shape.mask(head: head, diagonal: diagonal)
      Ops.kernels.pointee.attention_softmax(
        probabilities.pointer, q.dtype.code, n, sums, scores.floatRow(0), n, &mask, m, n)
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
