import FireflyBase

/// Where tensors lie and their operations run.
///
/// `Ops` is what the layers above call: it checks shapes and types, and that all operands lie on one device, and hands
/// them to that device. So a device may take for granted what the operation of the same name in `Ops` says; it decides
/// how the work is cut, in what order sums are taken, and which form of a weight it multiplies. Adding a device is a type
/// that conforms to this and nothing else.
package protocol Device: AnyObject, Sendable {
  /// For messages.
  var name: String { get }
  /// Whether its memory is the processor's, and an address one that the program may read.
  var isHost: Bool { get }
  /// Whether products of bfloat16 run at a rate of their own; otherwise another type is the better choice.
  var multipliesBFloat16: Bool { get }
  /// Whether it computes in float16 at all.
  var multipliesFloat16: Bool { get }
  /// Whether weights may stay the quantised blocks of a GGUF file; otherwise they are decoded before they come here.
  var multipliesBlocks: Bool { get }
  /// Whether the loss may come from logits panel by panel: `addPanel` and `crossEntropy(of:)`. Otherwise rows' logits are whole.
  var takesLogitPanels: Bool { get }
  /// Numbers of rows in a product by a weight among which a row gets the same bits; nil: there are none.
  func rowsAlike(in dtype: DType) -> ClosedRange<Int>?

  /// Waits until all operations before it are done.
  func synchronise()

  // MARK: Memory

  /// Bytes of a memory of its own that the program can have; nil where it is the processor's.
  var ownMemory: Int? { get }
  /// The most bytes that tensors held at once since `startRecordingPeak`.
  var peakBytes: Int { get }
  func startRecordingPeak()

  /// An uninitialised block. Its address need mean something to this device only.
  func allocate(_ byteCount: Int) -> DeviceBlock
  func free(_ block: DeviceBlock)
  /// Copies from the processor's memory; the bytes may be gone when it returns.
  func upload(_ bytes: UnsafeRawBufferPointer, to address: UnsafeMutableRawPointer)
  /// Copies to the processor's memory, after all operations before it.
  func download(_ address: UnsafeMutableRawPointer, into bytes: UnsafeMutableRawBufferPointer)

  // MARK: Elementwise

  func zero(_ x: Tensor)
  func convert(_ out: Matrix, _ x: Matrix)
  func scale(_ x: Matrix, by factor: Float)
  func softCap(_ x: Matrix, _ cap: Float)
  func softCapGradient(_ dx: Matrix, y: Matrix, _ cap: Float)
  func scaleRows(_ x: Matrix, by factors: Tensor)
  /// Of each of several heads side by side in a row: dots `[heads, T]`.
  func rowDots(_ dots: Tensor, _ a: Matrix, _ b: Matrix, heads: Int)
  func add(_ x: Matrix, _ y: Matrix)
  func addBias(_ y: Matrix, _ bias: Tensor)
  func addColumnSums(_ sums: Tensor, _ y: Matrix)
  func gatherRows(_ out: Matrix, _ x: Matrix, rows: [Int32])
  func scatterAddRows(_ x: Matrix, _ rows: [Int32], _ y: Matrix)

  // MARK: Layers

  func rmsNorm(_ y: Matrix, reciprocal: Tensor, x: Matrix, weight: Tensor, epsilon: Float)
  func rmsNormGradient(_ dx: Matrix, dy: Matrix, x: Matrix, reciprocal: Tensor, weight: Tensor)
  /// Without `mean`, that of `rmsNorm`.
  func normWeightGradient(_ dWeight: Tensor, dy: Matrix, x: Matrix, mean: Tensor?, reciprocal: Tensor)
  func layerNorm(
    _ y: Matrix, mean: Tensor, reciprocal: Tensor, x: Matrix, weight: Tensor, bias: Tensor?, epsilon: Float)
  func layerNormGradient(
    _ dx: Matrix, dy: Matrix, x: Matrix, mean: Tensor, reciprocal: Tensor, weight: Tensor)
  func rotate(_ x: Matrix, headDim: Int, rotaryDim: Int, cos: Tensor, sin: Tensor, turn: RotaryTurn)
  /// y = f(x)·up; without `up`, f(x).
  func activate(_ y: Matrix, _ x: Matrix, gating up: Matrix?, _ activation: Activation)
  /// dx = dy·up·f'(x) and dUp = dy·f(x); without `up` and `dUp`, dx = dy·f'(x).
  func activateGradient(
    _ dx: Matrix, dUp: Matrix?, dy: Matrix, x: Matrix, gating up: Matrix?, _ activation: Activation)
  func dropout(_ y: Matrix, _ x: Matrix, _ bits: DropoutBits)
  func addDropped(_ dx: Matrix, _ g: Matrix, _ bits: DropoutBits)

  // MARK: Attention

  func attention(
    _ out: Matrix, logSums: Tensor?, q: Matrix, k: Matrix, v: Matrix, starts: [Int32], shape: AttentionShape)
  func attentionGradient(
    _ gradients: AttentionGradients, dout: Matrix, out: Matrix, logSums: Tensor, q: Matrix, k: Matrix,
    v: Matrix,
    starts: [Int32], shape: AttentionShape)
  /// First copies what is new to the ends of its sequences. `logSums` `[heads, n]` as `attention`'s.
  func attentionCached(
    _ out: Matrix, logSums: Tensor?, q: Matrix, adding new: NewKeyValues?, sequences: [CachedSequence],
    shape: AttentionShape)
  /// What attention gave without sinks becomes what it is with them.
  func addSinks(_ sinks: Tensor, to out: Matrix, logSums: Tensor)
  /// dSinks[h] −= Σ e^(s − L)·dots over the rows, with the L of `addSinks` and dots `[heads, T]` = Σ dout·out.
  func addSinkGradient(_ dSinks: Tensor, dots: Tensor, logSums: Tensor, sinks: Tensor)

  // MARK: Products

  func matmul(
    _ out: Matrix, _ a: Matrix, _ b: Matrix, transposeA: Bool, transposeB: Bool, accumulate: Bool,
    scale: Float)
  func linear(_ y: Matrix, _ x: Matrix, parts: [LinearPart], low: [Matrix?], rowByRow: Bool)
  /// The same, and what `finish` says; a device need not define it.
  func linear(
    _ y: Matrix, _ x: Matrix, parts: [LinearPart], low: [Matrix?], rowByRow: Bool, finish: LinearFinish)
  func linearInputGradient(_ dx: Matrix, _ dy: Matrix, parts: [LinearPart], accumulate: Bool)
  /// The same with what comes through the low-rank pairs, and what `finish` says; a device need not define it.
  func linearInputGradient(
    _ dx: Matrix, _ dy: Matrix, parts: [LinearPart], through pairs: LowRankGradient?,
    finish: InputGradientFinish)
  /// low = scale·(m ⊙ x)·Aᵀ; a device need not define it.
  func matmulDropped(_ low: Matrix, _ x: Matrix, _ a: Matrix, _ bits: DropoutBits, scale: Float)
  /// dA += dLowᵀ·(m ⊙ x); a device need not define it.
  func addMatmulDropped(_ dA: Matrix, _ dLow: Matrix, _ x: Matrix, _ bits: DropoutBits)
  /// dB += dyᵀ·low, dLow = scale·dy·B of each step; a device need not define it.
  func lowRankGradients(_ steps: [LowRankStep])
  /// The form in which `multiplyRows` reads a weight `[out, in]` fastest; it may be the weight itself.
  func prepareRows(_ weight: Tensor) -> any RowWeightForm
  func multiplyRows(_ y: Matrix, _ x: Matrix, _ weight: any RowWeightForm)
  func multiplyHeads(
    _ y: Matrix, _ x: Matrix, _ weights: HeadWeights, transposed: Bool, accumulate: Bool)
  /// Bytes that `multiplyRows` reads of a weight `[out, in]` that was prepared.
  func rowWeightBytes(_ weight: Tensor) -> Int

  // MARK: Loss and optimizer

  func crossEntropy(_ losses: Tensor, logits: Matrix, labels: [Int32], gradient: Matrix?, weights: Tensor?)
  /// Of a device that `takesLogitPanels`.
  func addPanel(
    to sums: SoftmaxSums, exponentials: Matrix?, scaling scaled: Matrix?, logits: Matrix, firstColumn: Int)
  /// Of a device that `takesLogitPanels`.
  func crossEntropy(
    _ losses: Tensor, of sums: SoftmaxSums, gradient: Matrix?, labelRows: Matrix?, weights: Tensor?,
    cap: Float?)
  /// 1 or 0 to each row in `flags`, uint8 `[N]`.
  func isLargest(_ flags: Tensor, _ x: Matrix, columns: [Int32])
  /// Of each of the tensors, in one read of the device.
  func sumsOfSquares(_ tensors: [Tensor]) -> [Double]
  func hasNonFinite(_ x: Tensor) -> Bool
  func adamW(value: Tensor, gradient: Tensor, m: Tensor, v: Tensor, _ numbers: AdamWNumbers)
  func adamW(value: Tensor, gradient: Tensor, m: ByteMoment, v: ByteMoment, _ numbers: AdamWNumbers)

  // MARK: Quantised weights

  func decodeNF4(_ weights: NF4Tensor, rows: Range<Int>, columns: Range<Int>, into out: Matrix)
  func decodeBlocks(_ weights: BlockTensor, rows: Range<Int>, columns: Range<Int>, into out: Matrix)
}

