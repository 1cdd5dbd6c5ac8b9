import FireflyTensors

/// Several linear layers that read the same input, as one: their outputs lie side by side.
///
/// y = x·Wᵀ + bias + s·(drop(x)·Aᵀ)·Bᵀ (LoRA, Hu et al., 2021), with W frozen. The adapters of a group share
/// one dropout mask, one product for all A's and one for all input gradients.
final class LinearGroup: @unchecked Sendable {
  /// One linear of the group.
  struct Part {
    let name: String  // "self_attn.q_proj"
    let weight: LinearWeight  // [out, in]
    let bias: Tensor?  // [out] float32
    let outputs: Int
    let takesAdapter: Bool
    var adapter: LowRank?
  }

  /// One adapter: A lives in the group's stacked rows `rows`, B alone.
  struct LowRank {
    let rank: Int
    let scale: Float
    let rows: Range<Int>  // of the stacked A
    let b: Parameter  // [out, r]
    var bCompute: Tensor  // [out, r] c
  }

  /// What the backward needs of the forward.
  struct Saved {
    let input: Matrix  // [T, in] c
    let low: Matrix?  // [T, Σr] c, scaled
  }

  let inputs: Int
  let compute: DType
  /// Mixed into the dropout's stream: unique in the model.
  let stream: UInt64
  private(set) var parts: [Part] {
    didSet { linearParts = LinearGroup.linearParts(of: parts, inputs: inputs) }
  }
  /// The parts as the operations take them.
  private var linearParts: [LinearPart]
  private(set) var dropout: Float = 0
  private(set) var a: StackedA?

  /// The A's of all parts, one under another.
  struct StackedA {
    let parameters: [Parameter]  // each [r, in], a slice of `value` and `gradient`
    let value: Tensor  // [Σr, in] float32
    let gradient: Tensor  // [Σr, in] float32
    let compute: Tensor  // [Σr, in] c
  }

  init(inputs: Int, parts: [Part], compute: DType, stream: UInt64) {
    self.inputs = inputs
    self.parts = parts
    linearParts = LinearGroup.linearParts(of: parts, inputs: inputs)
    self.compute = compute
    self.stream = stream
  }

  var outputs: Int { parts.reduce(0) { $0 + $1.outputs } }

  /// A buffer for this group's input.
  func makeInput(rows: Int) -> Matrix { Tensor([rows, inputs], compute).matrix }  // [T, in]

  /// Columns of part `index` in the output.
  func columns(_ index: Int) -> Range<Int> {
    let start = parts[..<index].reduce(0) { $0 + $1.outputs }
    return start..<start + parts[index].outputs
  }

  // MARK: - Forward

  func forward(_ x: Matrix, _ pass: Pass) -> (y: Tensor, saved: Saved) {  // [T, in] → [T, ΣO]
    let y = Tensor([x.rows, outputs], compute)
    let low = a.map { a in
      lowRankProduct(droppedInput(x, pass), a, pass)
    }
    let pieces = parts.map { part in part.adapter.flatMap { low?.columns($0.rows) } }
    Ops.linear(y.matrix, x, parts: linearParts, low: pieces, rowByRow: pass.rowByRow)
    for (index, part) in parts.enumerated() {
      if let bias = part.bias { Ops.addBias(y.matrix.columns(columns(index)), bias) }
    }
    return (y, Saved(input: x, low: low))
  }

  /// [T, in] → [T, Σr], scaled
  private func lowRankProduct(_ x: Matrix, _ a: StackedA, _ pass: Pass) -> Matrix {
    let low = Tensor([x.rows, a.value.rows], compute).matrix
    if pass.rowByRow {
      let part = LinearPart(weight: .dense(a.compute), outputs: a.value.rows, inputs: inputs)
      Ops.linear(low, x, parts: [part], low: [nil], rowByRow: true)
    } else {
      Ops.matmul(low, x, a.compute.matrix, transposeB: true)
    }
    scaleByPart(low)
    return low
  }

  private func scaleByPart(_ low: Matrix) {  // [T, Σr]
    for case let adapter? in parts.map(\.adapter) where adapter.scale != 1 {
      Ops.scale(low.columns(adapter.rows), by: adapter.scale)
    }
  }

  private static func linearParts(of parts: [Part], inputs: Int) -> [LinearPart] {
    parts.map {
      LinearPart(weight: $0.weight, adapterB: $0.adapter?.bCompute, outputs: $0.outputs, inputs: inputs)
    }
  }

  // MARK: - Dropout

  private func isDropping(_ pass: Pass) -> Bool { pass.training && dropout > 0 }

  private func key(_ pass: Pass) -> DropoutKey {
    DropoutKey(seed: pass.seed, step: pass.step, stream: stream << 32 | pass.microBatch, firstRow: 0)
  }

  private func droppedInput(_ x: Matrix, _ pass: Pass) -> Matrix {  // [T, in]
    guard isDropping(pass) else { return x }
    let dropped = Tensor([x.rows, inputs], compute).matrix
    Ops.dropout(dropped, x, probability: dropout, key: key(pass))
    return dropped
  }

  // MARK: - Backward

