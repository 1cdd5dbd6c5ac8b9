import FireflyTensors

/// Several linear layers that read the same input, as one: their outputs lie side by side.
///
/// y = x·Wᵀ + bias + s·(drop(x)·Aᵀ)·Bᵀ (LoRA, Hu et al., 2021), with W frozen, or without A and B and W trained. The
/// adapters of a group share one dropout mask, one product for all A's and one for all input gradients.
final class LinearGroup: @unchecked Sendable {
  /// One linear of the group.
  struct Part {
    let shape: LinearShape
    let weight: LinearWeight  // [out, in]
    let bias: Tensor?  // [out] float32
    /// Whose copy the weight is, and whose value the bias; nil: they are frozen.
    var trained: TrainedLinear?
  }

  struct TrainedLinear {
    let weight: TrainedMatrix
    let bias: Parameter?

    func addGradients(_ dy: Matrix, _ x: Matrix) {  // [T, out], [T, in] c
      weight.parameter.addProduct(dy, x)
      bias?.addColumnSums(dy)
    }
  }

  /// What the backward needs of the forward.
  struct Saved {
    let input: Matrix  // [T, in] c
    let low: Matrix?  // [T, Σr] c, scaled
  }

  let parts: [Part]
  let inputs: Int
  /// Of all parts together.
  let outputs: Int
  let device: any Device
  let compute: DType
  /// Mixed into the dropout's stream: unique in the model.
  let stream: UInt64
  /// Low-rank pairs on some of the parts; nil: on none.
  var adapter: GroupAdapter? {
    didSet { linearParts = LinearGroup.linearParts(parts, adapter) }
  }
  /// The parts as the operations take them.
  private var linearParts: [LinearPart]

  init(parts: [Part], compute: DType, stream: UInt64) {
    self.parts = parts
    inputs = parts[0].shape.inputs
    outputs = parts.reduce(0) { $0 + $1.shape.outputs }
    device = parts[0].weight.device
    linearParts = LinearGroup.linearParts(parts, nil)
    self.compute = compute
    self.stream = stream
  }

  private static func linearParts(_ parts: [Part], _ adapter: GroupAdapter?) -> [LinearPart] {
    parts.enumerated().map { index, part in
      LinearPart(
        weight: part.weight, adapterB: adapter?.pairs[index]?.bCompute, outputs: part.shape.outputs,
        inputs: part.shape.inputs)
    }
  }

  /// A buffer for this group's input.
  func makeInput(rows: Int) -> Matrix { Tensor([rows, inputs], compute, on: device).matrix }  // [T, in]

  /// Columns of part `index` in the output.
  func columns(_ index: Int) -> Range<Int> {
    let start = parts[..<index].reduce(0) { $0 + $1.shape.outputs }
    return start..<start + parts[index].shape.outputs
  }

  /// To be called after the parameters' values were changed: renews the copies in the compute type.
  func parametersChanged() {
    for part in parts { part.trained?.weight.parametersChanged() }
    adapter?.parametersChanged()
  }

  // MARK: - Forward

  func forward(_ x: Matrix, _ pass: Pass) -> (y: Tensor, saved: Saved) {  // [T, in] → [T, ΣO]
    let y = Tensor([x.rows, outputs], compute, on: x.device)
    let adapter = pass.adapters ? adapter : nil
    let low = adapter.map { lowRankProduct(droppedInput(x, $0, pass), $0, pass) }
    let pieces = parts.indices.map { index in
      adapter?.pairs[index].flatMap { low?.columns($0.rows) }
    }
    Ops.linear(y.matrix, x, parts: linearParts, low: pieces, rowByRow: pass.rowByRow)
    for (index, part) in parts.enumerated() {
      if let bias = part.bias { Ops.addBias(y.matrix.columns(columns(index)), bias) }
    }
    return (y, Saved(input: x, low: low))
  }

