import CZlib
import FireflyBase
import Foundation

/// A zip file's entries, stored or deflated (PKWARE's APPNOTE.TXT 6.3).
///
/// Sizes come from the central directory and every offset is checked against the file before it is followed. Encrypted
/// entries, parts of a split archive and ZIP64 are refused by name.
public struct ZipArchive {
  public struct Entry: Sendable, Equatable {
    /// The path inside the archive; a folder's ends in `/`.
    public var name: String
    /// Bytes when unpacked.
    public var size: Int
    var packedSize: Int
    var method: Int
    var checksum: UInt32
    var isEncrypted: Bool
    /// Of the local header.
    var offset: Int
  }

  public let path: String
  /// In the directory's order.
  public let entries: [Entry]
  private let file: MappedFile

  /// The largest entry that is unpacked: 1 GiB.
  private static let largest = 1 << 30

  /// Reads the directory.
  ///
  /// - Throws: `FireflyError` when the file is not a zip archive, is cut off, or names an entry twice.
  public init(_ path: String) throws {
    self.path = path
    file = try MappedFile(path)
    let bytes = ZipBytes(bytes: file.bytes, path: path)
    entries = try ZipDirectory(bytes: bytes).entries()
    var names: Set<String> = []
    for entry in entries where !names.insert(entry.name).inserted {
      throw FireflyError("the archive has an entry twice", at: "\(path): \(entry.name)")
    }
  }

  /// An entry's content.
  ///
  /// - Throws: `FireflyError` when it is encrypted, packed in another way, or damaged.
  public func read(_ entry: Entry) throws -> [UInt8] {
    let place = "\(path): \(entry.name)"
    guard !entry.isEncrypted else { throw FireflyError("the entry is encrypted", at: place) }
    guard entry.size <= ZipArchive.largest else {
      throw FireflyError(
        "the entry is too large", at: place, expected: "at most \(ZipArchive.largest) bytes",
        found: "\(entry.size)")
    }
    let packed = try content(entry)
    let unpacked: [UInt8]
    switch entry.method {
    case 0: unpacked = Array(packed)
    case 8: unpacked = try inflate(packed, size: entry.size, place)
    default:
      throw FireflyError(
        "the entry's compression is not supported", at: place, expected: "stored (0) or deflated (8)",
        found: "method \(entry.method)", fix: "Pack the archive anew with zip.")
    }
    let sum = unpacked.withUnsafeBufferPointer { crc32(0, $0.baseAddress, uInt($0.count)) }
    guard unpacked.count == entry.size, UInt32(truncatingIfNeeded: sum) == entry.checksum else {
      throw FireflyError(
        "the entry is damaged: its size or checksum is wrong", at: place, fix: "Download the archive again.")
    }
    return unpacked
  }

  /// The packed bytes, behind the local header.
  private func content(_ entry: Entry) throws -> UnsafeRawBufferPointer {
    let bytes = ZipBytes(bytes: file.bytes, path: path)
    guard try bytes.number(4, at: entry.offset) == ZipDirectory.localSignature else {
      throw bytes.damaged("no entry where the directory says that \(entry.name) is")
    }
    let start =
      try entry.offset + 30 + bytes.number(2, at: entry.offset + 26)
      + bytes.number(2, at: entry.offset + 28)
    return UnsafeRawBufferPointer(rebasing: file.bytes[try bytes.range(start, entry.packedSize)])
  }

  private func inflate(_ packed: UnsafeRawBufferPointer, size: Int, _ place: String) throws -> [UInt8] {
    let damaged = FireflyError(
      "the entry is damaged: it cannot be unpacked", at: place, fix: "Download the archive again.")
    guard size > 0 else { return [] }
    return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      var stream = z_stream()
      // Minus: raw deflate, without zlib's header.
      guard
        inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
      else { throw damaged }
      defer { inflateEnd(&stream) }
      stream.next_in = UnsafeMutablePointer(
        mutating: packed.bindMemory(to: UInt8.self).baseAddress)
      stream.avail_in = uInt(packed.count)
      stream.next_out = buffer.baseAddress
      stream.avail_out = uInt(size)
      let result = CZlib.inflate(&stream, Z_FINISH)
      count = size - Int(stream.avail_out)
      guard result == Z_STREAM_END else { throw damaged }
    }
  }
}

/// The central directory at the archive's end.
private struct ZipDirectory {
  static let localSignature = 0x0403_4B50
  private static let entrySignature = 0x0201_4B50
  private static let endSignature = 0x0605_4B50

  let bytes: ZipBytes

  func entries() throws -> [ZipArchive.Entry] {
    let end = try endRecord()
    let (disk, count) = (try bytes.number(2, at: end + 4), try bytes.number(2, at: end + 10))
    let (size, start) = (try bytes.number(4, at: end + 12), try bytes.number(4, at: end + 16))
    guard count != 0xFFFF, start != 0xFFFF_FFFF else {
      throw FireflyError("ZIP64 archives are not supported", at: bytes.path)
    }
    guard disk == 0 else { throw FireflyError("split archives are not supported", at: bytes.path) }
    _ = try bytes.range(start, size)
    var entries: [ZipArchive.Entry] = []
    var position = start
    for _ in 0..<count {
      let (entry, length) = try self.entry(at: position)
      entries.append(entry)
      position += length
    }
    return entries
  }

  /// The end record stands before a comment of at most 64 KiB.
  private func endRecord() throws -> Int {
    let last = bytes.bytes.count - 22
    guard last >= 0 else { throw notAnArchive }
    for position in stride(from: last, through: max(0, last - 0xFFFF), by: -1)
    where try bytes.number(4, at: position) == ZipDirectory.endSignature {
      return position
    }
    throw notAnArchive
  }

  private var notAnArchive: FireflyError {
    FireflyError(
      "not a zip archive, or cut off: there is no directory at its end", at: bytes.path,
      fix: "Download it again, or unpack it and name the folder.")
  }

  private func entry(at position: Int) throws -> (ZipArchive.Entry, length: Int) {
    guard try bytes.number(4, at: position) == ZipDirectory.entrySignature else {
      throw bytes.damaged("no directory entry at byte \(position)")
    }
    let nameLength = try bytes.number(2, at: position + 28)
    let rest = try bytes.number(2, at: position + 30) + bytes.number(2, at: position + 32)
    let name = String(decoding: bytes.bytes[try bytes.range(position + 46, nameLength)], as: UTF8.self)
    let entry = ZipArchive.Entry(
      name: name, size: try bytes.number(4, at: position + 24),
      packedSize: try bytes.number(4, at: position + 20), method: try bytes.number(2, at: position + 10),
      checksum: UInt32(try bytes.number(4, at: position + 16)),
      isEncrypted: try bytes.number(2, at: position + 8) & 1 == 1,
      offset: try bytes.number(4, at: position + 42))
    return (entry, 46 + nameLength + rest)
  }
}

/// Checked access to an archive's bytes.
private struct ZipBytes {
  let bytes: UnsafeRawBufferPointer
  let path: String

  /// A little-endian number of 2 or 4 bytes.
  func number(_ size: Int, at position: Int) throws -> Int {
    try range(position, size).reversed().reduce(0) { $0 << 8 | Int(bytes[$1]) }
  }

  func range(_ start: Int, _ count: Int) throws -> Range<Int> {
    guard start >= 0, start <= bytes.count, count >= 0, count <= bytes.count - start else {
      throw damaged("it points past the end of the file")
    }
    return start..<start + count
  }

  func damaged(_ what: String) -> FireflyError {
    FireflyError("the archive is damaged: \(what)", at: path, fix: "Download it again.")
  }
}
