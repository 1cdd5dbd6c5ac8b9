import FireflyBase

// Products with rows some of whose elements are dropped: masked block by block, each in the cache when it is multiplied.
extension CPU {
  /// Rows that are masked at a time. On tiles each block packs A for itself, so that fewer blocks are quicker where they are
  /// enough for the threads.
  private static func maskedBlocks(_ rows: Int, onTiles: Bool) -> Split {
    let (few, many) = ((rows + 255) / 256, (rows + 127) / 128)
    return Split(rows, parts: onTiles ? max(few, min(many, 2 * Parallel.threads)) : many)
  }

  /// Columns that are masked at a time. To tiles any width is as good: there are more panels where those would be unequal, if
  /// none of them becomes so narrow that it is made as its transpose, whose sums have another order.
  private static func maskedPanels(_ columns: Int, onTiles: Bool) -> Split {
    let parts = Tiles.parts(of: columns)
    let more = parts + parts / 2
    let isUnequal = columns % (32 * parts) != 0 && columns % (32 * more) == 0
    let takesMore = onTiles && isUnequal && !TileProducts.isTurned(columns, columns / more)
    return Split(columns, parts: takesMore ? more : parts, unit: 32)
  }

  package func matmulDropped(_ low: Matrix, _ x: Matrix, _ a: Matrix, _ bits: DropoutBits, scale: Float) {
    let tiles = TileProducts.suiting(x.rows, a.rows, x.columns, x.dtype)
    let blocks = CPU.maskedBlocks(x.rows, onTiles: tiles != nil)
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
    let panels = CPU.maskedPanels(x.columns, onTiles: tiles != nil)
    let turned = tiles?.transposed(dLow)
    Parallel.run(panels.parts) { panel in
      let columns = panels[panel]
      let masked = Tensor([x.rows, columns.count], x.dtype).matrix
      dropout(masked, x.columns(columns), bits.at(row: 0, column: columns.lowerBound))
      if let tiles {
        tiles.matmul(
          dA.columns(columns), dLow, masked, transposeA: true, accumulate: true, turned: turned)
      } else {
        Product(out: dA.columns(columns), a: dLow, b: masked, transposeA: true, accumulate: true).run()
      }
    }
  }

  package func lowRankGradients(_ steps: [LowRankStep]) {
    guard let first = steps.first else { return }
    let tiles = TileProducts.current(for: first.dy.dtype)
    let isTogether = steps.map { tiles != nil && TileProducts.turns($0) }
    for (step, isTogether) in zip(steps, isTogether) where !isTogether { multiply(step) }
    tiles?.lowRankGradients(zip(steps, isTogether).compactMap { $1 ? $0 : nil })
  }
}