  /// [T, in] → [T, Σr], scaled
  private func lowRankProduct(_ x: Matrix, _ adapter: GroupAdapter, _ pass: Pass) -> Matrix {
    let low = Tensor([x.rows, adapter.a.rows], compute, on: x.device).matrix
    if pass.rowByRow {
      let part = LinearPart(weight: .dense(adapter.aCompute), outputs: adapter.a.rows, inputs: inputs)
      Ops.linear(low, x, parts: [part], low: [nil], rowByRow: true)
    } else {
      Ops.matmul(low, x, adapter.aCompute.matrix, transposeB: true)
    }
    scaleByPair(low, adapter)
    return low
  }

  private func scaleByPair(_ low: Matrix, _ adapter: GroupAdapter) {  // [T, Σr]
    for case let pair? in adapter.pairs where pair.scale != 1 {
      Ops.scale(low.columns(pair.rows), by: pair.scale)
    }
  }

  // MARK: - Dropout

  private func isDropping(_ adapter: GroupAdapter, _ pass: Pass) -> Bool {
    pass.training && adapter.dropout > 0
  }

  private func key(_ pass: Pass) -> DropoutKey {
    DropoutKey(seed: pass.seed, step: pass.step, stream: stream << 32 | pass.microBatch, firstRow: 0)
  }

  private func droppedInput(_ x: Matrix, _ adapter: GroupAdapter, _ pass: Pass) -> Matrix {  // [T, in]
    guard isDropping(adapter, pass) else { return x }
    let dropped = Tensor([x.rows, inputs], compute, on: x.device).matrix
    Ops.dropout(dropped, x, probability: adapter.dropout, key: key(pass))
    return dropped
  }

  // MARK: - Backward

  /// Adds to the parameters' gradients; returns dx `[T, in]` float32 unless it is not wanted.
  func backward(_ dy: Matrix, _ saved: Saved, _ pass: Pass, wantsInputGradient: Bool = true) -> Tensor? {
    for (index, part) in parts.enumerated() {
      part.trained?.addGradients(dy.columns(columns(index)), saved.input)
    }
    var dLow: Matrix?
    if let adapter, let low = saved.low {
      dLow = adapterGradients(dy, low, saved.input, adapter, pass)
    }
    guard wantsInputGradient else { return nil }
    let dx = Tensor([dy.rows, inputs], .float32, on: dy.device)
    Ops.linearInputGradient(dx.matrix, dy, parts: linearParts, accumulate: false)
    if let adapter, let dLow { addLowRankInputGradient(dx.matrix, dLow, adapter, pass) }
    return dx
  }

  /// dB += dyᵀ·low, dA += dLowᵀ·drop(x); returns dLow = s·dy·B `[T, Σr]`.
  private func adapterGradients(
    _ dy: Matrix, _ low: Matrix, _ x: Matrix, _ adapter: GroupAdapter, _ pass: Pass
  ) -> Matrix {
    let dLow = Tensor([dy.rows, adapter.a.rows], compute, on: dy.device).matrix
    for (index, pair) in adapter.pairs.enumerated() {
      guard let pair else { continue }
      let dPart = dy.columns(columns(index))  // [T, out]
      Ops.matmul(pair.b.gradient.matrix, dPart, low.columns(pair.rows), transposeA: true, accumulate: true)
      Ops.matmul(dLow.columns(pair.rows), dPart, pair.bCompute.matrix)
    }
    scaleByPair(dLow, adapter)
    Ops.matmul(
      adapter.aGradient.matrix, dLow, droppedInput(x, adapter, pass), transposeA: true, accumulate: true)
    return dLow
  }

  /// dx += mask ⊙ (dLow·A).
  private func addLowRankInputGradient(
    _ dx: Matrix, _ dLow: Matrix, _ adapter: GroupAdapter, _ pass: Pass
  ) {
    guard isDropping(adapter, pass) else {
      Ops.matmul(dx, dLow, adapter.aCompute.matrix, accumulate: true)
      return
    }
    let through = Tensor([dx.rows, inputs], compute, on: dx.device).matrix
    Ops.matmul(through, dLow, adapter.aCompute.matrix)
    Ops.addDropped(dx, through, probability: adapter.dropout, key: key(pass))
  }
}
