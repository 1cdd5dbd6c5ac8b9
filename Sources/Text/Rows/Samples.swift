import FireflyBase

/// The training rows of a data set, in the file's order, read from a mapping when asked for.
public struct Samples: RandomAccessCollection, Sendable {
  let file: SampleFile

  public var startIndex: Int { 0 }
  public var endIndex: Int { file.trailer.rows }
  public subscript(position: Int) -> Sample {
    precondition(indices.contains(position), "row \(position) of \(count)")
    return file.sample(position)
  }

  /// Tokens and targets of each row; the tokens themselves are not read.
  package var sizes: [(tokens: Int, targets: Int)] {
    indices.map { (file.length($0), file.targets($0).reduce(0) { $0 + $1.count }) }
  }

  /// The samples made of the first row of `line` in the file: two of a preference pair, none where no row is kept. The
  /// other rows are not read.
  package func rows(fromLine line: Int) -> [Sample] {
    guard let first = indices.first(where: { file.line($0) == line }) else { return [] }
    return [first, first + 1].filter { $0 < count && file.line($0) == line }.map(file.sample)
  }

  /// The largest token id of all rows, and a line that has it.
  package var largestToken: (id: Int32, line: Int) {
    (Int32(clamping: file.trailer.largestToken), file.trailer.largestTokenLine)
  }

  /// How many different token ids the rows have.
  package var distinctTokens: Int { file.trailer.distinctTokens }

  /// Tells whether two sets of rows are the same: tokens, targets and order.
  package var digest: String { file.trailer.samples.text }
}