  /// Adds to the adapters' gradients; returns dx `[T, in]` float32 unless it is not wanted.
  func backward(_ dy: Matrix, _ saved: Saved, _ pass: Pass, wantsInputGradient: Bool = true) -> Tensor? {
    var dLow: Matrix?
    if let a, let low = saved.low {
      dLow = adapterGradients(dy, low, saved.input, a, pass)
    }
    guard wantsInputGradient else { return nil }
    let dx = Tensor([dy.rows, inputs], .float32)
    Ops.linearInputGradient(dx.matrix, dy, parts: linearParts, accumulate: false)
    if let a, let dLow { addLowRankInputGradient(dx.matrix, dLow, a, pass) }
    return dx
  }

  /// dB += dyᵀ·low, dA += dLowᵀ·drop(x); returns dLow = s·dy·B `[T, Σr]`.
  private func adapterGradients(
    _ dy: Matrix, _ low: Matrix, _ x: Matrix, _ a: StackedA, _ pass: Pass
  ) -> Matrix {
    let dLow = Tensor([dy.rows, a.value.rows], compute).matrix
    for (index, part) in parts.enumerated() {
      guard let adapter = part.adapter else { continue }
      let dPart = dy.columns(columns(index))  // [T, out]
      Ops.matmul(
        adapter.b.gradient.matrix, dPart, low.columns(adapter.rows), transposeA: true, accumulate: true)
      Ops.matmul(dLow.columns(adapter.rows), dPart, adapter.bCompute.matrix)
    }
    scaleByPart(dLow)
    Ops.matmul(a.gradient.matrix, dLow, droppedInput(x, pass), transposeA: true, accumulate: true)
    return dLow
  }

  /// dx += mask ⊙ (dLow·A).
  private func addLowRankInputGradient(_ dx: Matrix, _ dLow: Matrix, _ a: StackedA, _ pass: Pass) {
    guard isDropping(pass) else {
      Ops.matmul(dx, dLow, a.compute.matrix, accumulate: true)
      return
    }
    let through = Tensor([dx.rows, inputs], compute).matrix
    Ops.matmul(through, dLow, a.compute.matrix)
    Ops.addDropped(dx, through, probability: dropout, key: key(pass))
  }

  // MARK: - Adapters

  /// What one part's adapter starts from.
  struct Initial {
    let rank: Int
    let scale: Float
    let a: Tensor  // [r, in] float32
    let b: Tensor  // [out, r] float32
  }

  /// Hangs an adapter on each part that has one in `initial`; `prefix` completes parameter names.
  func attach(_ initial: [String: Initial], dropout: Float, prefix: String) {
    let chosen = parts.indices.filter { initial[parts[$0].name] != nil }
    let total = chosen.reduce(0) { $0 + (initial[parts[$1].name]?.rank ?? 0) }
    self.dropout = dropout
    detach()
    guard total > 0 else { return }
    let value = Tensor([total, inputs], .float32)
    let gradient = Tensor.zeros([total, inputs], .float32)
    var parameters: [Parameter] = []
    var next = 0
    for index in chosen {
      guard let start = initial[parts[index].name] else { continue }
      let rows = next..<next + start.rank
      let name = prefix + parts[index].name
      parameters.append(
        Parameter(name: name + ".lora_A.weight", value: value.slice(rows), gradient: gradient.slice(rows)))
      Ops.convert(value.slice(rows).matrix, start.a.matrix)
      parts[index].adapter = makeLowRank(start, rows: rows, outputs: parts[index].outputs, name: name)
      next = rows.upperBound
    }
    a = StackedA(
      parameters: parameters, value: value, gradient: gradient, compute: Tensor([total, inputs], compute))
    parametersChanged()
  }

  private func makeLowRank(_ start: Initial, rows: Range<Int>, outputs: Int, name: String) -> LowRank {
    let value = Tensor([outputs, start.rank], .float32)
    Ops.convert(value.matrix, start.b.matrix)
    let b = Parameter(
      name: name + ".lora_B.weight", value: value, gradient: .zeros(value.shape, .float32))
    return LowRank(
      rank: start.rank, scale: start.scale, rows: rows, b: b, bCompute: Tensor(value.shape, compute))
  }

  func detach() {
    a = nil
    for index in parts.indices { parts[index].adapter = nil }
  }

  /// What hangs on the group, possibly nothing: kept aside and put back, its tensors shared.
  struct Attached {
    let parts: [LowRank?]
    let a: StackedA?
    let dropout: Float
  }

  var attached: Attached {
    get { Attached(parts: parts.map(\.adapter), a: a, dropout: dropout) }
    set {
      for (index, adapter) in newValue.parts.enumerated() { parts[index].adapter = adapter }
      a = newValue.a
      dropout = newValue.dropout
    }
  }

  /// A and B of each part in order.
  var parameters: [Parameter] {
    guard let a else { return [] }
    let bs = parts.compactMap { $0.adapter?.b }
    return zip(a.parameters, bs).flatMap { [$0, $1] }
  }

  /// Renews the copies in the compute dtype from the float32 values.
  func parametersChanged() {
    guard let a else { return }
    Ops.convert(a.compute.matrix, a.value.matrix)
    for case let adapter? in parts.map(\.adapter) {
      Ops.convert(adapter.bCompute.matrix, adapter.b.value.matrix)
    }
  }
}
