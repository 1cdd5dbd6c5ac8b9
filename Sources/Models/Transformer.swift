import FireflyBase
import FireflyTensors
import FireflyWeights

/// How the frozen linear layers are held.
public enum Quantization: Equatable, Sendable {
  /// As the files have them: those of a 4-bit checkpoint in 4 bits, those of a GGUF file in its own blocks, which stay in
  /// the mapped file, embedding and head too; others, and blocks on a card, in the compute dtype.
  case stored
  /// Weights in the compute dtype; those of a 4-bit checkpoint stay 4-bit.
  case none
  /// NF4 (Dettmers et al., 2023), the scales quantised again when `double`.
  case nf4(double: Bool)
}

/// A decoder-only language model: frozen weights with an optional low-rank adapter that can be trained, or trained weights.
///
/// Rows are ragged: `starts` holds the offsets of the sequences laid end to end in `tokens` (count S+1, the
/// last being T); no sequence sees another. Not thread-safe: one thread at a time.
public final class Transformer: @unchecked Sendable {
  package let architecture: Architecture
  /// The dtype of products: bfloat16 or float32, on a card float16 too. Sums, norms, softmax, rotary and loss are float32.
  public let compute: DType
  /// Where its tensors lie.
  package var device: any Device { base.embedding.table.device }
  let blocks: [Block]
  /// Embedding and head of the base.
  let base: Ends
  /// Those in use: an adapter may bring others.
  var ends: Ends
  /// A line for each thing in the model's files, and in those of its adapters, that the user should know: keys without effect,
  /// tensors that are not used.
  public internal(set) var notes: [String]
  /// What is trained; empty where all weights are frozen and there is no adapter.
  package internal(set) var arena: ParameterArena
  /// Is told during a backward, after the head and after each block, from which element of the arena on nothing more is added
  /// to the gradients.
  package var onBackward: ((Int) -> Void)?
  /// What `keepAdapter` has kept, by name.
  var kept: [String: KeptAdapter] = [:]

  init(
    architecture: Architecture, compute: DType, embedding: Embedding, blocks: [Block], head: Head,
    notes: [String], arena: ParameterArena
  ) {
    self.architecture = architecture
    self.compute = compute
    self.blocks = blocks
    base = Ends(embedding: embedding, head: head)
    ends = base
    self.notes = notes
    self.arena = arena
  }

  // MARK: - Parameters

  /// Every linear group of the model, with the prefix of its parameters' names.
  var groups: [(prefix: String, group: LinearGroup)] {
    blocks.enumerated().flatMap { index, block in
      let prefix = architecture.names.prefix(index)
      return (block.attention.groups + block.feedForward.groups).map { (prefix, $0) }
    }
  }

  /// What is trained, in the order of the computation.
  public var parameters: [Parameter] { arena.parameters }

  public func zeroGradients() { arena.zeroGradients() }

  /// To be called after the parameters' values were changed: renews the copies in the compute dtype.
  public func parametersChanged() {
    for block in blocks { block.parametersChanged() }
    ends.parametersChanged()
  }

  // MARK: - Training

  /// Adds d(Σ weight·loss)/dθ over the targets, times the pass's loss scale, to the parameters' gradients; the routers' auxiliary loss counts as one
  /// more loss of every target.
  ///
  /// - Parameters:
  ///   - tokens: `[T]`, ids below the vocabulary's size.
  ///   - labels: `[T]`, the id that each position shall predict, or -1.
  ///   - starts: `[S+1]` offsets of the sequences.
  ///   - weights: `[T]`, what each position's loss counts for: with 1 / the targets of the whole optimizer step, the mean
  ///     is what is minimised. Those of positions without a target do not matter.
  /// - Returns: the losses by themselves, without the weights.
  public func accumulateGradients(
    tokens: [Int32], labels: [Int32], starts: [Int32], weights: [Float], pass: Pass
  ) -> BatchLoss {
    precondition(weights.count == labels.count, "\(weights.count) weights, \(labels.count) labels")
    let weight = zip(labels, weights).reduce(0.0) { $1.0 >= 0 ? $0 + Double($1.1) : $0 }
    return accumulate(tokens, labels, starts, balanceWeight: Float(weight), pass) { x, head in
      head.loss(x, labels: labels, starts: starts, weights: weights, pass)
    }
  }

