import CKernels

/// The matrix of a linear layer, `[out, in]`, as it is held; training leaves these as they are.
public enum LinearWeight: Sendable {
  case dense(Tensor)
  case nf4(NF4Tensor)
}

/// One of the linear layers that read the same rows: a frozen weight and, with an adapter, its B.
public struct LinearPart: Sendable {
  public var weight: LinearWeight
  /// `[outputs, r]`
  public var adapterB: Tensor?
  public var outputs: Int
  public var inputs: Int

  public init(weight: LinearWeight, adapterB: Tensor? = nil, outputs: Int, inputs: Int) {
    self.weight = weight
    self.adapterB = adapterB
    self.outputs = outputs
    self.inputs = inputs
  }
}

extension Ops {
  /// Several linear layers over the same rows, their outputs side by side: y of part i = x·Wᵢᵀ + hᵢ·Bᵢᵀ.
  ///
  /// Both products of a part meet in a float32 tile that stays in the cache, so y is rounded once, and the thin one
  /// runs at the rate of the wide one. NF4 weights are decoded a slice of rows at a time, never as a whole.
  /// - Parameters:
  ///   - y: `[T, Σ outputs]`, float32 or the type of `x`.
  ///   - x: `[T, inputs]` float32 or bfloat16
  ///   - low: To each part its h `[T, r]`, scaled already, or nil for the frozen weight alone; of the type of `x`.
  ///   - rowByRow: A row's result shall not depend on the other rows: for generation. So it is for up to eight rows anyway.
  public static func linear(
    _ y: Matrix, _ x: Matrix, parts: [LinearPart], low: [Matrix?], rowByRow: Bool = false
  ) {
    precondition(parts.count == low.count, "\(parts.count) parts with \(low.count) adapters")
    precondition(
      y.rows == x.rows && (y.dtype == x.dtype || y.dtype == .float32),
      "linear from [\(x.rows)] \(x.dtype) to [\(y.rows)] \(y.dtype)")
    precondition(parts.reduce(0) { $0 + $1.outputs } == y.columns, "outputs do not fill \(y.columns) columns")
    for (part, h) in zip(parts, low) { part.check(x, h) }
    if x.rows == 0 { return }
    Ledger.measure(.matrices, flop: linearFlop(x.rows, parts, low)) {
      if rowByRow || x.rows <= KERNELS_GEMV_ROWS { return linearByRow(y, x, parts: parts, low: low) }
      let slices = LinearSlice.of(parts, rows: x.rows)
      Parallel.run(slices.count) { index in
        let slice = slices[index]
        let h = low[slice.part].map { $0.rows(slice.rows) }
        let out = y.rows(slice.rows).columns(slice.columns)
        parts[slice.part].multiply(out, x.rows(slice.rows), h, slice.outputs)
      }
    }
  }

  /// The gradient of `linear` with respect to x through the frozen weights: dx (+)= Σ dyᵢ·Wᵢ.
  ///
  /// - Parameters:
  ///   - dx: `[T, inputs]` float32
  ///   - dy: `[T, Σ outputs]`, float32 or bfloat16.
  public static func linearInputGradient(_ dx: Matrix, _ dy: Matrix, parts: [LinearPart], accumulate: Bool) {
    precondition(dx.rows == dy.rows && dx.dtype == .float32, "dx [\(dx.rows)] \(dx.dtype) of dy [\(dy.rows)]")
    precondition(
      parts.reduce(0) { $0 + $1.outputs } == dy.columns, "outputs do not fill \(dy.columns) columns")
    for part in parts { part.check(dx.columns, dy.dtype) }
    if dx.rows == 0 || dx.columns == 0 { return }
    let tiles = panelTiles(dx.rows, dx.columns)
    Ledger.measure(.matrices, flop: linearFlop(dx.rows, parts, parts.map { _ in nil })) {
      Parallel.run(tiles.count) { tile in
        let panel = tiles.columns(tile)
        let out = dx.rows(tiles.rows(tile)).columns(panel)
        let dy = dy.rows(tiles.rows(tile))
        var adding = accumulate
        var first = 0
        for part in parts {
          part.multiplyTransposed(out, dy.columns(first..<first + part.outputs), panel, accumulate: adding)
          first += part.outputs
          adding = true
        }
      }
    }
  }

  private static func linearFlop(_ rows: Int, _ parts: [LinearPart], _ low: [Matrix?]) -> Double {
    zip(parts, low).reduce(0) { sum, pair in
      sum + 2 * Double(rows) * Double(pair.0.outputs) * Double(pair.0.inputs + (pair.1?.columns ?? 0))
    }
  }
}

extension Ops {
  /// Panels of whole quantisation blocks, which decode fastest. Where they are few, rows are halved as well, so that
  /// small machines get equal shares; decoding twice costs a percent.
  fileprivate static func panelTiles(_ rows: Int, _ columns: Int) -> Tiles {
    let panels = (columns + 255) / 256
    let halves = panels < 12 && panels % 4 != 0 && rows >= 256 ? 2 : 1
    return Tiles(
      rows, columns, rowParts: (rows + 1023) / 1024 * halves, columnParts: panels, columnUnit: NF4.blockSize)
  }
}

