import FireflyTensors

/// A loss as what can be added up: the sum over targets, and their count.
public struct LossSum: Sendable, Equatable {
  public var sum: Double
  public var count: Int
  /// The routers' auxiliary loss times the targets of its micro-batch, added up; not part of `sum`.
  public var balance: Double

  public init(sum: Double = 0, count: Int = 0, balance: Double = 0) {
    self.sum = sum
    self.count = count
    self.balance = balance
  }

  /// Mean per target; NaN when there is none.
  public var mean: Double { count > 0 ? sum / Double(count) : .nan }

  package static func += (left: inout LossSum, right: LossSum) {
    left.sum += right.sum
    left.count += right.count
    left.balance += right.balance
  }
}

/// The losses of a batch's targets: of all together, and of each sequence.
public struct BatchLoss: Sendable, Equatable {
  public var total: LossSum
  /// As the batch's sequences lie; without `balance`.
  public var sequences: [LossSum]
}

/// What a model says of one target token.
package struct TargetScore: Sendable, Equatable {
  /// −log p of the target, nats.
  package var loss: Float
  /// The target is the model's own choice: the most likely token, of equals the lowest id.
  package var isBest: Bool

  package init(loss: Float, isBest: Bool) {
    self.loss = loss
    self.isBest = isBest
  }
}

/// Final norm, output head and cross-entropy at the target rows only, in panels or chunks: never N×V at once.
struct Head {
  let norm: Norm
  let weight: LinearWeight  // [V, C]
  /// What products are computed in.
  let compute: DType
  /// Logits become cap·tanh(logit / cap); nil: they stay as they are.
  let cap: Float?
  /// What the weight follows from; nil: it is frozen.
  var trained: TrainedHead?
  /// A low-rank pair on the head; nil: there is none.
  var adapter: GroupAdapter?
  let decoding = DecodingHead()

  /// Of the pair's dropout: beyond those of all blocks.
  static let stream: UInt64 = 0xFFFF_FFFF

  /// Largest block of logits held, in elements: 32 MiB of float32.
  static let chunkElements = 8 << 20

  /// The same with another matrix, which is trained.
  func training(_ matrix: TrainedMatrix, _ form: TrainedHead.Form) -> Head {
    Head(
      norm: norm, weight: .dense(matrix.copy), compute: compute, cap: cap,
      trained: TrainedHead(parameter: matrix.parameter, form: form))
  }

  /// To be called after the parameters' values, and a tied embedding's copy, were changed.
  func parametersChanged() {
    decoding.forget()
    norm.parametersChanged()
    if case .dense(let copy) = weight { trained?.renew(copy) }
    adapter?.parametersChanged()
  }

  /// −log p of the targets; with `weights`, also the gradient of their weighted sum, d(Σ weight·loss)/dx, times the pass's
  /// loss scale.
  ///
  /// - Parameters:
  ///   - labels: `[T]`, or -1 where there is no target.
  ///   - starts: `[S+1]` offsets of the sequences.
  ///   - weights: `[T]`; those of rows that are no targets do not matter.
  func loss(  // [T, C]
    _ x: Tensor, labels: [Int32], starts: [Int32], weights: [Float]?, _ pass: Pass
  ) -> (loss: BatchLoss, dx: Tensor?) {
    let targets = labels.indices.filter { labels[$0] >= 0 }
    let rows = targets.map { Int32($0) }
    let kept = Tensor([rows.count, x.columns], .float32, on: x.device)  // [N, C]
    Ops.gatherRows(kept.matrix, x.matrix, rows: rows)
    let normed = Tensor(kept.shape, compute, on: x.device)
    let normSaved = norm.forward(into: normed.matrix, kept.matrix)
    let dNormed = weights.map { _ in Tensor(kept.shape, .float32, on: x.device) }
    let scaled = weights.map { all in targets.map { all[$0] * pass.lossScale } }
    let (sum, losses) = crossEntropy(normed, targets.map { labels[$0] }, weights: scaled, dNormed, pass)
    let loss = BatchLoss(
      total: LossSum(sum: sum, count: targets.count), sequences: sums(losses, of: targets, starts))
    guard let dNormed else { return (loss, nil) }

    let dKept = Tensor.zeros(kept.shape, .float32, on: x.device)
    norm.backward(dKept.matrix, dNormed.matrix, kept.matrix, normSaved)
    let dx = Tensor.zeros(x.shape, .float32, on: x.device)
    Ops.scatterAddRows(dx.matrix, rows, dKept.matrix)
    return (loss, dx)
  }

