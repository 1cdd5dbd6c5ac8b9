import CKernels
import FireflyBase

extension CPU {
  /// Blocks of queries against the keys that they see, one head at a time.
  package func attention(
    _ out: Matrix, logSums: Tensor?, q: Matrix, k: Matrix, v: Matrix, starts: [Int32], shape: AttentionShape
  ) {
    let sequences = zip(starts, starts.dropFirst()).map { Int($0)..<Int($1) }
    let blocks = QueryBlock.forThreads(starts, shape)
    CPU.attend(out, logSums: logSums?.matrix, q: q, k: k, v: v, sequences: sequences, blocks, shape)
  }

  /// - Parameters:
  ///   - logSums: `[heads, T]`
  ///   - sequences: rows of k and v.
  private static func attend(
    _ out: Matrix, logSums: Matrix?, q: Matrix, k: Matrix, v: Matrix, sequences: [Range<Int>],
    _ blocks: [QueryBlock], _ shape: AttentionShape
  ) {
    let kernels = InstructionSet.attention(of: q.dtype)
    let panels = KeyPanels(k, v, sequences, shape, for: .forward, kernels)
    Parallel.run(blocks.count * shape.heads) { task in
      let (block, head) = (blocks[task / shape.heads], task % shape.heads)
      attend(out, logSums: logSums, q: q, block, head: head, panels, shape, kernels)
    }
  }

  private static func attend(
    _ out: Matrix, logSums: Matrix?, q: Matrix, _ block: QueryBlock, head: Int, _ panels: KeyPanels,
    _ shape: AttentionShape, _ kernels: kernels_attention
  ) {
    var queries = panels.queries(q, block, head: head)
    let units = kernels.forward_memory(q.dtype.code, shape.headDim, shape.valueDim)
    withExtendedLifetime(Tensor([units], .float32)) { memory in
      kernels.forward(
        out.rows(block.queries).columns(shape.valueColumns(head)).output(),
        logSums.map { $0.floatRow(head) + block.queries.lowerBound }, &queries, memory.units)
    }
  }

  /// One block of queries whose heads share no keys: each task packs what it reads, so that the panels stay in its caches.
  private static func attendByHead(
    _ out: Matrix, logSums: Matrix?, q: Matrix, k: Matrix, v: Matrix, _ block: QueryBlock,
    _ shape: AttentionShape
  ) {
    let kernels = InstructionSet.attention(of: q.dtype)
    Parallel.run(shape.heads) { head in
      let one = shape.only(head)
      let (keys, values) = (k.columns(shape.columns(head)), v.columns(shape.valueColumns(head)))
      let panels = KeyPanels(keys, values, [0..<k.rows], one, for: .forward, kernels)
      attend(
        out.columns(shape.valueColumns(head)), logSums: logSums?.rows(head..<head + 1),
        q: q.columns(shape.columns(head)), block, head: 0, panels, one, kernels)
    }
  }

  /// Threads share the heads of all rows where each sequence has few; otherwise the sequences, or where there are few the heads
  /// of each.
  package func attentionCached(
    _ out: Matrix, logSums: Tensor?, q: Matrix, adding new: NewKeyValues?, sequences: [CachedSequence],
    shape: AttentionShape
  ) {
    let logSums = logSums?.matrix
    func hasFewRows(_ sequence: CachedSequence) -> Bool {
      sequence.rows.count <= 4 && shape.valueDim <= KERNELS_HEAD_LIMIT
    }
    if sequences.allSatisfy(hasFewRows) {
      for sequence in sequences { append(new, to: sequence) }
      return CPU.attendRows(out, logSums: logSums, q: q, sequences, shape)
    }
    let attend = { (sequence: CachedSequence) in
      self.append(new, to: sequence)
      if hasFewRows(sequence) { return CPU.attendRows(out, logSums: logSums, q: q, [sequence], shape) }
      let rows = sequence.rows
      CPU.attend(
        out.rows(rows), logSums: logSums?.columns(rows), q: q.rows(rows), keys: sequence.keys,
        values: sequence.values, past: sequence.past, shape)
    }
    if sequences.count >= Parallel.threads {
      Parallel.run(sequences.count) { attend(sequences[$0]) }
    } else {
      sequences.forEach(attend)
    }
  }

  /// Copies the sequence's new keys and values to the ends of those that it has.
  private func append(_ new: NewKeyValues?, to sequence: CachedSequence) {
    guard let new else { return }
    let end = sequence.past..<sequence.keys.rows
    convert(sequence.keys.rows(end), new.k.rows(sequence.rows))
    convert(sequence.values.rows(end), new.v.rows(sequence.rows))
  }

