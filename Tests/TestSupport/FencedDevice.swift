import FireflyTensors

/// A second device: the processor's operations on memory that nothing else can touch.
///
/// The addresses that it hands out have a bit set that the address of no process has. Whoever reads or writes one without
/// going through an operation ends the process with a fault, so what runs on it runs on any device.
package final class FencedDevice: Device {
  private static let fence: UInt = 1 << 55
  private let cpu = CPU.shared

  /// Whether the loss goes by panels of logits, as the processor's own does, or by whole rows.
  package let takesLogitPanels: Bool

  package init(takesLogitPanels: Bool = true) { self.takesLogitPanels = takesLogitPanels }

  package var name: String { "the fenced device" }
  package var isHost: Bool { false }
  package var multipliesBFloat16: Bool { cpu.multipliesBFloat16 }
  package func rowsAlike(in dtype: DType) -> ClosedRange<Int>? { cpu.rowsAlike(in: dtype) }

  package func synchronise() { cpu.synchronise() }

  // MARK: Memory

  package var ownMemory: Int? { nil }
  package var peakBytes: Int { cpu.peakBytes }
  package func startRecordingPeak() { cpu.startRecordingPeak() }

  package func allocate(_ byteCount: Int) -> DeviceBlock { moved(cpu.allocate(byteCount)) }
  package func free(_ block: DeviceBlock) { cpu.free(moved(block)) }

  package func upload(_ bytes: UnsafeRawBufferPointer, to address: UnsafeMutableRawPointer) {
    cpu.upload(bytes, to: moved(address))
  }

  package func download(_ address: UnsafeMutableRawPointer, into bytes: UnsafeMutableRawBufferPointer) {
    cpu.download(moved(address), into: bytes)
  }

  /// To the other side of the fence; twice is back.
  private func moved(_ address: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    guard let moved = UnsafeMutableRawPointer(bitPattern: UInt(bitPattern: address) ^ FencedDevice.fence)
    else {
      preconditionFailure("the address that is nothing but the fence")
    }
    return moved
  }

  private func moved(_ block: DeviceBlock) -> DeviceBlock {
    DeviceBlock(address: moved(block.address), capacity: block.capacity)
  }

  // MARK: Operands as the processor knows them

  private func inside(_ storage: Storage) -> Storage {
    precondition(storage.device === self, "an operand on \(storage.device.name)")
    return Storage(moved(storage.address), byteCount: storage.byteCount, on: cpu, owner: storage)
  }

  private func inside(_ x: Tensor) -> Tensor {
    Tensor(storage: inside(x.storage), byteOffset: x.byteOffset, shape: x.shape, dtype: x.dtype)
  }

  private func inside(_ x: Matrix) -> Matrix {
    Matrix(
      storage: inside(x.storage), byteOffset: x.byteOffset, rows: x.rows, columns: x.columns,
      stride: x.stride,
      dtype: x.dtype)
  }

  private func inside(_ weights: NF4Tensor) -> NF4Tensor {
    let scales: NF4Tensor.Scales =
      switch weights.scales {
      case .plain(let absmax): .plain(absmax: inside(absmax))
      case .nested(let codes, let absmax, let map, let offset):
        .nested(codes: inside(codes), absmax: inside(absmax), map: inside(map), offset: offset)
      }
    return NF4Tensor(
      codes: inside(weights.codes), shape: weights.shape, scales: scales,
      originalDType: weights.originalDType)
  }

  private func inside(_ moment: ByteMoment) -> ByteMoment {
    ByteMoment(
      codes: inside(moment.codes), absmax: inside(moment.absmax),
      map: MomentMap(values: inside(moment.map.values), codesOfGrid: inside(moment.map.codesOfGrid)))
  }

  private func inside(_ part: LinearPart) -> LinearPart {
    let weight: LinearWeight =
      switch part.weight {
      case .dense(let tensor): .dense(inside(tensor))
      case .nf4(let tensor): .nf4(inside(tensor))
      case .blocks(let tensor): preconditionFailure("\(tensor.format) blocks behind the fence")
      }
    return LinearPart(
      weight: weight, adapterB: part.adapterB.map { inside($0) }, bias: part.bias.map { inside($0) },
      outputs: part.outputs, inputs: part.inputs)
  }

  private func inside(_ sums: SoftmaxSums) -> SoftmaxSums {
    SoftmaxSums(
      labels: sums.labels, largest: inside(sums.largest), largestAt: inside(sums.largestAt),
      others: inside(sums.others), label: inside(sums.label))
  }

  private func inside(_ shape: AttentionShape) -> AttentionShape {
    var shape = shape
    shape.slopes = shape.slopes.map { inside($0) }
    shape.sinks = shape.sinks.map { inside($0) }
    return shape
  }
}

