import CZlib
import FireflyBase
import Foundation

/// The content of a file of rows or of a text: mapped as it lies, or unpacked where it is packed by gzip.
package enum DataContent {
  /// The ends of names of files of rows and of texts; `.gz` may follow.
  package static let suffixes = [".jsonl", ".json", ".csv", ".tsv", ".txt"]

  /// A .txt file larger than this is refused: it would be tokenised as one text, in memory.
  private static let largestText = 1 << 30

  /// The file's name without a `.gz` behind it, in lower case.
  static func plainName(_ path: String) -> String {
    let name = path.lowercased()
    return name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
  }

  /// Whether the file is one text, and not rows.
  package static func isOneText(_ path: String) -> Bool { plainName(path).hasSuffix(".txt") }

  /// - Throws: `FireflyError` when the file cannot be read, or has a format that is not read: which, and how it
  ///   becomes one that is.
  package static func open(_ path: String) throws -> MappedFile {
    var file = try MappedFile(path)
    if file.bytes.starts(with: [0x1F, 0x8B]) { file = try unpacked(file) }
    if let format = ForeignFormat.of(file.bytes) { throw format.refusal(path) }
    return file
  }

  /// A file that is one text.
  package static func text(_ path: String) throws -> String {
    let file = try open(path)
    guard file.bytes.count <= largestText else {
      throw FireflyError(
        "the text is too long to be one", at: path, expected: "at most 1 GiB",
        fix: "Cut it into rows {\"text\": …} of a .jsonl file.")
    }
    return try withExtendedLifetime(file) {
      guard let text = String(validating: file.bytes[file.bytes.startOfText...], as: UTF8.self) else {
        throw FireflyError("the file is not valid UTF-8", at: path, fix: "Save it as UTF-8 (iconv -t UTF-8).")
      }
      return text
    }
  }

  // MARK: - gzip

  /// What the file holds, in a file without a name; several packed parts follow each other, as `cat` joins them.
  private static func unpacked(_ file: MappedFile) throws -> MappedFile {
    try AtomicFile.mapNameless(as: file.path) { output in
      var stream = z_stream()
      // 16: with gzip's header and checksum.
      guard
        inflateInit2_(&stream, MAX_WBITS + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
      else { throw FireflyError("no memory to unpack the file", at: file.path) }
      defer { inflateEnd(&stream) }
      try withExtendedLifetime(file) { try unpack(file, &stream, to: output) }
    }.content
  }

  private static func unpack(_ file: MappedFile, _ stream: inout z_stream, to output: AsideFile) throws {
    let bytes = file.bytes.bindMemory(to: UInt8.self)
    var position = 0
    var status = Z_OK
    var isFull = false
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    // A buffer that came back full may not have been the last.
    while position < bytes.count || isFull && status == Z_OK {
      let part = UnsafeBufferPointer(rebasing: bytes[position..<min(position + 1 << 28, bytes.count)])
      let produced = buffer.withUnsafeMutableBufferPointer { buffer in
        stream.next_in = UnsafeMutablePointer(mutating: part.baseAddress)
        stream.avail_in = uInt(part.count)
        stream.next_out = buffer.baseAddress
        stream.avail_out = uInt(buffer.count)
        status = inflate(&stream, Z_NO_FLUSH)
        return buffer.count - Int(stream.avail_out)
      }
      position += part.count - Int(stream.avail_in)
      isFull = produced == buffer.count
      // Nothing more came out of a part that had been read to its end.
      if status == Z_BUF_ERROR && position == bytes.count { break }
      guard status == Z_OK || status == Z_STREAM_END else { throw damaged(file.path) }
      try buffer.withUnsafeBytes { try output.write(UnsafeRawBufferPointer(rebasing: $0[..<produced])) }
      if status == Z_STREAM_END { inflateReset(&stream) }
    }
    // The last part must have ended, with the right checksum.
    guard status == Z_STREAM_END else { throw damaged(file.path) }
  }

  private static func damaged(_ path: String) -> FireflyError {
    FireflyError(
      "the packed file is damaged or cut off", at: path, expected: "a whole gzip file",
      fix: "Make or download it again; gzip -t tests it.")
  }
}