  /// The same where what a loss counts for depends on the losses, as that of a preferred answer does on the other one's.
  ///
  /// - Parameters:
  ///   - trunks: `[S]`, the number of the sequence before it that each one continues, or -1; a trunk continues none. Empty:
  ///     no sequence continues another. Only where the
  ///     architecture lets sequences share one: not with latent attention, or where numbers depend on what follows.
  ///   - balanceWeight: what the routers' auxiliary loss counts for.
  ///   - sequenceWeights: is given the losses and returns for each sequence what the loss of each of its targets counts for.
  public func accumulateGradients(
    tokens: [Int32], labels: [Int32], starts: [Int32], trunks: [Int32] = [], balanceWeight: Float,
    pass: Pass, sequenceWeights: (BatchLoss) -> [Float]
  ) -> BatchLoss {
    accumulate(tokens, labels, starts, trunks, balanceWeight: balanceWeight, pass) { x, head in
      head.loss(x, labels: labels, starts: starts, pass, sequenceWeights: sequenceWeights)
    }
  }

  private func accumulate(
    _ tokens: [Int32], _ labels: [Int32], _ starts: [Int32], _ trunks: [Int32] = [], balanceWeight: Float,
    _ pass: Pass, _ loss: (Tensor, Head) -> (BatchLoss, dx: Tensor?)
  ) -> BatchLoss {
    check(tokens, labels, starts)
    guard labels.contains(where: { $0 >= 0 }) else { return noLoss(starts) }
    let weight = balanceWeight * pass.lossScale
    let balance = architecture.experts.flatMap {
      $0.balance.coefficient > 0 ? BalanceLoss($0, starts: starts, weight: weight) : nil
    }
    let batch = context(starts, trunks, pass, balance)
    if pass.checkpointing {
      return accumulate(blocks.map(Checkpointed.init(inner:)), tokens, batch, loss)
    }
    return accumulate(blocks, tokens, batch, loss)
  }

  private func accumulate<L: Layer>(
    _ layers: [L], _ tokens: [Int32], _ batch: BatchContext,
    _ loss: (Tensor, Head) -> (BatchLoss, dx: Tensor?)
  ) -> BatchLoss {
    let ends = ends(batch.pass)
    var (x, embedded) = ends.embedding.forward(tokens, batch.noise)
    // Below the lowest block with something to train, nothing is kept and no gradient is needed.
    let lowest = arena.trainable.lowestLayer ?? layers.count
    var saved: [L.Saved] = []
    for (index, layer) in layers.enumerated() {
      let (y, kept) = layer.forward(x, batch)
      if index >= lowest { saved.append(kept) }
      x = y
    }
    batch.balance?.close()
    var (sums, dy) = loss(x, ends.head)
    sums.total.balance = (batch.balance?.value ?? 0) * Double(sums.total.count)
    onBackward?(arena.trainable.end(below: layers.count))
    for (index, layer) in layers.enumerated().dropFirst(lowest).reversed() {
      guard let gradient = dy, let kept = saved.popLast() else { break }
      dy = layer.backward(gradient, kept, batch)
      onBackward?(arena.trainable.end(below: index))
    }
    if arena.trainable.trainsEmbedding, let dy { ends.embedding.backward(dy, embedded) }
    return sums
  }

  // MARK: - Evaluation

  /// The losses of the targets, without gradients.
  ///
  /// - Parameter trunks: `[S]`, or empty: see `accumulateGradients`.
  public func loss(
    tokens: [Int32], labels: [Int32], starts: [Int32], trunks: [Int32] = [], pass: Pass = .evaluation
  ) -> BatchLoss {
    check(tokens, labels, starts)
    guard labels.contains(where: { $0 >= 0 }) else { return noLoss(starts) }
    let x = hidden(tokens, starts, pass, trunks: trunks)
    return ends(pass).head.loss(x, labels: labels, starts: starts, weights: nil, pass).loss
  }