// MARK: - Elementwise

extension FencedDevice {
  package func zero(_ x: Tensor) { cpu.zero(inside(x)) }
  package func convert(_ out: Matrix, _ x: Matrix) { cpu.convert(inside(out), inside(x)) }
  package func scale(_ x: Matrix, by factor: Float) { cpu.scale(inside(x), by: factor) }
  package func softCap(_ x: Matrix, _ cap: Float) { cpu.softCap(inside(x), cap) }
  package func softCapGradient(_ dx: Matrix, y: Matrix, _ cap: Float) {
    cpu.softCapGradient(inside(dx), y: inside(y), cap)
  }
  package func scaleRows(_ x: Matrix, by factors: Tensor) { cpu.scaleRows(inside(x), by: inside(factors)) }
  package func rowDots(_ dots: Tensor, _ a: Matrix, _ b: Matrix, heads: Int) {
    cpu.rowDots(inside(dots), inside(a), inside(b), heads: heads)
  }
  package func add(_ x: Matrix, _ y: Matrix) { cpu.add(inside(x), inside(y)) }
  package func addBias(_ y: Matrix, _ bias: Tensor) { cpu.addBias(inside(y), inside(bias)) }
  package func addColumnSums(_ sums: Tensor, _ y: Matrix) { cpu.addColumnSums(inside(sums), inside(y)) }
  package func gatherRows(_ out: Matrix, _ x: Matrix, rows: [Int32]) {
    cpu.gatherRows(inside(out), inside(x), rows: rows)
  }
  package func scatterAddRows(_ x: Matrix, _ rows: [Int32], _ y: Matrix) {
    cpu.scatterAddRows(inside(x), rows, inside(y))
  }
}

// MARK: - Layers

extension FencedDevice {
  package func rmsNorm(_ y: Matrix, reciprocal: Tensor, x: Matrix, weight: Tensor, epsilon: Float) {
    cpu.rmsNorm(
      inside(y), reciprocal: inside(reciprocal), x: inside(x), weight: inside(weight), epsilon: epsilon)
  }

  package func rmsNormGradient(_ dx: Matrix, dy: Matrix, x: Matrix, reciprocal: Tensor, weight: Tensor) {
    cpu.rmsNormGradient(
      inside(dx), dy: inside(dy), x: inside(x), reciprocal: inside(reciprocal), weight: inside(weight))
  }

  package func normWeightGradient(
    _ dWeight: Tensor, dy: Matrix, x: Matrix, mean: Tensor?, reciprocal: Tensor
  ) {
    cpu.normWeightGradient(
      inside(dWeight), dy: inside(dy), x: inside(x), mean: mean.map { inside($0) },
      reciprocal: inside(reciprocal))
  }

  package func layerNorm(
    _ y: Matrix, mean: Tensor, reciprocal: Tensor, x: Matrix, weight: Tensor, bias: Tensor?, epsilon: Float
  ) {
    cpu.layerNorm(
      inside(y), mean: inside(mean), reciprocal: inside(reciprocal), x: inside(x), weight: inside(weight),
      bias: bias.map { inside($0) }, epsilon: epsilon)
  }

  package func layerNormGradient(
    _ dx: Matrix, dy: Matrix, x: Matrix, mean: Tensor, reciprocal: Tensor, weight: Tensor
  ) {
    cpu.layerNormGradient(
      inside(dx), dy: inside(dy), x: inside(x), mean: inside(mean), reciprocal: inside(reciprocal),
      weight: inside(weight))
  }

