import CKernels

extension CPU {
  package func rmsNorm(_ y: Matrix, reciprocal: Tensor, x: Matrix, weight: Tensor, epsilon: Float) {
    let k = InstructionSet.kernels
    CPU.split(x.rows, cost: x.columns) { rows in
      let start = rows.lowerBound
      k.pointee.rms_norm(
        y.row(start), y.dtype.code, y.stride, reciprocal.floatPointer + start, x.floatRow(start), x.stride,
        weight.floatPointer, epsilon, rows.count, x.columns)
    }
  }

  package func rmsNormGradient(_ dx: Matrix, dy: Matrix, x: Matrix, reciprocal: Tensor, weight: Tensor) {
    let k = InstructionSet.kernels
    CPU.split(x.rows, cost: x.columns) { rows in
      let start = rows.lowerBound
      k.pointee.rms_norm_gradient(
        dx.floatRow(start), dx.stride, dy.floatRow(start), dy.stride, x.floatRow(start), x.stride,
        reciprocal.floatPointer + start, weight.floatPointer, rows.count, x.columns)
    }
  }

  package func layerNorm(
    _ y: Matrix, mean: Tensor, reciprocal: Tensor, x: Matrix, weight: Tensor, bias: Tensor?, epsilon: Float
  ) {
    let k = InstructionSet.kernels
    CPU.split(x.rows, cost: x.columns) { rows in
      let start = rows.lowerBound
      k.pointee.layer_norm(
        y.row(start), y.dtype.code, y.stride, mean.floatPointer + start, reciprocal.floatPointer + start,
        x.floatRow(start), x.stride, weight.floatPointer, bias?.floatPointer, epsilon, rows.count, x.columns)
    }
  }

  package func layerNormGradient(
    _ dx: Matrix, dy: Matrix, x: Matrix, mean: Tensor, reciprocal: Tensor, weight: Tensor
  ) {
    let k = InstructionSet.kernels
    CPU.split(x.rows, cost: x.columns) { rows in
      let start = rows.lowerBound
      k.pointee.layer_norm_gradient(
        dx.floatRow(start), dx.stride, dy.floatRow(start), dy.stride, x.floatRow(start), x.stride,
        mean.floatPointer + start, reciprocal.floatPointer + start, weight.floatPointer, rows.count, x.columns
      )
    }
  }

  package func rotate(
    _ x: Matrix, headDim: Int, rotaryDim: Int, cos: Tensor, sin: Tensor, turn: RotaryTurn
  ) {
    let k = InstructionSet.kernels
    CPU.split(x.rows, cost: x.columns) { rows in
      let start = rows.lowerBound
      k.pointee.rotate(
        x.row(start), x.dtype.code, x.stride, cos.floatPointer + start * rotaryDim / 2,
        sin.floatPointer + start * rotaryDim / 2, turn.inverse ? -1 : 1, turn.interleaved ? 1 : 0, rows.count,
        x.columns / headDim, headDim, rotaryDim)
    }
  }

  package func activate(_ y: Matrix, _ x: Matrix, gating up: Matrix?, _ activation: Activation) {
    let k = InstructionSet.kernels
    CPU.split(y.rows, cost: 4 * y.columns) { rows in
      let start = rows.lowerBound
      k.pointee.activate(
        y.row(start), y.stride, x.row(start), x.stride, up?.row(start), up?.stride ?? 0, y.dtype.code,
        activation.rawValue, rows.count, y.columns)
    }
  }

  package func activateGradient(
    _ dx: Matrix, dUp: Matrix?, dy: Matrix, x: Matrix, gating up: Matrix?, _ activation: Activation
  ) {
    let k = InstructionSet.kernels
    CPU.split(x.rows, cost: 8 * x.columns) { rows in
      let start = rows.lowerBound
      k.pointee.activate_gradient(
        dx.row(start), dx.stride, dUp?.row(start), dUp?.stride ?? 0, dy.row(start), dy.dtype.code, dy.stride,
        x.row(start), x.stride, up?.row(start), up?.stride ?? 0, x.dtype.code, activation.rawValue,
        rows.count,
        x.columns)
    }
  }

  package func dropout(_ y: Matrix, _ x: Matrix, _ bits: DropoutBits) {
    let k = InstructionSet.kernels
    CPU.split(x.rows, cost: x.columns) { rows in
      let start = rows.lowerBound
      k.pointee.dropout(
        y.row(start), y.stride, x.row(start), x.stride, x.dtype.code, bits.key,
        bits.firstRow &+ UInt64(start),
        bits.threshold, bits.factor, rows.count, x.columns)
    }
  }

  package func addDropped(_ dx: Matrix, _ g: Matrix, _ bits: DropoutBits) {
    let k = InstructionSet.kernels
    CPU.split(g.rows, cost: g.columns) { rows in
      let start = rows.lowerBound
      k.pointee.add_dropped(
        dx.floatRow(start), dx.stride, g.row(start), g.stride, g.dtype.code, bits.key,
        bits.firstRow &+ UInt64(start), bits.threshold, bits.factor, rows.count, g.columns)
    }
  }
}
