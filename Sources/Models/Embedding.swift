import FireflyTensors

/// Tokens to the residual stream.
struct Embedding {
  let table: Tensor  // [V, C] c
  let scale: Float

  func forward(_ tokens: [Int32]) -> Tensor {  // [T] → [T, C] float32
    let x = Tensor([tokens.count, table.columns], .float32)
    Ops.embed(x.matrix, table: table, tokens: tokens)
    if scale != 1 { Ops.scale(x.matrix, by: scale) }
    return x
  }
}
