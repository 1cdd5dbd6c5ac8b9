import FireflyBase

/// Tokenised rows in one mapped file: what the data cache keeps, and what a data set reads from.
///
/// Sections, little-endian: tokens (Int32 each), padded to 8 bytes; for each row the ends of its tokens and of its target
/// ranges and its line (3 × UInt64); target ranges (2 × UInt32 each), the report as JSON, padded; and a trailer of 16 UInt64
/// with sizes and hashes. The file is written once, from front to back.
final class SampleFile: Sendable {
  /// The trailer's words.
  struct Trailer: Equatable {
    var key: ContentHash.Digest
    var rows: Int
    var tokens: Int
    var ranges: Int
    var reportBytes: Int
    /// The largest token id, and a line that it stands on.
    var largestToken: Int
    var largestTokenLine: Int
    /// How many different token ids there are.
    var distinctTokens: Int
    /// The hash of everything before the trailer.
    var content: ContentHash.Digest
    /// The hash of tokens and targets alone.
    var samples: ContentHash.Digest
  }

  static let magic: UInt64 = 0x5377_6F52_7946_4646  // "FFFyRowS"
  /// Rises with every change of this layout or of how rows are made.
  static let version: UInt64 = 4
  static let trailerWords = 16

  let trailer: Trailer
  private let file: MappedFile
  private let rowStart: Int
  private let rangeStart: Int
  private let reportStart: Int

  /// - Parameter key: what the file must have been made for.
  /// - Throws: `FireflyError` when the file is damaged, foreign, or made for something else.
  convenience init(_ path: String, key: ContentHash.Digest) throws {
    try self.init(MappedFile(path), key: key)
  }

  init(_ file: MappedFile, key: ContentHash.Digest) throws {
    self.file = file
    let size = file.bytes.count
    trailer = try SampleFile.trailer(of: file)
    func damaged(_ what: String) -> FireflyError {
      FireflyError("damaged data cache: \(what)", at: file.path)
    }
    guard trailer.key == key else { throw damaged("made for other data") }
    // Bounded by the file's size, so the sums below cannot overflow.
    guard
      [trailer.rows, trailer.tokens, trailer.ranges, trailer.reportBytes].allSatisfy({
        (0...size).contains($0)
      })
    else { throw damaged("sizes out of range") }
    rowStart = SampleFile.padded(4 * trailer.tokens)
    rangeStart = rowStart + 24 * trailer.rows
    reportStart = rangeStart + 8 * trailer.ranges
    let end = reportStart + SampleFile.padded(trailer.reportBytes)
    guard end + 8 * SampleFile.trailerWords == size else { throw damaged("sizes do not add up") }
    var hash = ContentHash()
    hash.add(file, 0..<end)
    guard hash.digest == trailer.content else { throw damaged("wrong checksum") }
    try checkRows()
  }

  static func padded(_ count: Int) -> Int { (count + 7) / 8 * 8 }

  private static func trailer(of file: MappedFile) throws -> Trailer {
    let words = try (0..<trailerWords).map { index in
      let offset = file.bytes.count - 8 * (trailerWords - index)
      guard offset >= 0 else { throw FireflyError("not a data cache", at: file.path) }
      return file.bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
    guard words[0] == magic, words[1] == version, words[15] == checksum(words[..<15]) else {
      throw FireflyError("not a data cache of this version", at: file.path)
    }
    let sizes = words[4...9].map { Int(clamping: $0) }
    return Trailer(
      key: ContentHash.Digest(words[2], words[3]), rows: sizes[0], tokens: sizes[1], ranges: sizes[2],
      reportBytes: sizes[3], largestToken: sizes[4], largestTokenLine: sizes[5],
      distinctTokens: Int(clamping: words[14]),
      content: ContentHash.Digest(words[10], words[11]), samples: ContentHash.Digest(words[12], words[13]))
  }

  static func checksum(_ words: ArraySlice<UInt64>) -> UInt64 {
    var hash = ContentHash()
    for word in words { hash.add(word) }
    return hash.digest.first
  }

  /// Rows must follow each other within the sections.
  private func checkRows() throws {
    var (token, range) = (0, 0)
    for row in 0..<trailer.rows {
      let (nextToken, nextRange) = (tokenEnd(row), rangeEnd(row))
      guard (token...trailer.tokens).contains(nextToken), (range...trailer.ranges).contains(nextRange) else {
        throw FireflyError("damaged data cache: row \(row + 1) is out of range", at: file.path)
      }
      (token, range) = (nextToken, nextRange)
    }
    guard token == trailer.tokens, range == trailer.ranges else {
      throw FireflyError("damaged data cache: rows are missing", at: file.path)
    }
  }

  // MARK: - Reading

  private func word(_ row: Int, _ place: Int) -> Int {
    Int(clamping: file.bytes.loadUnaligned(fromByteOffset: rowStart + 24 * row + 8 * place, as: UInt64.self))
  }

  private func tokenEnd(_ row: Int) -> Int { row < 0 ? 0 : word(row, 0) }
  private func rangeEnd(_ row: Int) -> Int { row < 0 ? 0 : word(row, 1) }

  func line(_ row: Int) -> Int { word(row, 2) }

  /// Tokens of a row.
  func length(_ row: Int) -> Int { tokenEnd(row) - tokenEnd(row - 1) }

  /// What is learnt of a row, as ranges of its tokens.
  func targets(_ row: Int) -> [Range<Int>] {
    (rangeEnd(row - 1)..<rangeEnd(row)).map { range in
      let place = rangeStart + 8 * range
      let lower = file.bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)
      let upper = file.bytes.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self)
      return Int(lower)..<Int(max(lower, upper))
    }
  }

  func sample(_ row: Int) -> Sample {
    let tokens = 4 * tokenEnd(row - 1)..<4 * tokenEnd(row)
    let ids = [Int32](unsafeUninitializedCapacity: tokens.count / 4) { buffer, count in
      UnsafeMutableRawBufferPointer(buffer).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: file.bytes[tokens]))
      count = tokens.count / 4
    }
    return Sample(tokens: ids, targets: targets(row), line: line(row))
  }

  func report() throws -> JSONValue {
    let bytes = file.bytes[reportStart..<reportStart + trailer.reportBytes]
    return try JSONValue.parse(String(decoding: bytes, as: UTF8.self), source: file.path)
  }
}
