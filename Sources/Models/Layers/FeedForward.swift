import FireflyTensors

/// The MLP: down(f(gate(x)) ⊙ up(x)) (Shazeer, 2020), or without a gate down(f(up(x))).
struct FeedForward {
  let input: LinearGroup  // gate, up: [T, C] → [T, 2F]; up alone: [T, F]
  let output: LinearGroup  // down: [T, F] → [T, C]
  let activation: Activation  // f
  let isGated: Bool

  struct Saved {
    let input: LinearGroup.Saved
    let gateUp: Tensor  // [T, 2F] or [T, F] c
    let output: LinearGroup.Saved
  }

  func forward(_ x: Matrix, _ pass: Pass) -> (y: Tensor, saved: Saved) {  // [T, C] → [T, C]
    let (gateUp, inputSaved) = input.forward(x, pass)
    let activated = output.makeInput(rows: x.rows)  // [T, F]
    if isGated {
      Ops.activateGated(activated, gateUp: gateUp.matrix, activation: activation)
    } else {
      Ops.activate(activated, gateUp.matrix, activation: activation)
    }
    let (y, outputSaved) = output.forward(activated, pass)
    return (y, Saved(input: inputSaved, gateUp: gateUp, output: outputSaved))
  }

  func backward(_ dy: Tensor, _ saved: Saved, _ pass: Pass) -> Tensor {  // [T, C] → [T, C] float32
    let dyCompute = dy.inType(input.compute)
    let dGateUp = Tensor(saved.gateUp.shape, input.compute, on: dy.device)
    guard let dActivated = output.backward(dyCompute.matrix, saved.output, pass) else {
      preconditionFailure("the down projection always passes a gradient on")
    }
    if isGated {
      Ops.activateGatedGradient(
        dGateUp.matrix, dy: dActivated.matrix, gateUp: saved.gateUp.matrix, activation: activation)
    } else {
      Ops.activateGradient(
        dGateUp.matrix, dy: dActivated.matrix, x: saved.gateUp.matrix, activation: activation)
    }
    guard let dx = input.backward(dGateUp.matrix, saved.input, pass) else {
      preconditionFailure("the gate and up projections always pass a gradient on")
    }
    return dx
  }
}