  private func noLoss(_ starts: [Int32]) -> BatchLoss {
    BatchLoss(total: LossSum(), sequences: [LossSum](repeating: LossSum(), count: starts.count - 1))
  }

  /// What the model says of each target, in the order of the positions; without gradients or dropout.
  ///
  /// - Returns: as many as `labels` has elements of at least 0.
  package func scores(tokens: [Int32], labels: [Int32], starts: [Int32]) -> [TargetScore] {
    check(tokens, labels, starts)
    let targets = labels.indices.filter { labels[$0] >= 0 }
    guard !targets.isEmpty else { return [] }
    let rows = gathered(hidden(tokens, starts, .evaluation), targets)
    return ends.head.scores(rows.matrix, labels: targets.map { labels[$0] })
  }

  /// Logits of every position, `[T, V]` float32: for tests and short texts.
  public func logits(tokens: [Int32], starts: [Int32], pass: Pass = .evaluation) -> Tensor {
    check(tokens, tokens, starts)
    return ends(pass).head.logits(hidden(tokens, starts, pass).matrix, .evaluation)
  }

  /// Computes the blocks over one text and keeps nothing: for what looks at their layers.
  func read(_ tokens: [Int32]) {
    let starts = [0, Int32(tokens.count)]
    check(tokens, tokens, starts)
    _ = hidden(tokens, starts, .evaluation)
  }

  private func hidden(  // [T] → [T, C]
    _ tokens: [Int32], _ starts: [Int32], _ pass: Pass, trunks: [Int32] = []
  ) -> Tensor {
    let batch = context(starts, trunks, pass)
    let x = ends(pass).embedding.forward(tokens, batch.noise).x
    return blocks.reduce(x) { x, block in block.forward(x, batch).y }
  }

  // MARK: - Shared

  private func gathered(_ x: Tensor, _ rows: [Int]) -> Tensor {  // [T, C] → [N, C]
    let kept = Tensor([rows.count, x.columns], .float32, on: x.device)
    Ops.gatherRows(kept.matrix, x.matrix, rows: rows.map { Int32($0) })
    return kept
  }

  private func ends(_ pass: Pass) -> Ends { pass.adapters ? ends : base }

  private func context(
    _ starts: [Int32], _ trunks: [Int32], _ pass: Pass, _ balance: BalanceLoss? = nil
  ) -> BatchContext {
    let branches = trunks.contains { $0 >= 0 } ? Branches(starts: starts, trunks: trunks) : nil
    precondition(branches == nil || architecture.sharesTrunks, "\(architecture.family) shares no trunks")
    let sequences = zip(starts, starts.dropFirst()).enumerated().map { index, bounds in
      Positions(first: branches?.offsets[index] ?? 0, count: Int(bounds.1 - bounds.0))
    }
    return BatchContext(
      starts: starts, branches: branches, angles: Angles(architecture.rotaries, sequences, on: device),
      pass: pass, noise: EmbeddingNoise(pass, sequences), reachesEmbedding: arena.trainable.trainsEmbedding,
      balance: balance)
  }

  func check(_ tokens: [Int32], _ labels: [Int32], _ starts: [Int32]) {
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
  package var weightBytes: Int {
    let linears = groups.flatMap(\.group.parts).reduce(0) { $0 + $1.weight.byteCount }
    let shared = architecture.tiedHead ? 0 : base.head.weight.byteCount
    return linears + base.embedding.table.byteCount + shared
  }

  /// Bytes of weights that a pass of generation reads.
  package var bytesPerStep: Int {
    groups.flatMap(\.group.parts).reduce(0) { $0 + $1.weight.byteCount }
      + ends.head.bytesPerStep
  }
}

/// An adapter apart from its model, or the base's having none.
struct KeptAdapter {
  let arena: ParameterArena
  /// As the model's groups.
  let groups: [GroupAdapter?]
  let ends: Ends
}
