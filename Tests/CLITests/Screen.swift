import FireflyBase

/// What a user sees of what a program wrote: a terminal that wraps long lines, and wraps them anew when it is resized, as
/// most do.
struct Screen {
  private var columns: Int
  /// The lines as they were written, without the breaks that wrapping makes; a wide character is followed by "".
  private var lines: [[String]] = [[]]
  private var line = 0
  /// The cell of the line where the next character goes.
  private var cell = 0

  init(columns: Int) { self.columns = columns }

  /// The rows that are shown, without blanks at their ends.
  var rows: [String] {
    lines.flatMap { line in
      stride(from: 0, to: max(1, line.count), by: columns).map { start in
        let row = line[start..<min(line.count, start + columns)].joined()
        return String(row.reversed().drop { $0 == " " }.reversed())
      }
    }
  }

  mutating func resize(columns: Int) { self.columns = columns }

  mutating func write(_ bytes: some Sequence<UInt8>) {
    var scalars = String(decoding: Array(bytes), as: UTF8.self).unicodeScalars[...]
    while let scalar = scalars.popFirst() {
      switch scalar {
      case "\u{1B}": escape(&scalars)
      case "\r": cell -= cell % columns
      case "\n": down()
      case "\u{8}": cell = max(0, cell - 1)
      case _ where scalar.value >= 0x20: put(scalar)
      default: break
      }
    }
  }

  private mutating func put(_ scalar: Unicode.Scalar) {
    while lines[line].count <= cell + 1 { lines[line].append(" ") }
    lines[line][cell] = String(scalar)
    cell += 1
    if Columns.count(scalar) == 2 {
      lines[line][cell] = ""
      cell += 1
    }
  }

  /// To the next row, which may be the same line's.
  private mutating func down() {
    let column = cell % columns
    if cell - column + columns < lines[line].count {
      cell += columns
    } else {
      line += 1
      cell = column
      if line == lines.count { lines.append([]) }
    }
  }

  private mutating func up() {
    if cell >= columns {
      cell -= columns
    } else if line > 0 {
      line -= 1
      cell += max(0, lines[line].count - 1) / columns * columns
    }
  }

  private mutating func escape(_ scalars: inout Substring.UnicodeScalarView) {
    guard scalars.popFirst() == "[" else { return }
    var parameters = ""
    while let scalar = scalars.popFirst() {
      guard scalar.value >= 0x40 else {
        parameters.unicodeScalars.append(scalar)
        continue
      }
      let count = Int(parameters) ?? 1
      switch scalar {
      case "A": (0..<count).forEach { _ in up() }
      case "B": (0..<count).forEach { _ in down() }
      case "C": cell += count
      case "D": cell = max(0, cell - count)
      case "K": lines[line].removeSubrange(min(cell, lines[line].count)...)
      case "J":
        lines[line].removeSubrange(min(cell, lines[line].count)...)
        lines.removeSubrange((line + 1)...)
      default: break
      }
      return
    }
  }
}
