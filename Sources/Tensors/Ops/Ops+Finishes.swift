// Checks of what comes with a product.

extension LinearFinish {
  /// Itself if it has something to do and its shapes are right for y, the result of products of rows of `dtype`.
  func checked(_ y: Matrix, _ dtype: DType, on device: any Device) -> LinearFinish? {
    switch self {
    case .none: return nil
    case .added(let x, _):
      Ops.checkSame(y, x)
      for matrix in [x, y] { Ops.checkFloat32(matrix.dtype) }
      precondition(x.device === device, "a residual on \(x.device.name)")
    case .activated(let into, _):
      precondition(
        into.rows == y.rows && (into.columns == y.columns || 2 * into.columns == y.columns)
          && into.dtype == dtype && y.dtype == dtype && into.device === device,
        "[\(into.rows), \(into.columns)] \(into.dtype) activated from [\(y.rows), \(y.columns)] \(y.dtype)")
    case .rotated(let columns, let rotation):
      precondition(columns <= y.columns && y.dtype == dtype, "\(columns) columns turn of \(y.columns)")
      rotation.check(rows: y.rows, columns: columns, on: device)
    }
    return self
  }
}

extension Rotation {
  /// That it is of these rows' heads.
  func check(rows: Int, columns: Int, on device: any Device) {
    precondition(headDim > 0 && columns % headDim == 0, "\(columns) columns in heads of \(headDim)")
    precondition(
      rotaryDim >= 0 && rotaryDim <= headDim && rotaryDim % 2 == 0,
      "\(rotaryDim) rotary dimensions of \(headDim)")
    for (table, name) in [(cos, "cos"), (sin, "sin")] {
      Ops.checkCount(table, rows * rotaryDim / 2, name)
      precondition(table.device === device, "\(name) on \(table.device.name)")
    }
  }
}

extension InputGradientFinish {
  /// That dx is what it makes of a sum of `inputs` columns, from products of `dtype`.
  func check(_ dx: Matrix, inputs: Int, of dtype: DType) {
    guard case .activation(let z, _) = self else {
      return precondition(
        dx.columns == inputs && (dx.dtype == dtype || dx.dtype == .float32),
        "dx [\(dx.rows), \(dx.columns)] \(dx.dtype) of \(inputs) inputs")
    }
    Ops.checkSame(dx, z)
    precondition(
      (z.columns == inputs || z.columns == 2 * inputs) && dx.dtype == z.dtype && z.dtype == dtype,
      "z [\(z.rows), \(z.columns)] \(z.dtype) and dz \(dx.dtype) of \(inputs) inputs")
  }
}

extension LowRankGradient {
  /// That it goes with products of rows of `dtype`.
  func check(rows: Int, inputs: Int, of dtype: DType) {
    precondition(
      low.rows == rows && low.columns == a.rows && a.columns == inputs && low.dtype == dtype
        && a.dtype == dtype,
      "dLow [\(low.rows), \(low.columns)] \(low.dtype), A [\(a.rows), \(a.columns)] \(a.dtype) for [\(rows), \(inputs)]"
    )
  }
}
