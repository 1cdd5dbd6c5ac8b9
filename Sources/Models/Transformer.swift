import FireflyBase
import FireflyTensors
import FireflyWeights

/// How the frozen linear layers are held.
public enum Quantization: Equatable, Sendable {
  /// Weights in the compute dtype; those of a 4-bit checkpoint stay 4-bit.
  case none
  /// NF4 (Dettmers et al., 2023), the scales quantised again when `double`.
  case nf4(double: Bool)
}

/// A decoder-only language model: frozen base weights, and an optional low-rank adapter that can be trained.
///
/// Rows are ragged: `starts` holds the offsets of the sequences laid end to end in `tokens` (count S+1, the
/// last being T); no sequence sees another. Not thread-safe: one thread at a time.
public final class Transformer: @unchecked Sendable {
  public let architecture: Architecture
  /// The dtype of products: bfloat16 or float32. Sums, norms, softmax, rotary and loss are float32.
  public let compute: DType
  let embedding: Embedding
  let blocks: [Block]
  let head: Head
  /// Tensors of the files that the model does not use, sorted; those known to be of no use are left out.
  public let unusedTensors: [String]
  /// The adapter's settings; nil without one.
  public internal(set) var adapterOptions: LoRAOptions?
  /// What `keepAdapter` has kept, by name.
  var kept: [String: KeptAdapter] = [:]

  init(
    architecture: Architecture, compute: DType, embedding: Embedding, blocks: [Block], head: Head,
    unusedTensors: [String]
  ) {
    self.architecture = architecture
    self.compute = compute
    self.embedding = embedding
    self.blocks = blocks
    self.head = head
    self.unusedTensors = unusedTensors
  }

  // MARK: - Parameters

  /// Every linear group of the model, with the prefix of its parameters' names.
  var groups: [(prefix: String, group: LinearGroup)] {
    blocks.enumerated().flatMap { index, block in
      let prefix = architecture.names.prefix(index)
      return ([block.attention.input, block.attention.output] + block.feedForward.groups)
        .map { (prefix, $0) }
    }
  }

  /// What is trained, in the order of the computation; empty without an adapter.
  public var parameters: [Parameter] { groups.flatMap(\.group.parameters) }

  public func zeroGradients() {
    for parameter in parameters { parameter.gradient.setZero() }
  }

  /// To be called after the parameters' values were changed: renews the copies in the compute dtype.
  public func parametersChanged() {
    head.decoding.forget()
    for (_, group) in groups { group.parametersChanged() }
  }

  // MARK: - Training

  /// Adds d(scale·Σ losses)/dθ to the parameters' gradients; the routers' auxiliary loss counts as one more loss of every
  /// target.
  ///
  /// - Parameters:
  ///   - tokens: `[T]`, ids below the vocabulary's size.
  ///   - labels: `[T]`, the id that each position shall predict, or -1.
  ///   - starts: `[S+1]` offsets of the sequences.
  ///   - scale: 1 / the targets of the whole optimizer step.
  /// - Returns: the sum of the losses and the count of targets.
  public func accumulateGradients(
    tokens: [Int32], labels: [Int32], starts: [Int32], scale: Float, pass: Pass
  ) -> LossSum {
    check(tokens, labels, starts)
    guard labels.contains(where: { $0 >= 0 }) else { return LossSum() }
    let targets = labels.count { $0 >= 0 }
    let balance = architecture.experts.flatMap {
      $0.balance.coefficient > 0 ? BalanceLoss($0, starts: starts, weight: scale * Float(targets)) : nil
    }
    let batch = context(starts, pass, balance)
    if pass.checkpointing {
      return accumulate(blocks.map(Checkpointed.init(inner:)), tokens, labels, scale, batch)
    }
    return accumulate(blocks, tokens, labels, scale, batch)
  }

  private func accumulate<L: Layer>(
    _ layers: [L], _ tokens: [Int32], _ labels: [Int32], _ scale: Float, _ batch: BatchContext
  ) -> LossSum {
    var x = embedding.forward(tokens)
    var saved: [L.Saved] = []
    for layer in layers {
      let (y, kept) = layer.forward(x, batch)
      saved.append(kept)
      x = y
    }
    batch.balance?.close()
    var (loss, dy) = head.loss(x, labels: labels, scale: scale)
    loss.balance = (batch.balance?.value ?? 0) * Double(loss.count)
    for layer in layers.reversed() {
      guard let gradient = dy, let kept = saved.popLast() else { break }
      dy = layer.backward(gradient, kept, batch)
    }
    return loss
  }

  // MARK: - Evaluation

  /// The losses of the targets, without gradients or dropout.
  public func loss(tokens: [Int32], labels: [Int32], starts: [Int32]) -> LossSum {
    check(tokens, labels, starts)
    guard labels.contains(where: { $0 >= 0 }) else { return LossSum() }
    return head.loss(hidden(tokens, starts), labels: labels, scale: nil).loss
  }

  /// What the model says of each target, in the order of the positions; without gradients or dropout.
  ///
  /// - Returns: as many as `labels` has elements of at least 0.
  public func scores(tokens: [Int32], labels: [Int32], starts: [Int32]) -> [TargetScore] {
    check(tokens, labels, starts)
    let targets = labels.indices.filter { labels[$0] >= 0 }
    guard !targets.isEmpty else { return [] }
    let rows = gathered(hidden(tokens, starts), targets)
    return head.scores(rows.matrix, labels: targets.map { labels[$0] })
  }

