import FireflyTensors

// How sequences go on from what their caches hold.

extension Transformer {
  /// An empty cache for one sequence of at most `capacity` tokens.
  public func makeCache(capacity: Int) -> KVCache {
    KVCache(
      layers: architecture.layers, widths: architecture.cacheWidths, dtype: compute, capacity: capacity,
      device: device)
  }

  /// Continues each cache by its tokens.
  ///
  /// Sequences share passes over the weights, but what one gets does not depend on the others: see `shared`.
  ///
  /// - Returns: `[rows, V]` float32, the logits after each one's last token.
  public func step(_ rows: [(cache: KVCache, tokens: [Int32])]) -> Tensor {
    let last = Tensor([rows.count, architecture.hiddenSize], .float32, on: device)
    for pass in shared(rows.map(\.tokens.count)) {
      let (x, placed) = continued(pass.map { rows[$0] })
      for (index, row) in zip(pass, placed) {
        Ops.gatherRows(last.matrix.rows(index..<index + 1), x.matrix, rows: [Int32(row.range.upperBound - 1)])
      }
    }
    return ends.head.logits(last.matrix, .generation)
  }

  /// Continues each cache by its tokens, as `step` does, where nobody asks what comes next: the beginnings of prompts.
  public func read(_ rows: [(cache: KVCache, tokens: [Int32])]) {
    for pass in shared(rows.map(\.tokens.count)) { _ = continued(pass.map { rows[$0] }) }
  }

  /// Continues each cache by its tokens, all in one pass, and scores what each of the tokens shall predict.
  ///
  /// - Parameter rows: `labels` has one id for each token.
  /// - Returns: for each row as many scores as it has tokens.
  package func scores(_ rows: [(cache: KVCache, tokens: [Int32], labels: [Int32])]) -> [[TargetScore]] {
    let labels = rows.flatMap(\.labels)
    precondition(rows.allSatisfy { $0.tokens.count == $0.labels.count }, "a label for each token")
    let (x, placed) = continued(rows.map { ($0.cache, $0.tokens) })
    check(labels, labels, [0, Int32(labels.count)])
    let scores = ends.head.scores(x.matrix, labels: labels)
    return placed.map { Array(scores[$0.range]) }
  }

  /// Continues one cache by its tokens.
  ///
  /// - Returns: `[tokens, V]` float32, the logits after every one.
  public func stepKeepingAll(_ cache: KVCache, _ tokens: [Int32]) -> Tensor {
    ends.head.logits(continued([(cache, tokens)]).x.matrix, .evaluation)
  }

  /// Continues one cache by its tokens.
  ///
  /// - Returns: `[tokens, C]` float32, what the head reads of every one: transformers' `last_hidden_state`.
  public func stepKeepingStates(_ cache: KVCache, _ tokens: [Int32]) -> Tensor {
    ends.head.normed(continued([(cache, tokens)]).x.matrix)
  }

  /// Which sequences, that go on by `counts` tokens, share a pass over the weights.
  private func shared(_ counts: [Int]) -> [[Int]] {
    // How many rows an expert gets decides how they are multiplied: those of one sequence stay by themselves.
    Transformer.shared(counts, alike: architecture.experts == nil ? device.rowsAlike(in: compute) : nil)
  }

  /// Single tokens share one pass, computed row by row. Longer pieces share one as far as the device gives a row of theirs the
  /// same bits in it.
  package static func shared(_ counts: [Int], alike: ClosedRange<Int>?) -> [[Int]] {
    let single = counts.indices.filter { counts[$0] == 1 }
    var passes = single.isEmpty ? [] : [single]
    var open: [Int] = []
    for index in counts.indices where counts[index] != 1 {
      guard let alike, alike.contains(counts[index]) else {
        passes.append([index])
        continue
      }
      if open.reduce(counts[index], { $0 + counts[$1] }) > alike.upperBound {
        passes.append(open)
        open = []
      }
      open.append(index)
    }
    return open.isEmpty ? passes : passes + [open]
  }

  /// The blocks' output for each cache's new tokens.
  private func continued(_ rows: [(cache: KVCache, tokens: [Int32])]) -> (x: Tensor, placed: [CachedRows]) {
    var placed: [CachedRows] = []
    var next = 0
    for (cache, tokens) in rows {
      precondition(!tokens.isEmpty, "a step without tokens")
      placed.append(CachedRows(cache: cache, range: next..<next + tokens.count, past: cache.count))
      next += tokens.count
      cache.extend(by: tokens.count)
    }
    let tokens = rows.flatMap(\.tokens)
    check(tokens, tokens, [0, Int32(tokens.count)])
    let angles = Angles(
      architecture.rotaries, placed.map { Positions(first: $0.past, count: $0.range.count) }, on: device)
    let x = ends.embedding.forward(tokens).x
    for (index, block) in blocks.enumerated() { block.step(x, placed, layer: index, angles) }
    return (x, placed)
  }
}
