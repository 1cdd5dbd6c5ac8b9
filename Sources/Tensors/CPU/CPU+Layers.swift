import CKernels

extension CPU {
  package func rmsNorm(_ y: Matrix, reciprocal: Tensor, x: Matrix, weight: Tensor, epsilon: Float) {
    let k = InstructionSet.kernels
    CPU.split(x.rows, cost: x.columns) { rows in
      let start = rows.lowerBound
      k.pointee.rms_norm(
        y.output(from: start), reciprocal.floatPointer + start, x.input(from: start), weight.floatPointer,
        epsilon, rows.count, x.columns)
    }
  }

  package func rmsNormGradient(_ dx: Matrix, dy: Matrix, x: Matrix, reciprocal: Tensor, weight: Tensor) {
    let k = InstructionSet.kernels
    CPU.split(x.rows, cost: x.columns) { rows in
      let start = rows.lowerBound
      k.pointee.rms_norm_gradient(
        dx.output(from: start), dy.input(from: start), x.input(from: start), reciprocal.floatPointer + start,
        weight.floatPointer, rows.count, x.columns)
    }
  }

  /// Threads share the columns, so that sums keep the order of the rows.
  package func normWeightGradient(
    _ dWeight: Tensor, dy: Matrix, x: Matrix, mean: Tensor?, reciprocal: Tensor
  ) {
    let k = InstructionSet.kernels
    CPU.split(x.columns, cost: 2 * x.rows, multiple: 16) { columns in
      k.pointee.norm_weight_gradient(
        dWeight.floatPointer + columns.lowerBound, dy.columns(columns).input(), x.columns(columns).input(),
        mean?.floatPointer, reciprocal.floatPointer, x.rows, columns.count)
    }
  }

  package func layerNorm(
    _ y: Matrix, mean: Tensor, reciprocal: Tensor, x: Matrix, weight: Tensor, bias: Tensor?, epsilon: Float
  ) {
    let k = InstructionSet.kernels
    CPU.split(x.rows, cost: x.columns) { rows in
      let start = rows.lowerBound
      k.pointee.layer_norm(
        y.output(from: start), mean.floatPointer + start, reciprocal.floatPointer + start,
        x.input(from: start), weight.floatPointer, bias?.floatPointer, epsilon, rows.count, x.columns)
    }
  }

  package func layerNormGradient(
    _ dx: Matrix, dy: Matrix, x: Matrix, mean: Tensor, reciprocal: Tensor, weight: Tensor
  ) {
    let k = InstructionSet.kernels
    CPU.split(x.rows, cost: x.columns) { rows in
      let start = rows.lowerBound
      k.pointee.layer_norm_gradient(
        dx.output(from: start), dy.input(from: start), x.input(from: start), mean.floatPointer + start,
        reciprocal.floatPointer + start, weight.floatPointer, rows.count, x.columns)
    }
  }

  package func rotate(
    _ x: Matrix, headDim: Int, rotaryDim: Int, cos: Tensor, sin: Tensor, turn: RotaryTurn
  ) {
    let k = InstructionSet.kernels
    CPU.split(x.rows, cost: x.columns) { rows in
      let start = rows.lowerBound
      k.pointee.rotate(
        x.output(from: start), cos.floatPointer + start * rotaryDim / 2,
        sin.floatPointer + start * rotaryDim / 2, turn.inverse ? -1 : 1, turn.interleaved ? 1 : 0, rows.count,
        x.columns / headDim, headDim, rotaryDim)
    }
  }

  package func activate(_ y: Matrix, _ x: Matrix, gating up: Matrix?, _ activation: Activation) {
    let k = InstructionSet.kernels
    CPU.split(y.rows, cost: 4 * y.columns) { rows in
      let start = rows.lowerBound
      k.pointee.activate(
        y.output(from: start), x.input(from: start), up?.input(from: start) ?? kernels_in(),
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
        dx.output(from: start), dUp?.output(from: start) ?? kernels_out(), dy.input(from: start),
        x.input(from: start),
        up?.input(from: start) ?? kernels_in(), activation.rawValue, rows.count, x.columns)
    }
  }

  package func dropout(_ y: Matrix, _ x: Matrix, _ bits: DropoutBits) {
    let k = InstructionSet.kernels
    CPU.split(x.rows, cost: x.columns) { rows in
      let start = rows.lowerBound
      k.pointee.dropout(
        y.output(from: start), x.input(from: start), bits.kernels(from: start), rows.count, x.columns)
    }
  }

  package func addDropped(_ dx: Matrix, _ g: Matrix, _ bits: DropoutBits) {
    let k = InstructionSet.kernels
    CPU.split(g.rows, cost: g.columns) { rows in
      let start = rows.lowerBound
      k.pointee.add_dropped(
        dx.output(from: start), g.input(from: start), bits.kernels(from: start), rows.count, g.columns)
    }
  }
}

extension DropoutBits {
  /// Those of the rows from `row` on, as kernels take them.
  fileprivate func kernels(from row: Int) -> kernels_dropout {
    kernels_dropout(
      key: key, first_row: firstRow &+ UInt64(row), first_column: firstColumn, threshold: threshold,
      factor: factor)
  }
}
