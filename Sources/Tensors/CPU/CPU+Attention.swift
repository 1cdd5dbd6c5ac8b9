import CKernels
import FireflyBase

extension CPU {
  /// Query blocks are taken against the keys up to their diagonal, from the first that they see.
  package func attention(
    _ out: Matrix, logSums: Tensor?, q: Matrix, k: Matrix, v: Matrix, starts: [Int32], shape: AttentionShape
  ) {
    let blocks = QueryBlock.forThreads(starts, shape)
    Parallel.run(blocks.count * shape.heads) { task in
      let block = blocks[task / shape.heads]
      let head = task % shape.heads
      block.attend(out, q: q, k: k, v: v, head: head, shape, logSums: logSums?.head(head, block.queries))
    }
  }

  /// Threads share the sequences, or the heads of each where there are few.
  package func attentionCached(
    _ out: Matrix, q: Matrix, adding new: NewKeyValues?, sequences: [CachedSequence], shape: AttentionShape
  ) {
    let attend = { (sequence: CachedSequence) in
      let (rows, end) = (sequence.rows, sequence.past..<sequence.keys.rows)
      if let new {
        self.convert(sequence.keys.rows(end), new.k.rows(rows))
        self.convert(sequence.values.rows(end), new.v.rows(rows))
      }
      CPU.attend(
        out.rows(rows), q: q.rows(rows), keys: sequence.keys, values: sequence.values, past: sequence.past,
        shape)
    }
    if sequences.count >= Parallel.threads {
      Parallel.run(sequences.count) { attend(sequences[$0]) }
    } else {
      sequences.forEach(attend)
    }
  }

  private static func attend(
    _ out: Matrix, q: Matrix, keys: Matrix, values: Matrix, past: Int, _ shape: AttentionShape
  ) {
    if q.rows <= 4 && shape.valueDim <= KERNELS_HEAD_LIMIT {
      // Heads that share a key head read its cache together, but for those of many.
      let parts = (shape.group + headsTogether - 1) / headsTogether
      Parallel.run(q.rows * shape.keyValueHeads * parts) { task in
        let (row, place) = (task / (shape.keyValueHeads * parts), task % (shape.keyValueHeads * parts))
        let (head, part) = (place / parts, place % parts)
        let own = part * headsTogether..<min((part + 1) * headsTogether, shape.group)
        let heads = own.lowerBound + head * shape.group..<own.upperBound + head * shape.group
        attendRow(
          out, q: q, keys: keys, values: values, row: row, past: past, head: head, heads: heads, shape)
      }
      return
    }
    let blocks = QueryBlock.forThreads([0, Int32(q.rows)], shape, past: past)
    Parallel.run(blocks.count * shape.heads) { task in
      blocks[task / shape.heads].attend(
        out, q: q, k: keys, v: values, head: task % shape.heads, shape, logSums: nil)
    }
  }

  /// Query heads of one task.
  private static let headsTogether = 8

  /// One row's queries of some heads that share key head `head`.
  private static func attendRow(
    _ out: Matrix, q: Matrix, keys: Matrix, values: Matrix, row: Int, past: Int, head: Int, heads: Range<Int>,
    _ shape: AttentionShape
  ) {
    /// The row's columns of these heads as `[heads, size]`.
    func oneHeadARow(_ x: Matrix, _ size: Int) -> Matrix {
      let first = x.byteOffset + (row * x.stride + heads.lowerBound * size) * x.dtype.byteCount
      return Matrix(
        storage: x.storage, byteOffset: first, rows: heads.count, columns: size, stride: size, dtype: x.dtype)
    }
    let seen = shape.firstKey(of: past + row)..<past + row + 1
    let k = keys.rows(seen).columns(shape.columns(head))
    let v = values.rows(seen).columns(shape.valueColumns(head))
    InstructionSet.kernels.pointee.attention_row(
      oneHeadARow(out, shape.valueDim).output(), oneHeadARow(q, shape.headDim).input(), k.input(), v.input(),
      heads.count, shape.headDim, shape.valueDim, seen.count, shape.scale, shape.cap ?? 0,
      shape.slopes.map { $0.floatPointer + heads.lowerBound })
  }
}

extension AttentionShape {
  /// A query head's scores in a block whose first row has its own key in column `diagonal`.
  func mask(head: Int, diagonal: Int) -> kernels_mask {
    kernels_mask(
      scale: scale, slope: slopes.map { $0.floatPointer[head] } ?? 0, cap: cap ?? 0, diagonal: diagonal,
      window: window ?? Int.max)
  }
}

extension QueryBlock {
  /// Queries of a block on the processor.
  static let threadRows = 128

  /// The blocks of all sequences, the largest first so that threads end together.
  static func forThreads(_ starts: [Int32], _ shape: AttentionShape, past: Int = 0) -> [QueryBlock] {
    of(starts, shape, past: past) { _ in threadRows }.sorted { $0.cost > $1.cost }
  }

  var cost: Int { queries.count * keys.count }

  /// out = softmax(scores)·v for this block and one head.
  func attend(
    _ out: Matrix, q: Matrix, k: Matrix, v: Matrix, head: Int, _ shape: AttentionShape,
    logSums: UnsafeMutablePointer<Float>?
  ) {
    let (m, n) = (queries.count, keys.count)
    let keyHead = head / shape.group
    let scores = Tensor([m, n], .float32).matrix
    let probabilities = Tensor([m, n], q.dtype).matrix
    Product(
      out: scores, a: q.rows(queries).columns(shape.columns(head)),
      b: k.rows(keys).columns(shape.columns(keyHead)), transposeB: true
    ).run()
    withUnsafeTemporaryAllocation(of: Float.self, capacity: QueryBlock.threadRows) { spare in
      guard let sums = logSums ?? spare.baseAddress else { return }
      var mask = shape.mask(head: head, diagonal: diagonal)
      InstructionSet.kernels.pointee.attention_softmax(
        probabilities.output(), sums, scores.output(), &mask, m, n)
    }
    Product(
      out: out.rows(queries).columns(shape.valueColumns(head)), a: probabilities,
      b: v.rows(keys).columns(shape.valueColumns(keyHead))
    ).run()
  }
}

extension Tensor {
  /// Where head's values for `rows` start in `[heads, T]`.
  func head(_ head: Int, _ rows: Range<Int>) -> UnsafeMutablePointer<Float> {
    floatPointer + head * shape[1] + rows.lowerBound
  }
}
