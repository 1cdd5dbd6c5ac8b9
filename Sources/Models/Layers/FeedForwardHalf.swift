import FireflyTensors

/// The second half of a block: one MLP for all rows, or experts.
enum FeedForwardHalf {
  case dense(FeedForward)
  case experts(MixtureOfExperts)

  enum Saved {
    case dense(FeedForward.Saved)
    case experts(MixtureOfExperts.Saved)
  }

  /// Every linear group, in the order of the computation.
  var groups: [LinearGroup] {
    switch self {
    case .dense(let mlp): [mlp.input, mlp.output]
    case .experts(let mixture): mixture.groups
    }
  }

  /// - Parameter balance: gets the routes of a training pass.
  func forward(  // [T, C] c → [T, C], c or float32
    _ x: Matrix, _ pass: Pass, _ balance: BalanceLoss?
  ) -> (y: Tensor, saved: Saved) {
    switch self {
    case .dense(let mlp):
      let (y, saved) = mlp.forward(x, pass)
      return (y, .dense(saved))
    case .experts(let mixture):
      let (y, saved) = mixture.forward(x, pass, balance)
      return (y, .experts(saved))
    }
  }

  func backward(  // [T, C] float32 → [T, C] float32
    _ dy: Tensor, _ saved: Saved, _ pass: Pass, _ balance: BalanceLoss?
  ) -> Tensor {
    switch (self, saved) {
    case (.dense(let mlp), .dense(let saved)): return mlp.backward(dy, saved, pass)
    case (.experts(let mixture), .experts(let saved)): return mixture.backward(dy, saved, pass, balance)
    default: preconditionFailure("the forward pass of another block")
    }
  }
}
