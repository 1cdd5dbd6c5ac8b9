import CColumns
import Foundation

/// Text as a terminal shows it: measured, padded and wrapped in columns, of which a wide character takes two.
package enum Columns {
  /// The columns that `text` takes; a line break or another control character takes none.
  package static func count(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { $0 + count($1) }
  }

  /// 0 for what joins the character before it, 2 for Chinese, Japanese and Korean characters and for emoji.
  package static func count(_ scalar: Unicode.Scalar) -> Int {
    if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F ? 0 : 1 }
    _ = knowsWideCharacters
    return max(0, Int(columns_of(scalar.value)))
  }

  /// The C library knows of wide characters in a UTF-8 locale alone, which a bare shell does not have.
  package static let knowsWideCharacters: Bool = {
    let own = setlocale(LC_CTYPE, "").map { String(cString: $0) } ?? ""
    return own.uppercased().contains("UTF-8") || setlocale(LC_CTYPE, "C.UTF-8") != nil
  }()

  /// `text` and blanks behind it up to `width` columns.
  package static func left(_ text: String, _ width: Int) -> String { text + blanks(width - count(text)) }

  /// `text` and blanks before it up to `width` columns.
  package static func right(_ text: String, _ width: Int) -> String { blanks(width - count(text)) + text }

  /// The beginning of `text` that fits into `width` columns; what was cut off shows as `…`.
  package static func cut(_ text: String, to width: Int) -> String {
    guard count(text) > width else { return text }
    var kept = ""
    var column = 0
    for character in text {
      let columns = count(String(character))
      guard column + columns < width else { break }
      kept.append(character)
      column += columns
    }
    return kept + "…"
  }

  /// Rows whose cells begin at the same columns.
  ///
  /// - Parameters:
  ///   - isNumber: the columns of cells that stand at their right edge.
  ///   - width: where a row's last cell goes on beneath itself; nil for as long as it is.
  package static func table(_ rows: [[String]], right isNumber: Set<Int> = [], width: Int? = nil) -> [String]
  {
    let widths = (0..<(rows.map(\.count).max() ?? 0)).map { column in
      rows.map { $0.indices.contains(column) ? count($0[column]) : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let start = count(line)
        if isNumber.contains(column) {
          line += right(cell, widths[column])
        } else if column < row.count - 1 {
          line += left(cell, widths[column])
        } else {
          line += width.map { wrapped(cell, width: $0, from: start, indent: start) } ?? cell
        }
        if column < row.count - 1 { line += "  " }
      }
      return line
    }
  }

  /// The words of `text` on lines of at most `width` columns, where words allow it; blanks between words stay.
  ///
  /// - Parameters:
  ///   - column: where the first line begins.
  ///   - indent: the blanks before every further line.
  package static func wrapped(_ text: String, width: Int, from column: Int = 0, indent: Int = 0) -> String {
    var out = ""
    var column = column
    for (word, followsBlank) in pieces(text) {
      let gap = followsBlank ? 1 : 0
      if column > indent && column + gap + count(word) > width {
        out += "\n" + blanks(indent)
        column = indent
      } else if gap > 0 {
        out += " "
        column += 1
      }
      out += word
      column += count(word)
    }
    return out
  }

  /// What a line can end behind: words, and single wide characters, between which no blanks stand.
  private static func pieces(_ text: String) -> [(text: String, followsBlank: Bool)] {
    var pieces: [(text: String, followsBlank: Bool)] = []
    for (index, word) in text.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
      var (piece, isFirst, wasWide) = ("", true, false)
      for character in word {
        let isWide = character.unicodeScalars.first.map { count($0) == 2 } ?? false
        // A line does not begin with a mark such as 。or ）.
        let mayBreak = (isWide || wasWide) && !character.isPunctuation && !character.isWhitespace
        if mayBreak && !piece.isEmpty {
          pieces.append((piece, isFirst && index > 0))
          (piece, isFirst) = ("", false)
        }
        piece.append(character)
        wasWide = isWide && !"（《「“".contains(character)
      }
      pieces.append((piece, isFirst && index > 0))
    }
    return pieces
  }

  private static func blanks(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }
}
