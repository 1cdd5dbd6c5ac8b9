import FireflyTensors

/// The MLP: down(f(gate(x)) ⊙ up(x)) (Shazeer, 2020), or without a gate down(f(up(x))).
struct FeedForward {
  let input: LinearGroup  // gate, up: [T, C] → [T, 2F]; up alone: [T, F]
  let output: LinearGroup  // down: [T, F] → [T, C]
  let activation: Activation  // f

  struct Saved {
    let input: LinearGroup.Saved
    let gateUp: Tensor  // [T, 2F] or [T, F] c
    let output: LinearGroup.Saved
  }

  /// - Parameter finish: of the down projection.
  func forward(  // [T, C] c → [T, C]
    _ x: Matrix, _ pass: Pass, finish: LinearFinish = .none
  ) -> (y: Tensor, saved: Saved) {
    let (activated, gateUp, inputSaved) = activated(x, pass)
    let (y, outputSaved) = output.forward(activated, pass, finish: finish)
    return (y, Saved(input: inputSaved, gateUp: gateUp, output: outputSaved))
  }

  /// What `forward` keeps, without the down projection.
  func saved(_ x: Matrix, _ pass: Pass) -> Saved {  // [T, C] c
    let (activated, gateUp, inputSaved) = activated(x, pass)
    return Saved(input: inputSaved, gateUp: gateUp, output: output.saved(activated, pass))
  }

  private func activated(  // [T, C] c → [T, F] c
    _ x: Matrix, _ pass: Pass
  ) -> (Matrix, gateUp: Tensor, LinearGroup.Saved) {
    let activated = output.makeInput(rows: x.rows)
    let (gateUp, saved) = input.forward(x, pass, finish: .activated(into: activated, activation))
    return (activated, gateUp, saved)
  }

  func backward(_ dy: Tensor, _ saved: Saved, _ pass: Pass) -> Tensor {  // [T, C] → [T, C] float32
    let dyCompute = dy.inType(input.compute)
    let dGateUp = output.backward(
      dyCompute.matrix, saved.output, pass, in: input.compute,
      finish: .activation(of: saved.gateUp.matrix, activation))
    return input.backward(dGateUp.matrix, saved.input, pass)
  }
}
