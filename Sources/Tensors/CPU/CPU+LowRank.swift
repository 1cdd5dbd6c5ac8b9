import FireflyBase

// Products with rows some of whose elements are dropped: masked block by block, each in the cache when it is multiplied.
extension CPU {
  /// Rows that are masked at a time.
  private static let maskedRows = 128

  package func matmulDropped(_ low: Matrix, _ x: Matrix, _ a: Matrix, _ bits: DropoutBits, scale: Float) {
    let tiles = TileProducts.suiting(x.rows, a.rows, x.columns, x.dtype)
    let blocks = Split(x.rows, parts: (x.rows + CPU.maskedRows - 1) / CPU.maskedRows)
    Parallel.run(blocks.parts) { block in
      let rows = blocks[block]
      let masked = Tensor([rows.count, x.columns], x.dtype).matrix
      dropout(masked, x.rows(rows), bits.at(row: rows.lowerBound))
      if let tiles {
        tiles.matmul(low.rows(rows), masked, a, transposeB: true, scale: scale)
      } else {
        Product(out: low.rows(rows), a: masked, b: a, transposeB: true, scale: scale).run()
      }
    }
  }

  package func addMatmulDropped(_ dA: Matrix, _ dLow: Matrix, _ x: Matrix, _ bits: DropoutBits) {
    let tiles = TileProducts.suiting(dLow.columns, x.columns, x.rows, x.dtype)
    let panels = Split(x.columns, parts: Tiles.parts(of: x.columns), unit: 32)
    Parallel.run(panels.parts) { panel in
      let columns = panels[panel]
      let masked = Tensor([x.rows, columns.count], x.dtype).matrix
      dropout(masked, x.columns(columns), bits.at(row: 0, column: columns.lowerBound))
      if let tiles {
        tiles.matmul(dA.columns(columns), dLow, masked, transposeA: true, accumulate: true)
      } else {
        Product(out: dA.columns(columns), a: dLow, b: masked, transposeA: true, accumulate: true).run()
      }
    }
  }
}
