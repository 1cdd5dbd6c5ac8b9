import FireflyBase

/// A matrix whose elements are some of a stored one's: element [i, j] is that of the i-th row and the j-th column.
package struct TensorView: Sendable {
  let name: String
  /// The stored matrix.
  let holder: String
  let rows: StrideTo<Int>
  let columns: StrideTo<Int>

  package init(_ name: String, of holder: String, rows: StrideTo<Int>, columns: StrideTo<Int>) {
    self.name = name
    self.holder = holder
    self.rows = rows
    self.columns = columns
  }
}

extension StoredTensor {
  /// - Throws: `FireflyError` where this is no matrix of a plain type, or a row or column of the view is none of its own.
  func view(_ view: TensorView) throws -> StoredTensor {
    let (rows, columns) = (Array(view.rows), Array(view.columns))
    let own: [Int]
    switch layout {
    case .rows where info.shape.count == 2: own = [info.shape[1], 1]
    case .strided(let strides) where info.shape.count == 2: own = strides
    default: own = []
    }
    guard own.count == 2, hasPlainBytes, let row = rows.first, let column = columns.first,
      rows.allSatisfy((0..<info.shape[0]).contains), columns.allSatisfy((0..<info.shape[1]).contains)
    else {
      throw FireflyError(
        "the tensor has not the parts that are read of it", at: place, expected: "a matrix of floats",
        found: "\(info.shape)")
    }
    let size = info.type.blockBytes
    func reach(_ places: [Int]) -> Int { (places.last ?? 0) - (places.first ?? 0) }
    func step(_ places: [Int]) -> Int { places.count > 1 ? places[1] - places[0] : 1 }
    let first = info.range.lowerBound + (row * own[0] + column * own[1]) * size
    let last = reach(rows) * own[0] + reach(columns) * own[1]
    var part = self
    part.info = TensorInfo(
      name: view.name, type: info.type, shape: [rows.count, columns.count], path: info.path,
      range: first..<first + (last + 1) * size)
    part.layout = .strided([step(rows) * own[0], step(columns) * own[1]])
    return part
  }
}
