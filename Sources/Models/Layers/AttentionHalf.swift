import FireflyTensors

/// The first half of a block: keys and values straight from the input, or by way of short vectors.
enum AttentionHalf {
  case grouped(Attention)
  case latent(LatentAttention)

  enum Saved {
    case grouped(Attention.Saved)
    case latent(LatentAttention.Saved)
  }

  /// Every linear group, in the order of the computation; the first reads the half's input.
  var groups: [LinearGroup] {
    switch self {
    case .grouped(let attention): [attention.input, attention.output]
    case .latent(let attention): attention.groups
    }
  }

  /// To be called after the parameters' values were changed.
  func parametersChanged() {
    for group in groups { group.parametersChanged() }
    switch self {
    case .grouped(let attention):
      attention.norms?.parametersChanged()
      attention.trainedSinks?.renewNear()
    case .latent(let attention):
      attention.query?.norm.parametersChanged()
      attention.keyValue.norm.parametersChanged()
    }
  }

  /// A buffer for the half's input.
  func makeInput(rows: Int) -> Matrix {  // [T, C]
    switch self {
    case .grouped(let attention): attention.input.makeInput(rows: rows)
    case .latent(let attention): attention.input.makeInput(rows: rows)
    }
  }

  /// - Parameter finish: of the half's last linear.
  func forward(  // [T, C] → [T, C]
    _ x: Matrix, _ batch: BatchContext, finish: LinearFinish
  ) -> (y: Tensor, saved: Saved) {
    switch self {
    case .grouped(let attention):
      let (y, saved) = attention.forward(x, batch, finish: finish)
      return (y, .grouped(saved))
    case .latent(let attention):
      let (y, saved) = attention.forward(x, batch, finish: finish)
      return (y, .latent(saved))
    }
  }

  func backward(  // [T, C] float32 → [T, C] float32
    _ dy: Tensor, _ saved: Saved, _ batch: BatchContext, wantsInputGradient: Bool
  ) -> Tensor? {
    switch (self, saved) {
    case (.grouped(let attention), .grouped(let saved)):
      return attention.backward(dy, saved, batch, wantsInputGradient: wantsInputGradient)
    case (.latent(let attention), .latent(let saved)):
      return attention.backward(dy, saved, batch, wantsInputGradient: wantsInputGradient)
    default: preconditionFailure("the forward pass of another block")
    }
  }

  /// New rows of several sequences against their caches, which grow by them.
  func step(_ x: Matrix, _ rows: [CachedRows], layer: Int, _ angles: Angles, _ pass: Pass) -> Tensor {
    switch self {
    case .grouped(let attention): attention.step(x, rows, layer: layer, angles, pass)
    case .latent(let attention): attention.step(x, rows, layer: layer, angles, pass)
    }
  }
}
