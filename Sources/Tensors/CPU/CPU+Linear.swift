import CKernels
import FireflyBase

extension CPU {
  package func linear(_ y: Matrix, _ x: Matrix, parts: [LinearPart], low: [Matrix?], rowByRow: Bool) {
    // Where rows are few, reading the weights is the cost.
    if rowByRow || x.rows <= KERNELS_GEMV_ROWS { return linearByRow(y, x, parts: parts, low: low) }
    let slices = LinearSlice.of(parts, rows: x.rows)
    let tiles = TileProducts.current(for: x.dtype)
    Parallel.run(slices.count) { index in
      let slice = slices[index]
      let h = low[slice.part].map { $0.rows(slice.rows) }
      let out = y.rows(slice.rows).columns(slice.columns)
      let (part, x) = (parts[slice.part], x.rows(slice.rows))
      if let tiles { return tiles.multiply(out, x, h, part, outputs: slice.outputs) }
      part.multiply(out, x, h, slice.outputs)
    }
  }

  package func linearInputGradient(_ dx: Matrix, _ dy: Matrix, parts: [LinearPart], accumulate: Bool) {
    let grid = CPU.panelGrid(dx.rows, dx.columns)
    let tiles = dx.rows > KERNELS_GEMV_ROWS ? TileProducts.current(for: dy.dtype) : nil
    Parallel.run(grid.count) { task in
      let panel = grid.columns(task)
      let out = dx.rows(grid.rows(task)).columns(panel)
      let dy = dy.rows(grid.rows(task))
      if let tiles {
        return tiles.multiplyTransposed(out, dy, parts, inputs: panel, accumulate: accumulate)
      }
      var adding = accumulate
      var first = 0
      for part in parts {
        part.multiplyTransposed(out, dy.columns(first..<first + part.outputs), panel, accumulate: adding)
        first += part.outputs
        adding = true
      }
    }
  }

  /// Panels of whole quantisation blocks, which decode fastest. Where they are few, rows are halved as well, so that
  /// small machines get equal shares; decoding twice costs a percent.
  private static func panelGrid(_ rows: Int, _ columns: Int) -> Tiles {
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

  /// The weight's block `rows` × `columns`: a view of a dense one, a decoded copy of an NF4 one.
  private func block(rows: Range<Int>, columns: Range<Int>, _ dtype: DType) -> Matrix {
    switch weight {
    case .dense(let tensor): return tensor.matrix.rows(rows).columns(columns)
    case .nf4(let tensor):
      let decoded = Tensor([rows.count, columns.count], dtype).matrix
      Ledger.measureDecoding {
        CPU.shared.decodeNF4(tensor, rows: rows, columns: columns, into: decoded)
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
      if !isWide { CPU.shared.convert(y.rows(rows), sum) }
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
