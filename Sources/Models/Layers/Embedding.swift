import FireflyTensors

/// Tokens to the residual stream.
struct Embedding {
  let table: Tensor  // [V, C] c
  let scale: Float
  /// BLOOM's.
  let norm: Norm?

  func forward(_ tokens: [Int32]) -> Tensor {  // [T] → [T, C] float32
    let x = Tensor([tokens.count, table.columns], .float32, on: table.device)
    Ops.embed(x.matrix, table: table, tokens: tokens)
    if scale != 1 { Ops.scale(x.matrix, by: scale) }
    guard let norm else { return x }
    let normed = Tensor(x.shape, .float32, on: x.device)
    _ = norm.forward(into: normed.matrix, x.matrix)
    return normed
  }
}
