import FireflyBase

extension CPU {
  /// Below this many elements, starting another thread costs more than it gains.
  private static let grain = 16_384

  /// Runs `body` over ranges that together cover `0..<count`, each element costing about `cost` elements' work.
  static func split(_ count: Int, cost: Int, multiple: Int = 1, _ body: (Range<Int>) -> Void) {
    guard count > 0 else { return }
    let units = (count + multiple - 1) / multiple
    let tasks = min(Parallel.threads, units, max(1, count * max(cost, 1) / grain))
    if tasks <= 1 {
      body(0..<count)
      return
    }
    Parallel.run(tasks) { task in
      let start = units * task / tasks * multiple
      let end = min(units * (task + 1) / tasks * multiple, count)
      body(start..<end)
    }
  }

  /// Shares of the outputs of a product that reads its weights once, some for each thread to choose from, but not many: the
  /// first rows of a share have not been asked for ahead. Outputs do not depend on their share, so the number of threads may count.
  static func rowShares(outputs: Int, inputs: Int) -> Split {
    let rounds = min(max(outputs * inputs / 131_072 / Parallel.threads, 1), 8)
    return Split(outputs, parts: rounds * Parallel.threads)
  }
}

/// The tasks of a product that goes through its rows in blocks of `LinearPart.blockRows`, which share the reading of a panel of
/// weights. Rows and columns are cut by their extents, and rows once more, between two blocks, where that lets the threads end
/// earlier. The blocks stay the same, so the number of threads may count: results do not depend on it.
package struct PanelGrid {
  private let rowRanges: [Range<Int>]
  private let columnSplit: Split

  /// - Parameters:
  ///   - columnTasks: Those of all matrices that are computed together.
  package init(
    _ rows: Int, rowParts: Int, _ columns: Split, columnTasks: Int? = nil, threads: Int = Parallel.threads
  ) {
    columnSplit = columns
    let parts = Split(rows, parts: rowParts)
    let tasks = parts.parts * (columnTasks ?? columns.parts)
    rowRanges = (0..<parts.parts).flatMap { part in
      let own = parts[part]
      let cut = PanelGrid.cut(own.count, tasks: tasks, threads: threads)
      return (0..<cut.parts).map { cut[$0].shifted(by: own.lowerBound) }
    }
  }

  /// Rows that take as long as decoding a panel does.
  private static let panelCost = 32

  /// The cut of a part's rows with which `tasks` such parts are done first; the coarsest of equal ones.
  private static func cut(_ rows: Int, tasks: Int, threads: Int) -> Split {
    let blocks = max(1, (rows + LinearPart.blockRows - 1) / LinearPart.blockRows)
    let whole = Split(rows, parts: 1, unit: 1)
    let cuts = (2..<blocks + 1).map { Split(rows, parts: $0, unit: LinearPart.blockRows) }
    func time(_ cut: Split) -> Int { (tasks * cut.parts + threads - 1) / threads * (cut.width + panelCost) }
    return cuts.reduce(whole) { time($1) < time($0) ? $1 : $0 }
  }

  package var count: Int { rowRanges.count * columnSplit.parts }
  package func rows(_ task: Int) -> Range<Int> { rowRanges[task / columnSplit.parts] }
  package func columns(_ task: Int) -> Range<Int> { columnSplit[task % columnSplit.parts] }
}

/// A grid of nearly equal blocks over a matrix `[rows, columns]`.
struct Tiles {
  private let rowSplit: Split
  private let columnSplit: Split

  init(_ rows: Int, _ columns: Int, rowParts: Int, columnParts: Int) {
    rowSplit = Split(rows, parts: rowParts)
    columnSplit = Split(columns, parts: columnParts)
  }

  var count: Int { rowSplit.parts * columnSplit.parts }
  func rows(_ tile: Int) -> Range<Int> { rowSplit[tile / columnSplit.parts] }
  func columns(_ tile: Int) -> Range<Int> { columnSplit[tile % columnSplit.parts] }

  /// Parts of at most 288 for the dimension that threads share: 1, 2 or a multiple of 4, so that small machines get
  /// equal shares, and not below 96, two of the widest micro-kernels: narrower ones spend their time on packing.
  static func parts(of extent: Int) -> Int {
    let parts = max((extent + 287) / 288, min(4, extent / 96))
    if parts <= 2 { return max(parts, 1) }
    return extent < 4 * 96 ? 2 : (parts + 3) / 4 * 4
  }
}

/// 0..<extent cut into `parts` ranges whose bounds are multiples of 16; the last ones may be shorter or empty.
package struct Split {
  let extent: Int
  let parts: Int
  let width: Int

  package init(_ extent: Int, parts: Int, unit: Int = 16) {
    self.extent = extent
    width = max((extent + parts - 1) / parts, 1).roundedUp(to: unit)
    self.parts = max((extent + width - 1) / width, 1)
  }

  subscript(part: Int) -> Range<Int> { part * width..<min((part + 1) * width, extent) }
}

extension Int {
  func roundedUp(to unit: Int) -> Int { (self + unit - 1) / unit * unit }
}
