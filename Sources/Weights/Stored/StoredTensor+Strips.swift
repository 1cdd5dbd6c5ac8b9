import FireflyTensors

// Some rows of a tensor, read by themselves.

extension StoredTensor {
  /// Whether some rows can be read without the others.
  var hasStrips: Bool {
    guard info.shape.count == 2, info.shape[1] > 0, shift == 0, scales == nil, table?.hasStrips ?? true
    else { return false }
    switch layout {
    case .strided, .apart: return false
    case .rows, .rotary: return info.type.isBlock || info.type.dtype?.isFloat == true
    }
  }

  /// The rows in ranges that can be read one after another; one range where rows cannot be read by themselves.
  ///
  /// - Parameters:
  ///   - heads: the rows are those of so many heads, which stay whole; nil: each row stands for itself.
  ///   - elements: about the most that a strip has.
  func strips(heads: Int? = nil, elements: Int = Strips.elements) -> [Range<Int>] {
    guard hasStrips else { return [0..<(info.shape.first ?? 1)] }
    let (rows, columns) = (info.shape[0], info.shape[1])
    let unit = max(stripUnit, heads.map { rows / $0 } ?? 1)
    let step = max(elements / columns / unit, 1) * unit
    return stride(from: 0, to: rows, by: step).map { $0..<min($0 + step, rows) }
  }

  /// Rows that stay together in a strip: a head's where they have another order in the file.
  private var stripUnit: Int {
    if case .rotary(let heads) = layout { info.shape[0] / heads } else { 1 }
  }

  /// One of the `strips`, as a tensor of its own.
  func strip(_ rows: Range<Int>) -> StoredTensor {
    if rows.count == info.shape.first ?? 1 { return self }
    precondition(hasStrips, "rows \(rows) of \(info.name)")
    if let table {
      var strip = self
      strip.info = TensorInfo(
        name: info.name, type: info.type, shape: [rows.count, info.shape[1]], path: info.path,
        range: info.range)
      strip.table?.first = table.first + rows.lowerBound
      return strip
    }
    let rowBytes = info.range.count / info.shape[0]
    let start = info.range.lowerBound
    var strip = self
    strip.info = TensorInfo(
      name: info.name, type: info.type, shape: [rows.count, info.shape[1]], path: info.path,
      range: start + rows.lowerBound * rowBytes..<start + rows.upperBound * rowBytes)
    if case .rotary(let heads) = layout {
      let unit = stripUnit
      precondition(rows.lowerBound % unit == 0 && rows.count % unit == 0, "rows \(rows) cut a head")
      strip.layout = .rotary(heads: heads * rows.count / info.shape[0])
    }
    return strip
  }
}
