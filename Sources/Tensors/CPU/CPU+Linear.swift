import CKernels
import COneDNN
import FireflyBase

extension CPU {
  /// Where products are panels by one block of rows: tiles, and oneDNN's where it is known.
  package func rowsAlike(in dtype: DType) -> ClosedRange<Int>? {
    let areAlike = TileProducts.current(for: dtype) != nil || onednn_rows_are_alike(dtype.onednn)
    return areAlike ? 16...LinearPart.blockRows : nil
  }

  package func linear(_ y: Matrix, _ x: Matrix, parts: [LinearPart], low: [Matrix?], rowByRow: Bool) {
    linear(y, x, parts: parts, low: low, rowByRow: rowByRow, finish: .none)
  }

  package func linear(
    _ y: Matrix, _ x: Matrix, parts: [LinearPart], low: [Matrix?], rowByRow: Bool, finish: LinearFinish
  ) {
    // Where rows are few, reading the weights is the cost.
    if rowByRow || x.rows <= KERNELS_GEMV_ROWS {
      guard case .none = finish else {
        return linearThenFinish(y, x, parts: parts, low: low, rowByRow: rowByRow, finish)
      }
      linearByRow(y, x, parts: parts, low: low, roundsRows: rowByRow)
      return addBiases(y, parts)
    }
    let tiles = TileProducts.current(for: x.dtype)
    let x = tiles?.spread(x, columns: y.columns) ?? x
    let tasks = LinearTask.of(parts, rows: x.rows, finish)
    Parallel.run(tasks.count) { index in
      let task = tasks[index]
      let (y, finish) = (y.rows(task.rows), finish.rows(task.rows))
      for (place, slice) in task.slices.enumerated() {
        let h = low[slice.part].map { $0.rows(task.rows) }
        let part = parts[slice.part]
        let (out, x) = (y.columns(slice.columns), x.rows(task.rows))
        let finished = { (rows: Range<Int>) in
          let (block, finish) = (y.rows(rows), finish.rows(rows))
          self.finishSlice(block.columns(slice.columns), of: x.dtype, part.bias, slice, finish)
          if place == task.slices.count - 1 { self.finish(block, columns: task.columns, finish) }
        }
        if let tiles {
          tiles.multiply(out, x, h, part, outputs: slice.outputs)
          finished(0..<out.rows)
        } else {
          part.multiply(out, x, h, slice.outputs, finish: finished)
        }
      }
    }
  }

  /// What each slice of a block of rows needs: its bias, and the residual that it is added to.
  private func finishSlice(
    _ y: Matrix, of dtype: DType, _ bias: Tensor?, _ slice: LinearSlice, _ finish: LinearFinish
  ) {
    let bias = bias?.slice(slice.outputs)
    if case .added(let residual, let factor) = finish {
      InstructionSet.kernels.pointee.add_result(
        y.output(), residual.columns(slice.columns).input(), bias?.floatPointer, factor, dtype.code, y.rows,
        y.columns)
    } else if let bias {
      addBias(y, bias)
    }
  }

  private func addBiases(_ y: Matrix, _ parts: [LinearPart]) {
    var first = 0
    for index in parts.indices {
      let outputs = first..<first + parts[index].outputs
      if let bias = parts[index].bias { addBias(y.columns(outputs), bias) }
      first = outputs.upperBound
    }
  }

  package func linearInputGradient(_ dx: Matrix, _ dy: Matrix, parts: [LinearPart], accumulate: Bool) {
    let grid = CPU.panelGrid(dx.rows, dx.columns)
    let tiles = CPU.gradientTiles(of: dy)
    let dy = tiles?.spread(dy, columns: dx.columns) ?? dy
    Parallel.run(grid.count) { task in
      let (rows, panel) = (grid.rows(task), grid.columns(task))
      addProducts(
        dx.rows(rows).columns(panel), dy.rows(rows), parts, through: nil, panel, tiles, accumulate: accumulate
      )
    }
  }

  package func linearInputGradient(
    _ dx: Matrix, _ dy: Matrix, parts: [LinearPart], through pairs: LowRankGradient?,
    finish: InputGradientFinish
  ) {
    let inputs = parts[0].inputs
    let grid = CPU.panelGrid(dy.rows, inputs)
    let tiles = CPU.gradientTiles(of: dy)
    let dy = tiles?.spread(dy, columns: inputs) ?? dy
    // On tiles dLow·A is further steps of the same sums.
    let isFurther = pairs.map { $0.dropout == nil && TileProducts.suits($0.low.columns) } ?? false
    let (further, pairs) = tiles != nil && isFurther ? (pairs, nil) : (nil, pairs)
    Parallel.run(grid.count) { task in
      let (rows, panel) = (grid.rows(task), grid.columns(task))
      let isSum = finish.isSum(dx)
      let sum = isSum ? dx.rows(rows).columns(panel) : Tensor([rows.count, panel.count], .float32).matrix
      addProducts(
        sum, dy.rows(rows), parts, through: further?.block(rows, panel), panel, tiles, accumulate: false)
      if isSum && pairs == nil { return }
      for start in stride(from: 0, to: rows.count, by: LinearPart.blockRows) {
        let own = start..<min(start + LinearPart.blockRows, rows.count)
        let all = own.shifted(by: rows.lowerBound)
        if let pairs { add(pairs.block(all, panel), to: sum.rows(own)) }
        if !isSum {
          self.finish(dx.rows(all), sum.rows(own), columns: panel, of: inputs, finish.rows(all))
        }
      }
    }
  }

