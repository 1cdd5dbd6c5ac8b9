import FireflyBase

/// How a prompt and the text behind it lie on the terminal.
struct TypedShape {
  /// The prompt and the text, up to the cursor or to the end.
  let text: String

  /// The row on which the text ends, counted from the prompt's, when a row has `columns`: as libedit breaks it.
  func row(columns: Int) -> Int {
    var (row, column) = (0, 0)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": (row, column) = (row + 1, 0)
      case "\t": column = (column / 8 + 1) * 8
      default:
        let width = Columns.count(scalar)
        if column + width > columns { (row, column) = (row + 1, 0) }  // no half of a wide character
        column += width
      }
      if column >= columns { (row, column) = (row + 1, 0) }
    }
    return row
  }
}
