import FireflyTensors

// The head's products, by the form of its matrix.

extension Head {
  /// logits = x·weightᵀ, of the head or some of its rows.
  func multiply(_ logits: Matrix, _ x: Matrix, _ weight: LinearWeight) {  // [n, V] float32, [n, C] c, [V, C]
    guard case .dense(let weight) = weight else {
      return Ops.linear(logits, x, parts: [part(weight)], low: [nil])
    }
    Ops.matmul(logits, x, weight.matrix, transposeB: true)
  }

  /// The same row by row, for generation: a row's logits do not depend on the others'.
  func multiplyByRow(_ logits: Matrix, _ x: Matrix) {  // [n, V] float32, [n, C] c
    guard case .dense(let weight) = weight else {
      return Ops.linear(logits, x, parts: [part(weight)], low: [nil], rowByRow: true)
    }
    decoding.multiply(logits, x, weight)
  }

  /// dx (+)= dLogits·weight, of the head or some of its rows.
  func inputGradient(  // [n, C] float32, [n, V] c, [V, C]
    _ dx: Matrix, _ dLogits: Matrix, _ weight: LinearWeight, accumulate: Bool
  ) {
    guard case .dense(let weight) = weight else {
      return Ops.linearInputGradient(dx, dLogits, parts: [part(weight)], accumulate: accumulate)
    }
    Ops.matmul(dx, dLogits, weight.matrix, accumulate: accumulate)
  }

  /// Bytes that a step of generation reads.
  var bytesPerStep: Int {
    guard case .dense(let dense) = weight else { return weight.byteCount }
    return RowWeight.byteCount(of: dense)
  }

  private func part(_ weight: LinearWeight) -> LinearPart {
    LinearPart(weight: weight, outputs: weight.outputs, inputs: weight.inputs)
  }
}
