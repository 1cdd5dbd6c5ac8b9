import FireflyTensors

/// What stands around one half of a block: x + s·after(half(before(x))).
struct HalfFrame {
  /// Nil: the half reads the residual stream as it is.
  let before: Norm?
  /// Nil: what the half gives is added as it is.
  let after: Norm?
  /// s
  let scale: Float

  /// What `enter` kept; nil without a norm.
  typealias Entered = Norm.Saved
  /// What `leave` kept: the norm's input [T, C] float32 and what it kept; nil without a norm.
  typealias Left = (x: Tensor, saved: Norm.Saved)

  /// Whether a norm before the half has parameters that wait for the half's input gradient.
  var wantsInputGradient: Bool { before?.trained != nil }

  /// input = before(x)
  func enter(_ input: Matrix, _ x: Tensor) -> Entered? {  // [T, C] c, float32
    guard let before else {
      Ops.convert(input, x.matrix)
      return nil
    }
    return before.forward(into: input, x.matrix)
  }

  /// What the half's last linear does with its result: without a norm behind it, it gives the sum at once.
  func finish(_ x: Tensor) -> LinearFinish {  // [T, C] float32
    after == nil ? .added(to: x.matrix, scale: scale) : .none
  }

  /// x + s·after(y), of what the half gave with `finish`.
  func leave(_ y: Tensor, _ x: Tensor) -> (sum: Tensor, left: Left?) {  // [T, C] c or float32, float32
    guard let after else { return (y, nil) }
    let (normed, left) = normed(y, after)
    Ops.add(normed.matrix, x.matrix)
    return (normed, left)
  }

  /// x += s·after(y), of what the half gave without `finish`; y is used up.
  func add(_ y: Tensor, to x: Tensor) {  // [T, C] c or float32, float32
    if let after { return Ops.add(x.matrix, normed(y, after).y.matrix) }
    if scale != 1 { Ops.scale(y.matrix, by: scale) }
    Ops.add(x.matrix, y.matrix)
  }

  /// s·after(y)
  private func normed(_ y: Tensor, _ after: Norm) -> (y: Tensor, left: Left) {  // → [T, C] float32
    let wide = y.inType(.float32)
    let normed = Tensor(wide.shape, .float32, on: y.device)
    let saved = after.forward(into: normed.matrix, wide.matrix)
    if scale != 1 { Ops.scale(normed.matrix, by: scale) }
    return (normed, (wide, saved))
  }

  /// The gradient of what the half gave, from that of the sum.
  func leaveGradient(_ dx: Tensor, _ left: Left?) -> Tensor {  // [T, C] float32
    var gradient = dx
    if scale != 1 {
      gradient = dx.converted(to: .float32)
      Ops.scale(gradient.matrix, by: scale)
    }
    guard let after, let left else { return gradient }
    let dy = Tensor.zeros(dx.shape, .float32, on: dx.device)
    after.backward(dy.matrix, gradient.matrix, left.x.matrix, left.saved)
    return dy
  }

  /// dx += the gradient through the half's input.
  func enterGradient(_ dx: Tensor, _ dInput: Tensor, _ x: Tensor, _ entered: Entered?) {  // [T, C] float32
    guard let before, let entered else { return Ops.add(dx.matrix, dInput.matrix) }
    before.backward(dx.matrix, dInput.matrix, x.matrix, entered)
  }

  /// To be called after the parameters' values were changed.
  func parametersChanged() {
    before?.parametersChanged()
    after?.parametersChanged()
  }
}
