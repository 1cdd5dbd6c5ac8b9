import CKernels

extension CPU {
  package func convert(_ out: Matrix, _ x: Matrix) {
    let k = InstructionSet.kernels
    CPU.split(x.rows, cost: x.columns) { rows in
      k.pointee.convert(
        out.output(from: rows.lowerBound), x.input(from: rows.lowerBound), rows.count, x.columns)
    }
  }

  package func scale(_ x: Matrix, by factor: Float) {
    let k = InstructionSet.kernels
    CPU.split(x.rows, cost: x.columns) { rows in
      k.pointee.scale(x.output(from: rows.lowerBound), factor, rows.count, x.columns)
    }
  }

  package func softCap(_ x: Matrix, _ cap: Float) {
    let k = InstructionSet.kernels
    CPU.split(x.rows, cost: 4 * x.columns) { rows in
      k.pointee.soft_cap(x.output(from: rows.lowerBound), cap, rows.count, x.columns)
    }
  }

  package func softCapGradient(_ dx: Matrix, y: Matrix, _ cap: Float) {
    let k = InstructionSet.kernels
    CPU.split(dx.rows, cost: dx.columns) { rows in
      let start = rows.lowerBound
      k.pointee.soft_cap_gradient(
        dx.output(from: start), y.input(from: start), cap, rows.count, dx.columns)
    }
  }

  package func scaleRows(_ x: Matrix, by factors: Tensor) {
    let (k, factors) = (InstructionSet.kernels, factors.floatPointer)
    CPU.split(x.rows, cost: x.columns) { rows in
      for row in rows { k.pointee.scale(x.output(from: row), factors[row], 1, x.columns) }
    }
  }

  package func rowDots(_ dots: Tensor, _ a: Matrix, _ b: Matrix, heads: Int) {
    let k = InstructionSet.kernels
    CPU.split(a.rows, cost: 2 * a.columns) { rows in
      let start = rows.lowerBound
      k.pointee.row_dots(
        dots.floatPointer + start, a.rows, a.input(from: start), b.input(from: start), rows.count, heads,
        a.columns / heads)
    }
  }

  package func add(_ x: Matrix, _ y: Matrix) {
    let k = InstructionSet.kernels
    CPU.split(x.rows, cost: x.columns) { rows in
      k.pointee.add(x.output(from: rows.lowerBound), y.input(from: rows.lowerBound), rows.count, x.columns)
    }
  }

  package func addBias(_ y: Matrix, _ bias: Tensor) {
    let k = InstructionSet.kernels
    CPU.split(y.rows, cost: y.columns) { rows in
      k.pointee.add_bias(y.output(from: rows.lowerBound), bias.floatPointer, rows.count, y.columns)
    }
  }

  /// Threads share the columns, so that sums keep the order of the rows.
  package func addColumnSums(_ sums: Tensor, _ y: Matrix) {
    let k = InstructionSet.kernels
    CPU.split(y.columns, cost: y.rows, multiple: 16) { columns in
      k.pointee.add_columns(
        sums.floatPointer + columns.lowerBound, y.columns(columns).input(), y.rows, columns.count)
    }
  }

  package func gatherRows(_ out: Matrix, _ x: Matrix, rows: [Int32]) {
    let k = InstructionSet.kernels
    CPU.split(rows.count, cost: x.columns) { range in
      for i in range {
        k.pointee.convert(out.output(from: i), x.input(from: Int(rows[i])), 1, x.columns)
      }
    }
  }

  /// Threads share the columns, so that sums keep the order of the rows.
  package func scatterAddRows(_ x: Matrix, _ rows: [Int32], _ y: Matrix) {
    let k = InstructionSet.kernels
    CPU.split(x.columns, cost: rows.count, multiple: 16) { columns in
      let (x, y) = (x.columns(columns), y.columns(columns))
      for (i, row) in rows.enumerated() {
        k.pointee.add(x.output(from: Int(row)), y.input(from: i), 1, columns.count)
      }
    }
  }
}
