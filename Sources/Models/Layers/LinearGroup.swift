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
    let low = adapter.map { $0.low(x, pass, key(pass)) }
    let pieces = parts.indices.map { index in
      adapter?.pairs[index].flatMap { low?.columns($0.rows) }
    }
    Ops.linear(y.matrix, x, parts: linearParts, low: pieces, rowByRow: pass.rowByRow)
    for (index, part) in parts.enumerated() {
      if let bias = part.bias { Ops.addBias(y.matrix.columns(columns(index)), bias) }
    }
    return (y, Saved(input: x, low: low))
  }

  private func key(_ pass: Pass) -> DropoutKey { pass.dropoutKey(stream: stream, firstRow: pass.firstRow) }

  // MARK: - Backward

  /// Adds to the parameters' gradients; returns dx `[T, in]` float32 unless it is not wanted.
  func backward(_ dy: Matrix, _ saved: Saved, _ pass: Pass, wantsInputGradient: Bool = true) -> Tensor? {
    for (index, part) in parts.enumerated() {
      part.trained?.addGradients(dy.columns(columns(index)), saved.input)
    }
    var dLow: Matrix?
    if let adapter, let low = saved.low {
      let parts = parts.indices.map { dy.columns(columns($0)) }
      dLow = adapter.addGradients(parts, low, saved.input, pass, key(pass))
    }
    guard wantsInputGradient else { return nil }
    let dx = Tensor([dy.rows, inputs], .float32, on: dy.device)
    Ops.linearInputGradient(dx.matrix, dy, parts: linearParts, accumulate: false)
    if let adapter, let dLow { adapter.addInputGradient(dx.matrix, dLow, pass, key(pass)) }
    return dx
  }
}
