import CKernels
import FireflyBase

/// The heads of a grouped-query attention: query head h reads key head h / (heads / keyValueHeads), and which keys a row
/// sees with which bias.
package struct AttentionShape: Sendable {
  package var heads: Int
  package var keyValueHeads: Int
  /// Size of a head of queries and keys.
  package var headDim: Int
  /// Size of a head of values and of what attention gives.
  package var valueDim: Int
  /// Factor on the scores, usually 1 / √headDim.
  package var scale: Float
  /// A row sees at most this many keys: its own and those just before it (Mistral's sliding window); nil: all.
  package var window: Int?
  /// Scores become cap·tanh(score / cap), which stays within ±cap (Gemma Team, 2024); nil: they stay as they are.
  package var cap: Float?
  /// ALiBi (Press, Smith & Lewis 2021): [heads] float32; head h adds slopes[h]·(key's − query's position) to a score.
  package var slopes: Tensor?
  /// [heads] float32; one more score s in the softmax of each of head h's rows, whose share goes nowhere (Xiao et al., 2024;
  /// OpenAI, 2025). Devices leave them to `addSinks`.
  package var sinks: Tensor?

  /// - Parameter valueDim: nil: `headDim`.
  package init(
    heads: Int, keyValueHeads: Int, headDim: Int, valueDim: Int? = nil, scale: Float, window: Int? = nil,
    cap: Float? = nil, slopes: Tensor? = nil, sinks: Tensor? = nil
  ) {
    let valueDim = valueDim ?? headDim
    precondition(
      heads > 0 && keyValueHeads > 0 && headDim > 0 && valueDim > 0 && heads % keyValueHeads == 0,
      "\(heads) heads over \(keyValueHeads) key heads of \(headDim) and \(valueDim)")
    if let window { precondition(window > 0, "a window of \(window) keys") }
    if let cap { precondition(cap > 0, "scores within \(cap)") }
    for ofHeads in [slopes, sinks].compactMap({ $0 }) {
      precondition(
        ofHeads.dtype == .float32 && ofHeads.count == heads,
        "\(ofHeads.shape) of \(ofHeads.dtype) for \(heads) heads")
    }
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headDim = headDim
    self.valueDim = valueDim
    self.scale = scale
    self.window = window
    self.cap = cap
    self.slopes = slopes
    self.sinks = sinks
  }

  /// Query heads to a key head.
  package var group: Int { heads / keyValueHeads }
  /// One head by itself, which shares its keys with none.
  func only(_ head: Int) -> AttentionShape {
    var one = self
    (one.heads, one.keyValueHeads) = (1, 1)
    one.slopes = slopes.map { $0.slice(head..<head + 1) }
    one.sinks = sinks.map { $0.slice(head..<head + 1) }
    return one
  }
  /// Columns of a head of queries or keys.
  package func columns(_ head: Int) -> Range<Int> { head * headDim..<(head + 1) * headDim }
  /// Columns of a head of values or of the result.
  package func valueColumns(_ head: Int) -> Range<Int> { head * valueDim..<(head + 1) * valueDim }

  /// FLOP of products over the pairs of query and key that a row sees: so many along keys, so many along values.
  func flop(_ starts: [Int32], ofKeys: Int, ofValues: Int) -> Double {
    let pairs = zip(starts, starts.dropFirst()).reduce(0.0) {
      $0 + AttentionShape.pairs(Int($1.1 - $1.0), window: window)
    }
    return 2 * pairs * Double(heads * (ofKeys * headDim + ofValues * valueDim))
  }

  /// Pairs of query and key in a sequence of `length`: all below the diagonal, no further back than the window.
  package static func pairs(_ length: Int, window: Int?) -> Double {
    let growing = Double(min(length, window ?? length))  // rows that see all before them
    return growing * (growing + 1) / 2 + (Double(length) - growing) * growing
  }

  /// The first of the keys that the query at position `query` sees, counted from its sequence's start.
  package func firstKey(of query: Int) -> Int { max(0, query + 1 - (window ?? query + 1)) }
}

/// Some rows of queries of one sequence and the keys that they may see: the blocks in which devices compute attention.
package struct QueryBlock {
  /// Which of the sequences it belongs to.
  package let sequence: Int
  /// The first query's place in its sequence, which its own key has too.
  package let position: Int
  /// Rows of q.
  package let queries: Range<Int>
  /// Rows of k and v: from the first query's first to the last query's own.
  package let keys: Range<Int>
  /// Which of the keys is the first query's own; each further query's is the next.
  package let diagonal: Int

  /// The blocks of all sequences, in their order.
  ///
  /// - Parameters:
  ///   - past: keys before the first query's own.
  ///   - rows: of queries in a block, for a sequence of so many.
  package static func of(
    _ starts: [Int32], _ shape: AttentionShape, past: Int = 0, rows: (_ length: Int) -> Int
  ) -> [QueryBlock] {
    var blocks: [QueryBlock] = []
    let ends = zip(starts.lazy.map(Int.init), starts.dropFirst().lazy.map(Int.init))
    for (sequence, (start, end)) in ends.enumerated() {
      let rows = rows(end - start)
      for first in stride(from: start, to: end, by: rows) {
        let last = min(first + rows, end)
        let position = first - start + past
        let firstKey = shape.firstKey(of: position)
        blocks.append(
          QueryBlock(
            sequence: sequence, position: position, queries: first..<last,
            keys: start + firstKey..<last + past, diagonal: position - firstKey))
      }
    }
    return blocks
  }
}

/// The gradients that attention's backward pass writes; all overwritten.
package struct AttentionGradients {
  package let dq: Matrix  // [T, heads·headDim]
  package let dk: Matrix  // [T, keyValueHeads·headDim]
  package let dv: Matrix  // [T, keyValueHeads·valueDim]

  package init(dq: Matrix, dk: Matrix, dv: Matrix) {
    self.dq = dq
    self.dk = dk
    self.dv = dv
  }
}

/// A sequence that goes on: its new rows, and its keys and values with theirs at the end.
package struct CachedSequence {
  /// The new rows among those of the step.
  package let rows: Range<Int>
  /// `[past + rows, keyValueHeads·headDim]`, the new rows' keys at the end.
  package let keys: Matrix
  /// `[past + rows, keyValueHeads·valueDim]`
  package let values: Matrix

  package init(rows: Range<Int>, keys: Matrix, values: Matrix) {
    self.rows = rows
    self.keys = keys
    self.values = values
  }

  /// How many keys stand before the new rows'.
  package var past: Int { keys.rows - rows.count }
}

/// The keys `[n, keyValueHeads·headDim]` and values `[n, keyValueHeads·valueDim]` of a step's new rows.
package struct NewKeyValues {
  package let k: Matrix
  package let v: Matrix

  package init(k: Matrix, v: Matrix) {
    self.k = k
    self.v = v
  }
}
