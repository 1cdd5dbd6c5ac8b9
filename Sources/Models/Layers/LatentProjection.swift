import FireflyTensors

/// A short vector to something wide: up(norm(x)).
struct LatentProjection {
  let norm: Norm
  let up: LinearGroup  // [T, R] → [T, O]

  struct Saved {
    let raw: Tensor  // [T, R] float32, before the norm
    let norm: Norm.Saved
    let up: LinearGroup.Saved
  }

  func forward(_ x: Matrix, _ pass: Pass) -> (y: Tensor, saved: Saved) {  // [T, R] c → [T, O] c
    let (normed, raw, norm) = normed(x)
    let (y, up) = up.forward(normed, pass)
    return (y, Saved(raw: raw, norm: norm, up: up))
  }

  /// norm(x), and what its backward needs.
  func normed(_ x: Matrix) -> (y: Matrix, raw: Tensor, saved: Norm.Saved) {  // [T, R] c → [T, R] c
    let raw = Tensor([x.rows, x.columns], .float32, on: x.device)
    Ops.convert(raw.matrix, x)
    let y = up.makeInput(rows: x.rows)
    return (y, raw, norm.forward(into: y, raw.matrix))
  }

  func backward(_ dy: Matrix, _ saved: Saved, _ pass: Pass) -> Tensor {  // [T, O] c → [T, R] float32
    let dNormed = up.backward(dy, saved.up, pass)
    let dx = Tensor.zeros(saved.raw.shape, .float32, on: dy.device)
    norm.backward(dx.matrix, dNormed.matrix, saved.raw.matrix, saved.norm)
    return dx
  }
}