  /// A task for each row and key head. Heads that share a key head read its cache together, but for those of many.
  private static func attendRows(
    _ out: Matrix, logSums: Matrix?, q: Matrix, _ sequences: [CachedSequence], _ shape: AttentionShape
  ) {
    let parts = (shape.group + headsTogether - 1) / headsTogether
    let tasksOfRow = shape.keyValueHeads * parts
    let rows = sequences.reduce(0) { $0 + $1.rows.count }
    Parallel.run(rows * tasksOfRow) { task in
      var (index, row) = (0, task / tasksOfRow)
      while row >= sequences[index].rows.count {
        row -= sequences[index].rows.count
        index += 1
      }
      let (head, part) = (task % tasksOfRow / parts, task % tasksOfRow % parts)
      let own = part * headsTogether..<min((part + 1) * headsTogether, shape.group)
      attendRow(
        out, logSums: logSums, q: q, sequences[index], row: row, head: head,
        heads: own.shifted(by: head * shape.group), shape)
    }
  }

  /// The new rows of one sequence by blocks.
  private static func attend(
    _ out: Matrix, logSums: Matrix?, q: Matrix, keys: Matrix, values: Matrix, past: Int,
    _ shape: AttentionShape
  ) {
    let seen = shape.firstKey(of: past)..<keys.rows
    let (k, v) = (keys.rows(seen), values.rows(seen))
    let blocks = QueryBlock.forThreads([0, Int32(q.rows)], shape, past: past - seen.lowerBound)
    if blocks.count == 1 && shape.group == 1 {
      attendByHead(out, logSums: logSums, q: q, k: k, v: v, blocks[0], shape)
    } else {
      attend(out, logSums: logSums, q: q, k: k, v: v, sequences: [0..<seen.count], blocks, shape)
    }
  }

  /// Query heads of one task.
  private static let headsTogether = 8

  /// The queries of some heads that share key head `head`, of one of the sequence's new rows.
  private static func attendRow(
    _ out: Matrix, logSums: Matrix?, q: Matrix, _ sequence: CachedSequence, row: Int, head: Int,
    heads: Range<Int>, _ shape: AttentionShape
  ) {
    let place = sequence.rows.lowerBound + row
    /// The row's columns of these heads as `[heads, size]`.
    func oneHeadARow(_ x: Matrix, _ size: Int) -> Matrix {
      let first = x.byteOffset + (place * x.stride + heads.lowerBound * size) * x.dtype.byteCount
      return Matrix(
        storage: x.storage, byteOffset: first, rows: heads.count, columns: size, stride: size, dtype: x.dtype)
    }
    let position = sequence.past + row
    let seen = shape.firstKey(of: position)..<position + 1
    let k = sequence.keys.rows(seen).columns(shape.columns(head))
    let v = sequence.values.rows(seen).columns(shape.valueColumns(head))
    InstructionSet.kernels.pointee.attention_row(
      oneHeadARow(out, shape.valueDim).output(), logSums.map { $0.floatRow(heads.lowerBound) + place },
      logSums?.stride ?? 0, oneHeadARow(q, shape.headDim).input(), k.input(), v.input(), heads.count,
      shape.headDim, shape.valueDim, seen.count, shape.scale, shape.cap ?? 0,
      shape.slopes.map { $0.floatPointer + heads.lowerBound })
  }
}

// MARK: - Sinks

extension CPU {
  package func addSinks(_ sinks: Tensor, to out: Matrix, logSums: Tensor) {
    let (k, heads, rows) = (InstructionSet.kernels, sinks.count, out.rows)
    CPU.split(rows, cost: 2 * out.columns) { own in
      k.pointee.attention_sinks(
        out.output(from: own.lowerBound), logSums.floatPointer + own.lowerBound, rows, sinks.floatPointer,
        own.count, heads, out.columns / heads)
    }
  }

  /// Threads share the heads, so that sums keep the order of the rows.
  package func addSinkGradient(_ dSinks: Tensor, dots: Tensor, logSums: Tensor, sinks: Tensor) {
    let (k, rows) = (InstructionSet.kernels, dots.shape[1])
    CPU.split(sinks.count, cost: 16 * rows) { heads in
      for head in heads {
        dSinks.floatPointer[head] += k.pointee.attention_sink_gradient(
          dots.floatPointer + head * rows, logSums.floatPointer + head * rows, sinks.floatPointer[head], rows)
      }
    }
  }
}

extension QueryBlock {
  /// Queries of a block on the processor.
  static let threadRows = Int(KERNELS_ATTENTION_ROWS)

  /// The blocks of all sequences, the largest first so that threads end together.
  static func forThreads(_ starts: [Int32], _ shape: AttentionShape, past: Int = 0) -> [QueryBlock] {
    of(starts, shape, past: past) { _ in threadRows }.sorted { $0.cost > $1.cost }
  }

  var cost: Int { queries.count * keys.count }
}

extension Tensor {
  /// Where head's values for `rows` start in `[heads, T]`.
  func head(_ head: Int, _ rows: Range<Int>) -> UnsafeMutablePointer<Float> {
    floatPointer + head * shape[1] + rows.lowerBound
  }
}