  package func rotate(
    _ x: Matrix, headDim: Int, rotaryDim: Int, cos: Tensor, sin: Tensor, turn: RotaryTurn
  ) {
    cpu.rotate(
      inside(x), headDim: headDim, rotaryDim: rotaryDim, cos: inside(cos), sin: inside(sin), turn: turn)
  }

  package func activate(_ y: Matrix, _ x: Matrix, gating up: Matrix?, _ activation: Activation) {
    cpu.activate(inside(y), inside(x), gating: up.map { inside($0) }, activation)
  }

  package func activateGradient(
    _ dx: Matrix, dUp: Matrix?, dy: Matrix, x: Matrix, gating up: Matrix?, _ activation: Activation
  ) {
    cpu.activateGradient(
      inside(dx), dUp: dUp.map { inside($0) }, dy: inside(dy), x: inside(x), gating: up.map { inside($0) },
      activation)
  }

  package func dropout(_ y: Matrix, _ x: Matrix, _ bits: DropoutBits) {
    cpu.dropout(inside(y), inside(x), bits)
  }

  package func addDropped(_ dx: Matrix, _ g: Matrix, _ bits: DropoutBits) {
    cpu.addDropped(inside(dx), inside(g), bits)
  }
}

// MARK: - Attention

extension FencedDevice {
  package func attention(
    _ out: Matrix, logSums: Tensor?, q: Matrix, k: Matrix, v: Matrix, starts: [Int32], shape: AttentionShape
  ) {
    cpu.attention(
      inside(out), logSums: logSums.map { inside($0) }, q: inside(q), k: inside(k), v: inside(v),
      starts: starts, shape: inside(shape))
  }

  package func attentionGradient(
    _ gradients: AttentionGradients, dout: Matrix, out: Matrix, logSums: Tensor, q: Matrix, k: Matrix,
    v: Matrix,
    starts: [Int32], shape: AttentionShape
  ) {
    let own = AttentionGradients(
      dq: inside(gradients.dq), dk: inside(gradients.dk), dv: inside(gradients.dv))
    cpu.attentionGradient(
      own, dout: inside(dout), out: inside(out), logSums: inside(logSums), q: inside(q), k: inside(k),
      v: inside(v), starts: starts, shape: inside(shape))
  }

  package func attentionCached(
    _ out: Matrix, logSums: Tensor?, q: Matrix, adding new: NewKeyValues?, sequences: [CachedSequence],
    shape: AttentionShape
  ) {
    let own = sequences.map {
      CachedSequence(rows: $0.rows, keys: inside($0.keys), values: inside($0.values))
    }
    cpu.attentionCached(
      inside(out), logSums: logSums.map { inside($0) }, q: inside(q),
      adding: new.map { NewKeyValues(k: inside($0.k), v: inside($0.v)) }, sequences: own, shape: inside(shape)
    )
  }

  package func addSinks(_ sinks: Tensor, to out: Matrix, logSums: Tensor) {
    cpu.addSinks(inside(sinks), to: inside(out), logSums: inside(logSums))
  }

  package func addSinkGradient(_ dSinks: Tensor, dots: Tensor, logSums: Tensor, sinks: Tensor) {
    cpu.addSinkGradient(
      inside(dSinks), dots: inside(dots), logSums: inside(logSums), sinks: inside(sinks))
  }
}

// MARK: - Products

/// A weight that the processor has prepared from memory behind the fence.
private struct FencedForm: RowWeightForm {
  let form: any RowWeightForm
}

extension FencedDevice {
  package func matmul(
    _ out: Matrix, _ a: Matrix, _ b: Matrix, transposeA: Bool, transposeB: Bool, accumulate: Bool,
    scale: Float
  ) {
    cpu.matmul(
      inside(out), inside(a), inside(b), transposeA: transposeA, transposeB: transposeB,
      accumulate: accumulate, scale: scale)
  }

