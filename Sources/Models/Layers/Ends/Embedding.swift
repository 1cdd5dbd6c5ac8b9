import FireflyTensors

/// Tokens to the residual stream.
struct Embedding {
  let table: LinearWeight  // [V, C]
  let scale: Float
  /// Whether noise comes behind the scale: where transformers' embedding has the scale in itself.
  let scalesFirst: Bool
  /// BLOOM's.
  let norm: Norm?
  /// Whose copy the table is; nil: it is frozen.
  var trained: TrainedMatrix?
  /// A token whose row gets no gradient from here: transformers' `padding_idx`.
  var paddingToken: Int32?

  /// The same with another table, which is trained.
  func training(_ matrix: TrainedMatrix) -> Embedding {
    Embedding(
      table: .dense(matrix.copy), scale: scale, scalesFirst: scalesFirst, norm: norm, trained: matrix,
      paddingToken: paddingToken)
  }

  struct Saved {
    let tokens: [Int32]
    /// The norm's input [T, C] float32 and what it kept; nil without a norm.
    let norm: (x: Tensor, saved: Norm.Saved)?
  }

  func forward(  // [T] → [T, C] float32
    _ tokens: [Int32], _ noise: EmbeddingNoise? = nil
  ) -> (x: Tensor, saved: Saved) {
    let x = Tensor([tokens.count, table.inputs], .float32, on: table.device)
    Ops.embed(x.matrix, table: table, tokens: tokens)
    if !scalesFirst { noise?.add(to: x) }
    if scale != 1 { Ops.scale(x.matrix, by: scale) }
    if scalesFirst { noise?.add(to: x) }
    guard let norm else { return (x, Saved(tokens: tokens, norm: nil)) }
    let normed = Tensor(x.shape, .float32, on: x.device)
    let saved = norm.forward(into: normed.matrix, x.matrix)
    return (normed, Saved(tokens: tokens, norm: (x, saved)))
  }

  /// Adds to the gradients of the table and the norm.
  func backward(_ dy: Tensor, _ saved: Saved) {  // [T, C] float32
    guard let trained else { return }
    var dx = dy
    if let norm, let kept = saved.norm {
      dx = Tensor.zeros(dy.shape, .float32, on: dy.device)
      norm.backward(dx.matrix, dy.matrix, kept.x.matrix, kept.saved)
    }
    let rows = saved.tokens.indices.filter { saved.tokens[$0] != paddingToken }
    let dRows = Tensor([rows.count, dx.columns], .float32, on: dx.device)
    Ops.gatherRows(dRows.matrix, dx.matrix, rows: rows.map { Int32($0) })
    if scale != 1 { Ops.scale(dRows.matrix, by: scale) }
    trained.parameter.addRows(rows.map { saved.tokens[$0] }, dRows.matrix)
  }

  /// To be called after the parameters' values were changed.
  func parametersChanged() {
    trained?.parametersChanged()
    norm?.parametersChanged()
  }
}
