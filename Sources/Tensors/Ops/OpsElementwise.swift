import CKernels

extension Ops {
  /// out[T, C] = x[T, C] in out's type: float32, bfloat16 and float16 in any pairing, rounded to nearest even;
  /// what float16 cannot hold becomes infinite.
  public static func convert(_ out: Matrix, _ x: Matrix) {
    checkSame(out, x)
    let k = kernels
    split(x.rows, cost: x.columns) { rows in
      k.pointee.convert(
        out.row(rows.lowerBound), out.dtype.code, out.stride, x.row(rows.lowerBound), x.dtype.code, x.stride,
        rows.count, x.columns)
    }
  }

  /// x[T, C] c *= factor.
  public static func scale(_ x: Matrix, by factor: Float) {
    checkCompute(x.dtype)
    let k = kernels
    split(x.rows, cost: x.columns) { rows in
      k.pointee.scale(x.row(rows.lowerBound), x.dtype.code, x.stride, factor, rows.count, x.columns)
    }
  }

  /// x[T, C] c: row i *= factors[i].
  public static func scaleRows(_ x: Matrix, by factors: [Float]) {
    checkCompute(x.dtype)
    precondition(factors.count == x.rows, "\(factors.count) factors for \(x.rows) rows")
    let k = kernels
    split(x.rows, cost: x.columns) { rows in
      for row in rows { k.pointee.scale(x.row(row), x.dtype.code, x.stride, factors[row], 1, x.columns) }
    }
  }

  /// Σ a·b of each row of a[T, C] and b[T, C], both c of one type: [T] float32.
  public static func rowDots(_ a: Matrix, _ b: Matrix) -> [Float] {
    checkSame(a, b)
    checkCompute(a.dtype)
    precondition(a.dtype == b.dtype, "products of \(a.dtype) and \(b.dtype)")
    let dots = Tensor([a.rows], .float32)
    let k = kernels
    split(a.rows, cost: 2 * a.columns) { rows in
      let start = rows.lowerBound
      k.pointee.row_dots(
        dots.floatPointer + start, 0, a.row(start), a.stride, b.row(start), b.stride, a.dtype.code,
        rows.count,
        1, a.columns)
    }
    return dots.floats
  }

  /// x[T, C] float32 += y[T, C] c.
  public static func add(_ x: Matrix, _ y: Matrix) {
    checkSame(x, y)
    checkCompute(y.dtype)
    let k = kernels
    split(x.rows, cost: x.columns) { rows in
      k.pointee.add(
        x.floatRow(rows.lowerBound), x.stride, y.row(rows.lowerBound), y.dtype.code, y.stride, rows.count,
        x.columns)
    }
  }

  /// y[T, C] c += bias[C] float32.
  public static func addBias(_ y: Matrix, _ bias: Tensor) {
    checkCompute(y.dtype)
    checkCount(bias, y.columns, "bias")
    let k = kernels
    split(y.rows, cost: y.columns) { rows in
      k.pointee.add_bias(
        y.row(rows.lowerBound), y.dtype.code, y.stride, bias.floatPointer, rows.count, y.columns)
    }
  }

  /// out[T, C] float32 = the rows of table[V, C] (c or float16) that `tokens` name.
  public static func embed(_ out: Matrix, table: Tensor, tokens: [Int32]) {
    checkFloat32(out.dtype)
    gatherRows(out, table.matrix, rows: tokens)
  }

  /// out[i] = x[rows[i]], in out's type.
  public static func gatherRows(_ out: Matrix, _ x: Matrix, rows: [Int32]) {
    checkRows(out, rows, of: x)
    let k = kernels
    split(rows.count, cost: x.columns) { range in
      for i in range {
        k.pointee.convert(
          out.row(i), out.dtype.code, out.stride, x.row(Int(rows[i])), x.dtype.code, x.stride, 1, x.columns)
      }
    }
  }

  /// x[rows[i]] += y[i], all float32, in the order of i where a row comes twice.
  public static func scatterAddRows(_ x: Matrix, _ rows: [Int32], _ y: Matrix) {
    checkRows(y, rows, of: x)
    checkFloat32(x.dtype)
    checkFloat32(y.dtype)
    let k = kernels
    split(x.columns, cost: rows.count, multiple: 16) { columns in
      for (i, row) in rows.enumerated() {
        k.pointee.add(
          x.floatRow(Int(row)) + columns.lowerBound, x.stride, y.floatRow(i) + columns.lowerBound,
          y.dtype.code,
          y.stride, 1, columns.count)
      }
    }
  }

  private static func checkRows(_ selected: Matrix, _ rows: [Int32], of x: Matrix) {
    precondition(
      selected.rows == rows.count && selected.columns == x.columns,
      "\(rows.count) rows of [\(x.rows), \(x.columns)] and a matrix [\(selected.rows), \(selected.columns)]")
    for row in rows { precondition(row >= 0 && row < x.rows, "row \(row) of \(x.rows)") }
  }
}