  package func linear(_ y: Matrix, _ x: Matrix, parts: [LinearPart], low: [Matrix?], rowByRow: Bool) {
    cpu.linear(
      inside(y), inside(x), parts: parts.map { inside($0) }, low: low.map { $0.map { inside($0) } },
      rowByRow: rowByRow)
  }

  package func linearInputGradient(_ dx: Matrix, _ dy: Matrix, parts: [LinearPart], accumulate: Bool) {
    cpu.linearInputGradient(inside(dx), inside(dy), parts: parts.map { inside($0) }, accumulate: accumulate)
  }

  package func prepareRows(_ weight: Tensor) -> any RowWeightForm {
    FencedForm(form: cpu.prepareRows(inside(weight)))
  }

  package func rowWeightBytes(_ weight: Tensor) -> Int { cpu.rowWeightBytes(inside(weight)) }

  package func multiplyRows(_ y: Matrix, _ x: Matrix, _ weight: any RowWeightForm) {
    guard let own = weight as? FencedForm else { preconditionFailure("a weight of another device") }
    cpu.multiplyRows(inside(y), inside(x), own.form)
  }
}

extension FencedDevice {
  package func multiplyHeads(
    _ y: Matrix, _ x: Matrix, _ weights: HeadWeights, transposed: Bool, accumulate: Bool
  ) {
    let own = HeadWeights(
      inside(weights.matrix), heads: weights.heads, rows: weights.rows, step: weights.step)
    cpu.multiplyHeads(inside(y), inside(x), own, transposed: transposed, accumulate: accumulate)
  }
}

// MARK: - Loss, optimizer, quantised weights

extension FencedDevice {
  package func crossEntropy(
    _ losses: Tensor, logits: Matrix, labels: [Int32], gradient: Matrix?, weights: Tensor?
  ) {
    cpu.crossEntropy(
      inside(losses), logits: inside(logits), labels: labels, gradient: gradient.map { inside($0) },
      weights: weights.map { inside($0) })
  }

  package func addPanel(
    to sums: SoftmaxSums, exponentials: Matrix?, scaling scaled: Matrix?, logits: Matrix, firstColumn: Int
  ) {
    cpu.addPanel(
      to: inside(sums), exponentials: exponentials.map { inside($0) }, scaling: scaled.map { inside($0) },
      logits: inside(logits), firstColumn: firstColumn)
  }

  package func crossEntropy(
    _ losses: Tensor, of sums: SoftmaxSums, gradient: Matrix?, labelRows: Matrix?, weights: Tensor?,
    cap: Float?
  ) {
    cpu.crossEntropy(
      inside(losses), of: inside(sums), gradient: gradient.map { inside($0) },
      labelRows: labelRows.map { inside($0) }, weights: weights.map { inside($0) }, cap: cap)
  }

  package func isLargest(_ flags: Tensor, _ x: Matrix, columns: [Int32]) {
    cpu.isLargest(inside(flags), inside(x), columns: columns)
  }

  package func sumsOfSquares(_ tensors: [Tensor]) -> [Double] {
    cpu.sumsOfSquares(tensors.map { inside($0) })
  }
  package func hasNonFinite(_ x: Tensor) -> Bool { cpu.hasNonFinite(inside(x)) }

  package func adamW(value: Tensor, gradient: Tensor, m: Tensor, v: Tensor, _ numbers: AdamWNumbers) {
    cpu.adamW(value: inside(value), gradient: inside(gradient), m: inside(m), v: inside(v), numbers)
  }

  package func adamW(
    value: Tensor, gradient: Tensor, m: ByteMoment, v: ByteMoment, _ numbers: AdamWNumbers
  ) {
    cpu.adamW(value: inside(value), gradient: inside(gradient), m: inside(m), v: inside(v), numbers)
  }

  package func decodeNF4(_ weights: NF4Tensor, rows: Range<Int>, columns: Range<Int>, into out: Matrix) {
    cpu.decodeNF4(inside(weights), rows: rows, columns: columns, into: inside(out))
  }
}