  /// By all of the rows: a task's share decides nothing.
  private static func gradientTiles(of dy: Matrix) -> TileProducts? {
    dy.rows > KERNELS_GEMV_ROWS ? TileProducts.current(for: dy.dtype) : nil
  }

  /// out (+)= Σ dyᵢ·Wᵢ[:, panel] + dLow·A, the latter on tiles alone.
  private func addProducts(
    _ out: Matrix, _ dy: Matrix, _ parts: [LinearPart], through pairs: LowRankGradient?,
    _ panel: Range<Int>, _ tiles: TileProducts?, accumulate: Bool
  ) {
    if let tiles {
      return tiles.multiplyTransposed(out, dy, parts, inputs: panel, through: pairs, accumulate: accumulate)
    }
    var adding = accumulate
    var first = 0
    for part in parts {
      part.multiplyTransposed(out, dy.columns(first..<first + part.outputs), panel, accumulate: adding)
      first += part.outputs
      adding = true
    }
  }

  /// Panels of whole quantisation blocks, which decode fastest. Where they are few, rows are halved as well, so that
  /// small machines get equal shares; decoding twice costs a percent.
  private static func panelGrid(_ rows: Int, _ columns: Int) -> PanelGrid {
    let panels = (columns + 255) / 256
    let halves = panels < 12 && panels % 4 != 0 && rows >= 256 ? 2 : 1
    return PanelGrid(
      rows, rowParts: (rows + 1023) / 1024 * halves, Split(columns, parts: panels, unit: NF4.blockSize))
  }
}

/// Some outputs of one part.
private struct LinearSlice {
  let part: Int
  let outputs: Range<Int>
  /// Where they lie in y.
  let columns: Range<Int>

  /// The slices that make up some columns of y.
  static func of(_ parts: [LinearPart], _ columns: Range<Int>) -> [LinearSlice] {
    var slices: [LinearSlice] = []
    var first = 0
    for (index, part) in parts.enumerated() {
      let own = columns.clamped(to: first..<first + part.outputs)
      if !own.isEmpty {
        slices.append(LinearSlice(part: index, outputs: own.shifted(by: -first), columns: own))
      }
      first += part.outputs
    }
    return slices
  }
}

/// A task of `linear`: some rows of some columns, and where they are a gate's those of up with them.
private struct LinearTask {
  let rows: Range<Int>
  let columns: Range<Int>
  let slices: [LinearSlice]

  static func of(_ parts: [LinearPart], rows: Int, _ finish: LinearFinish) -> [LinearTask] {
    let gate = finish.gateColumns(of: parts.reduce(0) { $0 + $1.outputs })
    var tasks: [LinearTask] = []
    var first = 0
    let splits = (gate.map { [$0] } ?? parts.map(\.outputs)).map {
      Split($0, parts: Tiles.parts(of: $0), unit: finish.unit)
    }
    let columnTasks = splits.reduce(0) { $0 + $1.parts }
    for split in splits {
      let grid = PanelGrid(rows, rowParts: (rows + 1023) / 1024, split, columnTasks: columnTasks)
      for task in 0..<grid.count {
        let columns = grid.columns(task).shifted(by: first)
        let up = gate.map { LinearSlice.of(parts, columns.shifted(by: $0)) } ?? []
        tasks.append(
          LinearTask(rows: grid.rows(task), columns: columns, slices: LinearSlice.of(parts, columns) + up))
      }
      first += split.extent
    }
    return tasks
  }
}

extension LinearFinish {
  /// How many of the columns are a gate's that needs as many others; nil: each column stands by itself.
  fileprivate func gateColumns(of outputs: Int) -> Int? {
    guard case .activated(let into, _) = self, into.columns != outputs else { return nil }
    return into.columns
  }

  /// What columns are cut in multiples of.
  fileprivate var unit: Int {
    guard case .rotated(_, let rotation) = self else { return 16 }
    return rotation.headDim % 16 == 0 ? rotation.headDim : 16 * rotation.headDim
  }
}

extension LinearPart {
  /// Rows of one product: with as many outputs as a slice has, its float32 tile takes a quarter of a level-2 cache.
  static let blockRows = 256
  /// Rows of a panel decoded at a time by `multiplyTransposed`.
  static let panelRows = 1024

  /// The weight's block `rows` × `columns`: a view of a dense one, a decoded copy of a quantised one.
  func block(rows: Range<Int>, columns: Range<Int>, _ dtype: DType) -> Matrix {
    if case .dense(let tensor) = weight { return tensor.matrix.rows(rows).columns(columns) }
    let decoded = Tensor([rows.count, columns.count], dtype).matrix
    Ledger.measureDecoding(rows.count * columns.count) {
      switch weight {
      case .dense: break
      case .nf4(let tensor): CPU.shared.decodeNF4(tensor, rows: rows, columns: columns, into: decoded)
      case .blocks(let tensor): CPU.shared.decodeBlocks(tensor, rows: rows, columns: columns, into: decoded)
      }
    }
    return decoded
  }

  /// y = x·W[range]ᵀ + h·B[range]ᵀ; `finish` gets each block of rows while it is in the cache.
  fileprivate func multiply(
    _ y: Matrix, _ x: Matrix, _ h: Matrix?, _ range: Range<Int>, finish: (Range<Int>) -> Void
  ) {
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
      finish(rows)
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
