import FireflyBase

/// Writes a `SampleFile`: rows one by one, their tokens at once, everything else at the end.
final class SampleFileWriter {
  private let file: AsideFile
  private var tokens: [Int32] = []
  private var tokenCount = 0
  /// The section of rows, three words each.
  private var rows: [UInt64] = []
  /// The section of target ranges, two words each.
  private var ranges: [UInt32] = []
  private var content = ContentHash()
  private var samples = ContentHash()
  private var largest = (token: Int32(0), line: 0)
  private var seen: [Bool] = []
  private static let bufferedTokens = 1 << 18

  init(_ file: AsideFile) { self.file = file }

  func add(_ sample: Sample) throws {
    tokens += sample.tokens
    tokenCount += sample.tokens.count
    samples.add(UInt64(sample.tokens.count))
    sample.tokens.withUnsafeBytes { samples.add($0) }
    for range in sample.targets {
      ranges += [UInt32(range.lowerBound), UInt32(range.upperBound)]
      samples.add(UInt64(range.lowerBound) << 32 | UInt64(range.upperBound))
    }
    rows += [UInt64(tokenCount), UInt64(ranges.count / 2), UInt64(sample.line)]
    note(sample)
    if tokens.count >= SampleFileWriter.bufferedTokens { try flush() }
  }

  private func note(_ sample: Sample) {
    for token in sample.tokens {
      precondition(token >= 0, "a token id below 0")
      if token > largest.token { largest = (token, sample.line) }
      if Int(token) >= seen.count { seen += [Bool](repeating: false, count: Int(token) + 1 - seen.count) }
      seen[Int(token)] = true
    }
  }

  private func flush() throws {
    try tokens.withUnsafeBytes(write)
    tokens.removeAll(keepingCapacity: true)
  }

  private func write(_ bytes: UnsafeRawBufferPointer) throws {
    content.add(bytes)
    try file.write(bytes)
  }

  private func pad(_ count: Int) throws {
    try [UInt8](repeating: 0, count: SampleFile.padded(count) - count).withUnsafeBytes(write)
  }

  /// - Parameters:
  ///   - key: what the rows were made for.
  ///   - report: kept beside them.
  func finish(key: ContentHash.Digest, report: JSONValue) throws {
    try flush()
    try pad(4 * tokenCount)
    try rows.withUnsafeBytes(write)
    try ranges.withUnsafeBytes(write)
    let text = Array(report.text().utf8)
    try text.withUnsafeBytes(write)
    try pad(text.count)
    let (content, samples) = (content.digest, samples.digest)
    var words: [UInt64] = [
      SampleFile.magic, SampleFile.version, key.first, key.second, UInt64(rows.count / 3), UInt64(tokenCount),
      UInt64(ranges.count / 2), UInt64(text.count), UInt64(largest.token), UInt64(largest.line),
      content.first,
      content.second, samples.first, samples.second, UInt64(seen.count { $0 }),
    ]
    words.append(SampleFile.checksum(words[...]))
    try words.withUnsafeBytes { try file.write($0) }
  }
}
