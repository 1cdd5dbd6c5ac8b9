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
  /// Sees every input; nil: nobody looks.
  var observer: InputSums?
  /// The parts as the operations take them.
  private var linearParts: [LinearPart]
  /// To each part that no adapter adds to it: made once, as a token asks for it a hundred times.
  private let noLow: [Matrix?]

  init(parts: [Part], compute: DType, stream: UInt64) {
    self.parts = parts
    inputs = parts[0].shape.inputs
    outputs = parts.reduce(0) { $0 + $1.shape.outputs }
    device = parts[0].weight.device
    linearParts = LinearGroup.linearParts(parts, nil)
    noLow = parts.map { _ in nil }
    self.compute = compute
    self.stream = stream
  }

  private static func linearParts(_ parts: [Part], _ adapter: GroupAdapter?) -> [LinearPart] {
    parts.enumerated().map { index, part in
      LinearPart(
        weight: part.weight, adapterB: adapter?.pairs[index]?.bCompute, bias: part.bias,
        outputs: part.shape.outputs, inputs: part.shape.inputs)
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
    for case let trained? in parts.map(\.trained) {
      trained.weight.parametersChanged()
      trained.bias?.renewNear()
    }
    adapter?.parametersChanged()
  }

  // MARK: - Forward

  /// - Parameter finish: What becomes of y while it is in the cache; y is float32 where it is added to something.
  func forward(  // [T, in] c → [T, ΣO] c
    _ x: Matrix, _ pass: Pass, finish: LinearFinish = .none
  ) -> (y: Tensor, saved: Saved) {
    observer?.add(x)
    let isAdded = if case .added = finish { true } else { false }
    let y = Tensor([x.rows, outputs], isAdded ? .float32 : compute, on: x.device)
    let saved = saved(x, pass)
    let pieces =
      saved.low.map { low in
        parts.indices.map { index in adapter?.pairs[index].map { low.columns($0.rows) } }
      } ?? noLow
    Ops.linear(y.matrix, x, parts: linearParts, low: pieces, rowByRow: pass.rowByRow, finish: finish)
    return (y, saved)
  }

  /// What `forward` keeps.
  func saved(_ x: Matrix, _ pass: Pass) -> Saved {  // [T, in] c
    let adapter = pass.adapters ? adapter : nil
    return Saved(input: x, low: adapter.map { $0.low(x, pass, key(pass)) })
  }

  private func key(_ pass: Pass) -> DropoutKey { pass.dropoutKey(stream: stream, firstRow: pass.firstRow) }

  // MARK: - Backward

  /// Adds to the parameters' gradients; returns dx `[T, in]` float32 unless it is not wanted.
  func backward(_ dy: Matrix, _ saved: Saved, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
    if wantsInputGradient { return backward(dy, saved, pass) }
    _ = addGradients(dy, saved, pass)
    return nil
  }

  /// Adds to the parameters' gradients; returns dx, rounded to `dtype`, or what `finish` makes of it.
  func backward(  // [T, ΣO] c → [T, in]
    _ dy: Matrix, _ saved: Saved, _ pass: Pass, in dtype: DType = .float32,
    finish: InputGradientFinish = .none
  ) -> Tensor {
    let pairs = addGradients(dy, saved, pass)
    let dx = Tensor([dy.rows, finish.columns ?? inputs], dtype, on: dy.device)
    Ops.linearInputGradient(dx.matrix, dy, parts: linearParts, through: pairs, finish: finish)
    return dx
  }

  /// Adds to the parameters' gradients; returns what comes to the input through the adapter.
  private func addGradients(_ dy: Matrix, _ saved: Saved, _ pass: Pass) -> LowRankGradient? {  // [T, ΣO] c
    for (index, part) in parts.enumerated() {
      part.trained?.addGradients(dy.columns(columns(index)), saved.input)
    }
    guard let adapter, let low = saved.low else { return nil }
    let parts = parts.indices.map { dy.columns(columns($0)) }
    return adapter.addGradients(parts, low, saved.input, pass, key(pass))
  }
}