/// A task of `linear`: some rows, some outputs of one part.
private struct LinearSlice {
  let part: Int
  let rows: Range<Int>
  let outputs: Range<Int>
  /// Where the outputs lie in y.
  let columns: Range<Int>

  static func of(_ parts: [LinearPart], rows: Int) -> [LinearSlice] {
    var slices: [LinearSlice] = []
    var first = 0
    for (index, part) in parts.enumerated() {
      let tiles = Tiles(
        rows, part.outputs, rowParts: (rows + 1023) / 1024, columnParts: Tiles.parts(of: part.outputs))
      for tile in 0..<tiles.count {
        let outputs = tiles.columns(tile)
        slices.append(
          LinearSlice(
            part: index, rows: tiles.rows(tile), outputs: outputs,
            columns: first + outputs.lowerBound..<first + outputs.upperBound))
      }
      first += part.outputs
    }
    return slices
  }
}

extension LinearPart {
  /// Rows of one product: with as many outputs as a slice has, its float32 tile takes a quarter of a level-2 cache.
  private static let blockRows = 256
  /// Rows of a panel decoded at a time by `multiplyTransposed`.
  private static let panelRows = 1024

  fileprivate func check(_ x: Matrix, _ h: Matrix?) {
    check(x.columns, x.dtype)
    guard let h else { return }
    guard let adapterB else { preconditionFailure("h for a part without an adapter") }
    precondition(
      h.rows == x.rows && adapterB.shape == [outputs, h.columns] && h.dtype == x.dtype
        && adapterB.dtype == x.dtype,
      "h [\(h.rows), \(h.columns)] \(h.dtype) with B \(adapterB.shape) \(adapterB.dtype)")
  }

  fileprivate func check(_ columns: Int, _ dtype: DType) {
    precondition(columns == inputs, "\(columns) columns for \(inputs) inputs")
    switch weight {
    case .dense(let tensor):
      precondition(
        tensor.shape == [outputs, inputs] && tensor.dtype == dtype,
        "weight \(tensor.shape) \(tensor.dtype) for [\(outputs), \(inputs)] \(dtype)")
    case .nf4(let tensor):
      precondition(tensor.shape == [outputs, inputs], "weight \(tensor.shape) for [\(outputs), \(inputs)]")
    }
  }

  /// The weight's block `rows` × `columns`: a view of a dense one, a decoded copy of an NF4 one.
  private func block(rows: Range<Int>, columns: Range<Int>, _ dtype: DType) -> Matrix {
    switch weight {
    case .dense(let tensor): return tensor.matrix.rows(rows).columns(columns)
    case .nf4(let tensor):
      let decoded = Tensor([rows.count, columns.count], dtype).matrix
      Ledger.measureDecoding {
        Ops.decodeNF4(tensor, rows: rows, columns: columns, into: decoded, parallel: false)
      }
      return decoded
    }
  }

  /// y = x·W[range]ᵀ + h·B[range]ᵀ
  fileprivate func multiply(_ y: Matrix, _ x: Matrix, _ h: Matrix?, _ range: Range<Int>) {
    let w = block(rows: range, columns: 0..<inputs, x.dtype)
    let b = h == nil ? nil : adapterB?.matrix.rows(range)
    let isWide = y.dtype == .float32
    let tile = isWide ? y : Tensor([min(LinearPart.blockRows, y.rows), y.columns], .float32).matrix
    for start in stride(from: 0, to: x.rows, by: LinearPart.blockRows) {
      let rows = start..<min(start + LinearPart.blockRows, x.rows)
      let sum = isWide ? y.rows(rows) : tile.rows(0..<rows.count)
      Product(out: sum, a: x.rows(rows), b: w, transposeB: true).run()
      if let h, let b { Product(out: sum, a: h.rows(rows), b: b, transposeB: true, accumulate: true).run() }
      if !isWide { Ops.convert(y.rows(rows), sum) }
    }
  }

  /// out (+)= dy·W[:, panel]
  fileprivate func multiplyTransposed(_ out: Matrix, _ dy: Matrix, _ panel: Range<Int>, accumulate: Bool) {
    var adding = accumulate
    for start in stride(from: 0, to: outputs, by: LinearPart.panelRows) {
      let range = start..<min(start + LinearPart.panelRows, outputs)
      let w = block(rows: range, columns: panel, dy.dtype)
      for start in stride(from: 0, to: out.rows, by: LinearPart.blockRows) {
        let rows = start..<min(start + LinearPart.blockRows, out.rows)
        Product(out: out.rows(rows), a: dy.rows(rows).columns(range), b: w, accumulate: adding).run()
      }
      adding = true
    }
  }
}
