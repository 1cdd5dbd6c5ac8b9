import FireflyTensors

// What backward passes add to a parameter's gradient. Sums are taken in float32; a gradient in bfloat16 is rounded after each.

extension Parameter {
  /// gradient `[m, n]` += aᵀ·b
  func addProduct(_ a: Matrix, _ b: Matrix) {  // [T, m], [T, n] of one type
    guard gradient.dtype == .float32 || gradient.dtype == a.dtype else {
      return addInFloat32 { Ops.matmul($0, a, b, transposeA: true, accumulate: true) }
    }
    Ops.matmul(gradient.matrix, a, b, transposeA: true, accumulate: true)
  }

  /// gradient `[n]` += the columns' sums
  func addColumnSums(_ x: Matrix) {  // [T, n]
    let sums = Tensor.zeros([x.columns], .float32, on: x.device)
    Ops.addColumnSums(sums, x)
    add(sums)
  }

  /// gradient += x, of the gradient's shape.
  func add(_ x: Tensor) { addInFloat32 { Ops.add($0, x.matrix) } }

  /// gradient[rows[i]] += x[i], in the order of i.
  func addRows(_ rows: [Int32], _ x: Matrix) {  // [T, C] float32
    guard gradient.dtype != .float32 else { return Ops.scatterAddRows(gradient.matrix, rows, x) }
    let touched = Set(rows).sorted()
    let places = Dictionary(uniqueKeysWithValues: touched.enumerated().map { ($1, Int32($0)) })
    let sums = Tensor([touched.count, x.columns], .float32, on: x.device)
    Ops.gatherRows(sums.matrix, gradient.matrix, rows: touched)
    Ops.scatterAddRows(sums.matrix, rows.compactMap { places[$0] }, x)
    for (place, row) in touched.enumerated() {
      Ops.convert(gradient.matrix.rows(Int(row)..<Int(row) + 1), sums.matrix.rows(place..<place + 1))
    }
  }

  /// Lets `body` add to the gradient, or to some of its rows, in float32.
  func addInFloat32(rows: Range<Int>? = nil, _ body: (Matrix) -> Void) {
    let own = rows.map { gradient.matrix.rows($0) } ?? gradient.matrix
    guard own.dtype != .float32 else { return body(own) }
    let wide = Tensor([own.rows, own.columns], .float32, on: own.device).matrix
    Ops.convert(wide, own)
    body(wide)
    Ops.convert(own, wide)
  }
}