  /// Logits of every position, `[T, V]` float32: for tests and short texts.
  public func logits(tokens: [Int32], starts: [Int32]) -> Tensor {
    check(tokens, tokens, starts)
    return head.logits(hidden(tokens, starts).matrix)
  }

  private func hidden(_ tokens: [Int32], _ starts: [Int32]) -> Tensor {  // [T] → [T, C]
    let batch = context(starts, Pass(training: false, checkpointing: false))
    return blocks.reduce(embedding.forward(tokens)) { x, block in block.forward(x, batch).y }
  }

  // MARK: - Generation

  /// An empty cache for one sequence of at most `capacity` tokens.
  public func makeCache(capacity: Int) -> KVCache {
    KVCache(
      layers: architecture.layers, width: architecture.keyValueSize, dtype: compute, capacity: capacity)
  }

  /// Continues each cache by its tokens.
  ///
  /// Those that continue by one token share each pass over the weights, row by row; a longer piece has a pass of its
  /// own. So what a sequence gets does not depend on the others.
  ///
  /// - Returns: `[rows, V]` float32, the logits after each one's last token.
  public func step(_ rows: [(cache: KVCache, tokens: [Int32])]) -> Tensor {
    let last = Tensor([rows.count, architecture.hiddenSize], .float32)
    let together = rows.indices.filter { rows[$0].tokens.count == 1 }
    let alone = rows.indices.filter { rows[$0].tokens.count != 1 }.map { [$0] }
    for group in alone + (together.isEmpty ? [] : [together]) {
      let (x, placed) = continued(group.map { rows[$0] })
      for (index, row) in zip(group, placed) {
        Ops.gatherRows(last.matrix.rows(index..<index + 1), x.matrix, rows: [Int32(row.range.upperBound - 1)])
      }
    }
    return head.logits(last.matrix, rowByRow: true)
  }

  /// Continues each cache by its tokens, all in one pass, and scores what each of the tokens shall predict.
  ///
  /// - Parameter rows: `labels` has one id for each token.
  /// - Returns: for each row as many scores as it has tokens.
  public func scores(_ rows: [(cache: KVCache, tokens: [Int32], labels: [Int32])]) -> [[TargetScore]] {
    let labels = rows.flatMap(\.labels)
    precondition(rows.allSatisfy { $0.tokens.count == $0.labels.count }, "a label for each token")
    let (x, placed) = continued(rows.map { ($0.cache, $0.tokens) })
    check(labels, labels, [0, Int32(labels.count)])
    let scores = head.scores(x.matrix, labels: labels)
    return placed.map { Array(scores[$0.range]) }
  }

  /// Continues one cache by its tokens.
  ///
  /// - Returns: `[tokens, V]` float32, the logits after every one.
  public func stepKeepingAll(_ cache: KVCache, _ tokens: [Int32]) -> Tensor {
    head.logits(continued([(cache, tokens)]).x.matrix)
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
    let rotary = architecture.rotary?.tables(
      placed.map { Positions(first: $0.past, count: $0.range.count) })
    let x = embedding.forward(tokens)
    for (index, block) in blocks.enumerated() { block.step(x, placed, layer: index, rotary) }
    return (x, placed)
  }

  // MARK: - Shared

  private func gathered(_ x: Tensor, _ rows: [Int]) -> Tensor {  // [T, C] → [N, C]
    let kept = Tensor([rows.count, x.columns], .float32)
    Ops.gatherRows(kept.matrix, x.matrix, rows: rows.map { Int32($0) })
    return kept
  }

  private func context(_ starts: [Int32], _ pass: Pass, _ balance: BalanceLoss? = nil) -> BatchContext {
    let sequences = zip(starts, starts.dropFirst()).map { Positions(first: 0, count: Int($1 - $0)) }
    return BatchContext(
      starts: starts, rotary: architecture.rotary?.tables(sequences), pass: pass, balance: balance)
  }

  private func check(_ tokens: [Int32], _ labels: [Int32], _ starts: [Int32]) {
    let vocabulary = Int32(architecture.vocabularySize)
    precondition(tokens.count == labels.count, "\(tokens.count) tokens, \(labels.count) labels")
    precondition(
      starts.first == 0 && starts.last == Int32(tokens.count)
        && zip(starts, starts.dropFirst()).allSatisfy { $0 < $1 },
      "starts \(starts) for \(tokens.count) tokens")
    precondition(tokens.allSatisfy { $0 >= 0 && $0 < vocabulary }, "a token outside 0..<\(vocabulary)")
    precondition(labels.allSatisfy { $0 < vocabulary }, "a label outside 0..<\(vocabulary)")
  }

  // MARK: - Sizes

  /// Bytes of the frozen weights as held.
  public var weightBytes: Int {
    let linears = groups.flatMap(\.group.parts).reduce(0) { $0 + $1.weight.byteCount }
    let shared = architecture.tiedHead ? 0 : head.weight.byteCount
    return linears + embedding.table.byteCount + shared
  }

  /// Bytes of weights that a pass of generation reads.
  public var bytesPerStep: Int {
    groups.flatMap(\.group.parts).reduce(0) { $0 + $1.weight.byteCount }
      + head.decoding.byteCount(head.weight)
  }

  /// Trainable elements.
  public var trainableCount: Int { parameters.reduce(0) { $0 + $1.value.count } }
}

extension FrozenWeight {
  /// Bytes as held.
  var byteCount: Int {
    switch self {
    case .dense(let tensor): tensor.byteCount
    case .nf4(let tensor): tensor.byteCount
    }
  }
}
