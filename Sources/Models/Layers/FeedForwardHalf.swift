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

  /// - Parameters:
  ///   - balance: gets the routes of a training pass.
  ///   - finish: nothing, or to what the half's result is added.
  func forward(  // [T, C] c → [T, C], c or float32
    _ x: Matrix, _ pass: Pass, _ balance: BalanceLoss?, finish: LinearFinish = .none
  ) -> (y: Tensor, saved: Saved) {
    switch self {
    case .dense(let mlp):
      let (y, saved) = mlp.forward(x, pass, finish: finish)
      return (y, .dense(saved))
    case .experts(let mixture):
      let (y, saved) = mixture.forward(x, pass, balance)  // float32
      if case .added(let residual, let scale) = finish {
        if scale != 1 { Ops.scale(y.matrix, by: scale) }
        Ops.add(y.matrix, residual)
      }
      return (y, .experts(saved))
    }
  }

  /// What `forward` keeps.
  func saved(_ x: Matrix, _ pass: Pass, _ balance: BalanceLoss?) -> Saved {  // [T, C] c
    switch self {
    case .dense(let mlp): .dense(mlp.saved(x, pass))
    // The gradients of the experts' weights need what the experts give.
    case .experts(let mixture): .experts(mixture.forward(x, pass, balance).saved)
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
