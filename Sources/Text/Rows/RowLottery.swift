import FireflyBase

/// Draws the rows that a `DataSelection` takes, from hashes of what they hold.
struct RowLottery {
  let selection: DataSelection

  // A row has a number of its own for each question, so that the answers do not hang together.
  private static let ofFile: UInt64 = 1
  private static let ofAll: UInt64 = 2
  private static let ofHeldOut: UInt64 = 3

  /// - Parameter hashes: of each item of `selection.files`, of each of its rows, in order.
  /// - Returns: of each item, of each row, whether it is taken.
  func taken(_ hashes: [[UInt64]]) -> [[Bool]] {
    var taken = zip(selection.files, hashes).map(fromFile)
    if let heldOut = selection.heldOut {
      let isHeld = held(heldOut, hashes, among: taken)
      let wanted = selection.part == .heldOut
      for (item, rows) in isHeld.enumerated() {
        for (row, held) in rows.enumerated() where held != wanted { taken[item][row] = false }
      }
    }
    if selection.part == .training, let most = selection.maxRows {
      let places = places(of: taken)
      let lots = places.map { RowLottery.lot(hashes[$0.item][$0.row], RowLottery.ofAll, selection.seed) }
      for index in RowLottery.allButSmallest(most, lots) {
        taken[places[index].item][places[index].row] = false
      }
    }
    return taken
  }

  /// The rows of one item, by its own share and maximum.
  private func fromFile(_ file: DataFile, _ hashes: [UInt64]) -> [Bool] {
    let lots = hashes.map { RowLottery.lot($0, RowLottery.ofFile, selection.seed) }
    var taken = lots.map { lot in file.share.map { RowLottery.fraction(lot) < $0 } ?? true }
    if let most = file.maxRows {
      let rows = taken.indices.filter { taken[$0] }
      for index in RowLottery.allButSmallest(most, rows.map { lots[$0] }) { taken[rows[index]] = false }
    }
    return taken
  }

  /// The rows kept out of training. Of a number of rows, those with the smallest lots, and all that are the same as one
  /// of them.
  private func held(_ heldOut: HeldOut, _ hashes: [[UInt64]], among taken: [[Bool]]) -> [[Bool]] {
    let lots = hashes.map { $0.map { RowLottery.lot($0, RowLottery.ofHeldOut, 0) } }
    switch heldOut {
    case .share(let share): return lots.map { $0.map { RowLottery.fraction($0) < share } }
    case .rows(let count):
      let sorted = places(of: taken).map { lots[$0.item][$0.row] }.sorted()
      guard let limit = sorted.prefix(count).last else { return taken.map { $0.map { _ in false } } }
      return lots.map { $0.map { $0 <= limit } }
    }
  }

  private func places(of taken: [[Bool]]) -> [(item: Int, row: Int)] {
    taken.enumerated().flatMap { item, rows in rows.indices.filter { rows[$0] }.map { (item, $0) } }
  }

  /// The places of all but the `count` smallest, of equals the first.
  private static func allButSmallest(_ count: Int, _ lots: [UInt64]) -> ArraySlice<Int> {
    lots.indices.sorted { (lots[$0], $0) < (lots[$1], $1) }.dropFirst(count)
  }

  private static func lot(_ hash: UInt64, _ question: UInt64, _ seed: UInt64) -> UInt64 {
    var lot = ContentHash()
    lot.add(hash)
    lot.add(question)
    lot.add(seed)
    return lot.digest.first
  }

  /// A lot as a number from 0 up to and without 1.
  private static func fraction(_ lot: UInt64) -> Double { Double(lot >> 11) * 0x1p-53 }
}
