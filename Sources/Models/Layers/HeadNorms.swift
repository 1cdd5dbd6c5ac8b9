import FireflyTensors

/// The norms of queries and keys. They work in place on what the projections give.
struct HeadNorms {
  let query: Norm
  let key: Norm
  /// They come after the rotation, not before it.
  let followsRotation: Bool

  struct Saved {
    let query: Part
    let key: Part

    struct Part {
      let x: Tensor  // [T·heads, D], or [T, heads·D], float32
      let norm: Norm.Saved
    }
  }

  func forward(_ heads: HeadMatrices) -> Saved {
    Saved(query: forward(query, heads.q), key: forward(key, heads.k))
  }

  private func forward(_ norm: Norm, _ x: Matrix) -> Saved.Part {  // [T, heads·D] c
    let wide = rows(x, norm)
    let normed = Tensor(wide.shape, x.dtype, on: x.device)
    let saved = norm.forward(into: normed.matrix, wide.matrix)
    Ops.convert(x, normed.reshaped([x.rows, x.columns]).matrix)
    return Saved.Part(x: wide, norm: saved)
  }

  /// The gradients of what came out become those of what went in; adds to the parameters' gradients.
  func backward(_ gradients: HeadMatrices, _ saved: Saved) {
    backward(query, gradients.q, saved.query)
    backward(key, gradients.k, saved.key)
  }

  private func backward(_ norm: Norm, _ gradient: Matrix, _ saved: Saved.Part) {  // [T, heads·D] c
    let dx = Tensor.zeros(saved.x.shape, .float32, on: gradient.device)
    norm.backward(dx.matrix, rows(gradient, norm).matrix, saved.x.matrix, saved.norm)
    Ops.convert(gradient, dx.reshaped([gradient.rows, gradient.columns]).matrix)
  }

  /// x with a row for each thing that is normed by itself.
  private func rows(_ x: Matrix, _ norm: Norm) -> Tensor {  // [T, heads·D] c → [T·heads, D] float32
    let wide = Tensor([x.rows, x.columns], .float32, on: x.device)
    Ops.convert(wide.matrix, x)
    return wide.reshaped([wide.count / norm.weight.count, norm.weight.count])
  }

  /// To be called after the parameters' values were changed.
  func parametersChanged() {
    query.parametersChanged()
    key.parametersChanged()
  }
}