  /// As `loss` with weights, which are one for each sequence here and depend on the losses: so the logits are computed
  /// twice, for the losses and then for the gradient.
  func loss(  // [T, C]
    _ x: Tensor, labels: [Int32], starts: [Int32], _ pass: Pass, sequenceWeights: (BatchLoss) -> [Float]
  ) -> (loss: BatchLoss, dx: Tensor?) {
    let loss = loss(x, labels: labels, starts: starts, weights: nil, pass).loss
    let own = sequenceWeights(loss)
    precondition(own.count == starts.count - 1, "\(own.count) weights, \(starts.count - 1) sequences")
    let weights = zip(own, zip(starts, starts.dropFirst())).flatMap { weight, bounds in
      [Float](repeating: weight, count: Int(bounds.1 - bounds.0))
    }
    return self.loss(x, labels: labels, starts: starts, weights: weights, pass)
  }

  /// The rows' losses and their sum; dNormed is set to the gradient of the weighted sum, and the weight's is added to.
  private func crossEntropy(  // [N, C] c
    _ x: Tensor, _ labels: [Int32], weights: [Float]?, _ dNormed: Tensor?, _ pass: Pass
  ) -> (sum: Double, losses: [Float]) {
    let weights = weights.map { Tensor($0, [$0.count], on: x.device) }
    let losses =
      goesByPanels
      ? crossEntropyByPanels(x, labels, weights: weights, dNormed)
      : crossEntropyByRows(x, labels, weights: weights, dNormed, pass)
    return (losses.reduce(0) { $0 + Double($1) }, losses)
  }

  /// The same for some whole rows of logits at a time.
  private func crossEntropyByRows(  // [N, C] c
    _ x: Tensor, _ labels: [Int32], weights: Tensor?, _ dNormed: Tensor?, _ pass: Pass
  ) -> [Float] {
    let dLogits = dNormed.map { _ in
      Tensor([chunkRows(labels.count), weight.outputs], compute, on: x.device)
    }
    var chunks: [Tensor] = []
    forEachChunk(x, pass) { range, logits, low in
      let gradient = dLogits?.slice(0..<range.count).matrix
      chunks.append(
        Ops.crossEntropy(
          logits: logits, labels: Array(labels[range]), gradient: gradient, weights: weights?.slice(range)))
      if let gradient, let dNormed {
        if let cap { Ops.softCapGradient(gradient, y: logits, cap) }
        inputGradient(dNormed.slice(range).matrix, gradient, weight, accumulate: false)
        trained?.addGradient(gradient, x.slice(range).matrix)
        if let low {
          addPairGradients(dNormed.slice(range).matrix, gradient, low, x.slice(range).matrix, pass, range)
        }
      }
    }
    // Read when all is under way: a card would wait for each chunk.
    return chunks.flatMap(\.floats)
  }

  /// Each sequence's losses added up.
  private func sums(_ losses: [Float], of targets: [Int], _ starts: [Int32]) -> [LossSum] {
    var sums = [LossSum](repeating: LossSum(), count: starts.count - 1)
    var sequence = 0
    for (target, loss) in zip(targets, losses) {
      while target >= starts[sequence + 1] { sequence += 1 }
      sums[sequence] += LossSum(sum: Double(loss), count: 1)
    }
    return sums
  }

  /// What the model says of `labels`, one for each row.
  func scores(_ x: Matrix, labels: [Int32]) -> [TargetScore] {  // [N, C] float32
    let normed = Tensor([x.rows, x.columns], compute, on: x.device)
    _ = norm.forward(into: normed.matrix, x)
    if goesByPanels { return scoresByPanels(normed, labels) }
    var scores: [TargetScore] = []
    forEachChunk(normed, .evaluation) { range, logits, _ in
      let labels = Array(labels[range])
      let losses = Ops.crossEntropy(logits: logits, labels: labels).floats
      let best = Ops.isLargest(logits, columns: labels).flags
      scores += zip(losses, best).map { TargetScore(loss: $0, isBest: $1) }
    }
    return scores
  }

