import CCard
import FireflyTensors

extension CardDevice {
  package func rmsNorm(_ y: Matrix, reciprocal: Tensor, x: Matrix, weight: Tensor, epsilon: Float) {
    run(
      "rmsNorm",
      card_rms_norm(
        card, y.output, reciprocal.float32, x.input, weight.float32, epsilon, Int64(x.rows),
        Int64(x.columns)))
  }

  package func rmsNormGradient(_ dx: Matrix, dy: Matrix, x: Matrix, reciprocal: Tensor, weight: Tensor) {
    run(
      "rmsNormGradient",
      card_rms_norm_gradient(
        card, dx.output, dy.input, x.input, reciprocal.float32, weight.float32, Int64(x.rows),
        Int64(x.columns)))
  }

  package func normWeightGradient(
    _ dWeight: Tensor, dy: Matrix, x: Matrix, mean: Tensor?, reciprocal: Tensor
  ) {
    run(
      "normWeightGradient",
      card_norm_weight_gradient(
        card, dWeight.float32, dy.input, x.input, mean?.float32, reciprocal.float32, Int64(x.rows),
        Int64(x.columns)))
  }

  package func layerNorm(
    _ y: Matrix, mean: Tensor, reciprocal: Tensor, x: Matrix, weight: Tensor, bias: Tensor?, epsilon: Float
  ) {
    run(
      "layerNorm",
      card_layer_norm(
        card, y.output, mean.float32, reciprocal.float32, x.input, weight.float32, bias?.float32, epsilon,
        Int64(x.rows), Int64(x.columns)))
  }

  package func layerNormGradient(
    _ dx: Matrix, dy: Matrix, x: Matrix, mean: Tensor, reciprocal: Tensor, weight: Tensor
  ) {
    run(
      "layerNormGradient",
      card_layer_norm_gradient(
        card, dx.output, dy.input, x.input, mean.float32, reciprocal.float32, weight.float32, Int64(x.rows),
        Int64(x.columns)))
  }

  package func rotate(
    _ x: Matrix, headDim: Int, rotaryDim: Int, cos: Tensor, sin: Tensor, turn: RotaryTurn
  ) {
    run(
      "rotate",
      card_rotate(
        card, x.output, cos.float32, sin.float32, turn.inverse ? -1 : 1, turn.interleaved ? 1 : 0,
        Int64(x.rows), Int64(x.columns / headDim), Int64(headDim), Int64(rotaryDim)))
  }

  package func activate(_ y: Matrix, _ x: Matrix, gating up: Matrix?, _ activation: Activation) {
    run(
      "activate",
      card_activate(
        card, y.output, x.input, up?.input ?? card_in(), activation.rawValue, Int64(y.rows),
        Int64(y.columns)))
  }

  package func activateGradient(
    _ dx: Matrix, dUp: Matrix?, dy: Matrix, x: Matrix, gating up: Matrix?, _ activation: Activation
  ) {
    run(
      "activateGradient",
      card_activate_gradient(
        card, dx.output, dUp?.output ?? card_out(), dy.input, x.input, up?.input ?? card_in(),
        activation.rawValue, Int64(x.rows), Int64(x.columns)))
  }

  package func dropout(_ y: Matrix, _ x: Matrix, _ bits: DropoutBits) {
    run(
      "dropout",
      card_dropout(
        card, y.output, x.input, bits.key, bits.firstRow, bits.threshold, bits.factor, Int64(x.rows),
        Int64(x.columns)))
  }

  package func addDropped(_ dx: Matrix, _ g: Matrix, _ bits: DropoutBits) {
    run(
      "addDropped",
      card_add_dropped(
        card, dx.output, g.input, bits.key, bits.firstRow, bits.threshold, bits.factor, Int64(g.rows),
        Int64(g.columns)))
  }
}
