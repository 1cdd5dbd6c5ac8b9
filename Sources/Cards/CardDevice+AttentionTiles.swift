import CCard
import FireflyTensors

/// Attention by tensor cores, without scores in memory: bfloat16 and float16 on cards that have the kernels for it.
extension CardDevice {
  /// Whether the kernels take heads of this shape in these matrices.
  func attendsInTiles(_ shape: AttentionShape, _ operands: [Matrix]) -> Bool {
    let type = operands[0].dtype
    return (type == .bfloat16 || type == .float16) && card.pointee.has_tiles != 0 && shape.cap == nil
      && shape.headDim == shape.valueDim
      && shape.headDim <= CARD_TILE_HEAD_LIMIT && shape.headDim % 8 == 0
      && operands.allSatisfy {
        $0.dtype == type && $0.stride % 8 == 0 && UInt(bitPattern: $0.pointer) % 16 == 0
      }
  }

  /// - Parameter past: keys before the first query's own; `starts` are those of queries.
  func attendInTiles(
    _ out: Matrix, logSums: Matrix?, q: Matrix, k: Matrix, v: Matrix, starts: [Int32], past: Int,
    shape: AttentionShape
  ) {
    let tiles = queryTiles(starts, shape, past: past)
    run(
      "attention",
      card_attend_tiles(
        card, out.output, logSums?.float32, q.input, k.input, v.input, tiles.elements,
        shape.tileHeads(logSums), Int64(tiles.count), Int64(shape.heads)))
    withExtendedLifetime(tiles) {}
  }

  func attentionGradientInTiles(
    _ gradients: AttentionGradients, dout: Matrix, dots: Tensor, logSums: Matrix, q: Matrix, k: Matrix,
    v: Matrix, starts: [Int32], shape: AttentionShape
  ) {
    let (queries, keys) = (queryTiles(starts, shape), keyTiles(starts, shape))
    let heads = shape.tileHeads(logSums)
    run(
      "attentionGradient",
      card_attend_tiles_queries(
        card, gradients.dq.output, dout.input, logSums.float32, dots.float32, q.input, k.input, v.input,
        queries.elements, heads, Int64(queries.count), Int64(shape.heads)))
    run(
      "attentionGradient",
      card_attend_tiles_keys(
        card, gradients.dk.output, gradients.dv.output, dout.input, logSums.float32, dots.float32, q.input,
        k.input, v.input, keys.elements, heads, Int64(keys.count), Int64(shape.keyValueHeads)))
    withExtendedLifetime((queries, keys)) {}
  }

  // MARK: Tiles

  /// Those with most keys first, so that none of them is alone at the end.
  private func queryTiles(
    _ starts: [Int32], _ shape: AttentionShape, past: Int = 0
  ) -> Uploaded<card_query_tile> {
    let blocks = QueryBlock.of(starts, shape, past: past) { _ in Int(CARD_TILE_ROWS) }
    return uploaded(blocks.sorted { $0.keys.count > $1.keys.count }.map(card_query_tile.init))
  }

  private func keyTiles(_ starts: [Int32], _ shape: AttentionShape) -> Uploaded<card_key_tile> {
    var tiles: [card_key_tile] = []
    for (start, end) in zip(starts, starts.dropFirst()) {
      for row in stride(from: start, to: end, by: Int(CARD_TILE_ROWS)) {
        let rows = min(Int32(CARD_TILE_ROWS), end - row)
        let beyond = Int(row + rows) - 1 + min(shape.window ?? .max, Int(end))
        tiles.append(card_key_tile(row: row, rows: rows, end: Int32(min(Int(end), beyond))))
      }
    }
    return uploaded(tiles.sorted { $0.end - $0.row > $1.end - $1.row })
  }
}

extension card_query_tile {
  fileprivate init(_ block: QueryBlock) {
    self.init(
      row: Int32(block.queries.lowerBound), rows: Int32(block.queries.count),
      key: Int32(block.keys.lowerBound), keys: Int32(block.keys.count),
      diagonal: Int32(block.diagonal))
  }
}

extension AttentionShape {
  /// - Parameter logSums: `[heads, T]`
  fileprivate func tileHeads(_ logSums: Matrix?) -> card_tile_heads {
    card_tile_heads(
      slopes: slopes.map { UnsafePointer($0.float32) }, log_step: Int64(logSums?.stride ?? 0),
      head_dim: Int32(headDim), group: Int32(group), window: Int32(min(window ?? .max, Int(Int32.max) / 2)),
      scale: scale)
  }
}