  /// The rows behind the last norm.
  func normed(_ x: Matrix) -> Tensor {  // [N, C] float32 → [N, C] float32
    let normed = Tensor([x.rows, x.columns], .float32, on: x.device)
    _ = norm.forward(into: normed.matrix, x)
    return normed
  }

  /// Rows whose logits are held at the same time.
  private func chunkRows(_ rows: Int) -> Int { max(1, min(rows, Head.chunkElements / weight.outputs)) }

  /// Gives `body` the logits of the normed rows `x`, one block after the other in the same place, and what a pair's A made of
  /// them.
  private func forEachChunk(  // [N, C] c
    _ x: Tensor, _ pass: Pass, _ body: (Range<Int>, _ logits: Matrix, _ low: Matrix?) -> Void
  ) {
    let chunk = chunkRows(x.rows)
    let logits = Tensor([chunk, weight.outputs], .float32, on: x.device)
    for start in stride(from: 0, to: x.rows, by: chunk) {
      let range = start..<min(start + chunk, x.rows)
      let part = logits.slice(0..<range.count).matrix  // [n, V]
      multiply(part, x.slice(range).matrix, weight)
      let low = addPair(part, x.slice(range).matrix, pass, firstRow: start)
      if let cap { Ops.softCap(part, cap) }
      body(range, part, low)
    }
  }

  /// Logits of the given rows, `[N, V]` float32; row by row through the form for generation.
  func logits(_ x: Matrix, _ pass: Pass) -> Tensor {  // [N, C] float32
    let normed = Tensor([x.rows, x.columns], compute, on: x.device)
    _ = norm.forward(into: normed.matrix, x)
    let logits = Tensor([x.rows, weight.outputs], .float32, on: x.device)
    if pass.rowByRow {
      multiplyByRow(logits.matrix, normed.matrix)
    } else {
      multiply(logits.matrix, normed.matrix, weight)
    }
    addPair(logits.matrix, normed.matrix, pass)
    if let cap { Ops.softCap(logits.matrix, cap) }
    return logits
  }

  // MARK: - A low-rank pair

  /// logits += low·Bᵀ; returns low, or nil without a pair.
  @discardableResult private func addPair(  // [n, V], [n, C] c → [n, r]
    _ logits: Matrix, _ x: Matrix, _ pass: Pass, firstRow: Int = 0
  ) -> Matrix? {
    guard let adapter, let pair = adapter.pairs[0] else { return nil }
    let low = adapter.low(
      x, pass, pass.dropoutKey(stream: Head.stream, firstRow: pass.firstTarget + firstRow))
    let together = pass.rowByRow ? 1 : max(1, x.rows)
    for row in stride(from: 0, to: x.rows, by: together) {
      let rows = row..<row + min(together, x.rows)
      Ops.matmul(logits.rows(rows), low.rows(rows), pair.bCompute.matrix, transposeB: true, accumulate: true)
    }
    return low
  }

  private func addPairGradients(  // [n, C] float32, [n, V] c, [n, r], [n, C] c
    _ dx: Matrix, _ dLogits: Matrix, _ low: Matrix, _ x: Matrix, _ pass: Pass, _ range: Range<Int>
  ) {
    guard let adapter else { return }
    let key = pass.dropoutKey(stream: Head.stream, firstRow: pass.firstTarget + range.lowerBound)
    Ops.add(adapter.addGradients([dLogits], low, x, pass, key), to: dx)
  }
}

extension Architecture {
  /// Rows and columns of the logits that the loss holds at the same time.
  ///
  /// - Parameter byPanels: the head is frozen, without a pair, on a device that takes panels; otherwise rows are whole.
  package func logitBlock(byPanels: Bool) -> (rows: Int, columns: Int) {
    byPanels
      ? (Head.panelRows, min(Head.panelOutputs, vocabularySize))
      : (max(1, Head.chunkElements / vocabularySize), vocabularySize)
  }
}