extension Device {
  package var multipliesFloat16: Bool { false }
  package var multipliesBlocks: Bool { false }
  package var takesLogitPanels: Bool { false }
  package func rowsAlike(in dtype: DType) -> ClosedRange<Int>? { nil }
  package func decodeBlocks(
    _ weights: BlockTensor, rows: Range<Int>, columns: Range<Int>, into out: Matrix
  ) {
    preconditionFailure("\(weights.format) blocks on \(name)")
  }
  package func addPanel(
    to sums: SoftmaxSums, exponentials: Matrix?, scaling scaled: Matrix?, logits: Matrix, firstColumn: Int
  ) {
    preconditionFailure("logits in panels on \(name)")
  }
  package func crossEntropy(
    _ losses: Tensor, of sums: SoftmaxSums, gradient: Matrix?, labelRows: Matrix?, weights: Tensor?,
    cap: Float?
  ) {
    preconditionFailure("logits in panels on \(name)")
  }

  /// The type that products are computed in unless another is asked for.
  package var usualCompute: DType { multipliesBFloat16 ? .bfloat16 : multipliesFloat16 ? .float16 : .float32 }

  /// - Throws: `FireflyError` where it does not compute in the type.
  package func requireCompute(_ dtype: DType) throws {
    guard dtype == .float16, !multipliesFloat16 else { return }
    throw FireflyError(
      "float16 is for cards", at: name, expected: "bfloat16 or float32", found: "\(dtype)",
      fix: "The processor computes in \"bfloat16\" or \"float32\".")
  }
}
