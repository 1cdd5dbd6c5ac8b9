import FireflyBase

/// The entries of a zip archive: each a range of the mapped file, as it is packed.
///
/// Everything read is checked against the file's size; checksums are left to who reads the contents. Source: PKWARE's
/// APPNOTE.TXT (end of central directory, zip64, central and local headers).
package struct ZipArchive {
  package struct Entry: Equatable {
    /// Where its bytes lie in the file.
    package let range: Range<Int>
    /// Bytes when unpacked.
    package let size: Int
    package let isDeflated: Bool
    /// CRC-32 of what is unpacked.
    package let checksum: UInt32
  }

  package let file: MappedFile
  /// The entries by their names.
  package let entries: [String: Entry]

  /// - Parameter allowsDeflate: entries may be compressed; otherwise each is to be stored as it is.
  /// - Throws: `FireflyError` when the archive is damaged, or an entry is encrypted or compressed in another way.
  package init(_ file: MappedFile, allowsDeflate: Bool) throws {
    self.file = file
    let reader = ZipReader(path: file.path, bytes: file.bytes, allowsDeflate: allowsDeflate)
    entries = try reader.entries(in: reader.directory())
  }
}

/// Reads the records of one archive.
private struct ZipReader {
  let path: String
  let bytes: UnsafeRawBufferPointer
  let allowsDeflate: Bool

  private enum Signature {
    static let entry: UInt32 = 0x0201_4B50
    static let localHeader: UInt32 = 0x0403_4B50
    static let end: UInt32 = 0x0605_4B50
    static let end64: UInt32 = 0x0606_4B50
    static let locator64: UInt32 = 0x0706_4B50
  }

  /// The central directory: where it lies and how many entries it lists.
  struct Directory {
    let range: Range<Int>
    let count: Int
  }

  func directory() throws -> Directory {
    let end = try endRecord()
    let count = try number(UInt16.self, end + 10)
    let size = try number(UInt32.self, end + 12)
    let offset = try number(UInt32.self, end + 16)
    if count == .max || size == .max || offset == .max { return try directory64(before: end) }
    return try directory(count: UInt64(count), size: UInt64(size), offset: UInt64(offset))
  }

  /// The last end record; at most a comment of 65,535 bytes follows it.
  private func endRecord() throws -> Int {
    let last = bytes.count - 22
    for position in stride(from: last, through: max(0, last - 65_535), by: -1)
    where bytes.littleEndian(UInt32.self, at: position) == Signature.end {
      return position
    }
    throw damaged("its end is missing")
  }

  private func directory64(before end: Int) throws -> Directory {
    guard bytes.littleEndian(UInt32.self, at: end - 20) == Signature.locator64,
      let place = Int(exactly: try number(UInt64.self, end - 12)),
      bytes.littleEndian(UInt32.self, at: place) == Signature.end64
    else {
      throw damaged("its 64-bit end is missing")
    }
    return try directory(
      count: number(UInt64.self, place + 32), size: number(UInt64.self, place + 40),
      offset: number(UInt64.self, place + 48))
  }

  private func directory(count: UInt64, size: UInt64, offset: UInt64) throws -> Directory {
    let total = UInt64(bytes.count)
    guard offset <= total, size <= total - offset, count <= size / 46 else {
      throw damaged("its directory lies outside the file")
    }
    return Directory(range: Int(offset)..<Int(offset + size), count: Int(count))
  }

  func entries(in directory: Directory) throws -> [String: ZipArchive.Entry] {
    var entries: [String: ZipArchive.Entry] = [:]
    var position = directory.range.lowerBound
    for _ in 0..<directory.count {
      let (name, entry, next) = try entry(at: position)
      guard next <= directory.range.upperBound else { throw damaged("its directory ends within an entry") }
      guard entries.updateValue(entry, forKey: name) == nil else { throw damaged("\(name) is in it twice") }
      position = next
    }
    return entries
  }

  private func entry(at start: Int) throws -> (name: String, entry: ZipArchive.Entry, next: Int) {
    guard try number(UInt32.self, start) == Signature.entry else { throw damaged("its directory is broken") }
    let nameEnd = start + 46 + Int(try number(UInt16.self, start + 28))
    let extraEnd = nameEnd + Int(try number(UInt16.self, start + 30))
    let next = extraEnd + Int(try number(UInt16.self, start + 32))
    guard next <= bytes.count,
      let name = String(validating: bytes[start + 46..<nameEnd], as: UTF8.self)
    else {
      throw damaged("an entry's name is broken")
    }
    let method = try number(UInt16.self, start + 10)
    try check(name, flags: number(UInt16.self, start + 8), method: method)
    var sizes = [24, 20, 42].map { bytes.littleEndian(UInt32.self, at: start + $0).map(UInt64.init) ?? 0 }
    try widen(&sizes, from: nameEnd..<extraEnd)
    guard let size = Int(exactly: sizes[0]), method != 0 || sizes[0] == sizes[1] else {
      throw damaged("\(name) has two sizes")
    }
    let entry = ZipArchive.Entry(
      range: try contents(name, size: sizes[1], localHeader: sizes[2]), size: size, isDeflated: method != 0,
      checksum: try number(UInt32.self, start + 16))
    return (name, entry, next)
  }

  private func check(_ name: String, flags: UInt16, method: UInt16) throws {
    guard flags & 1 == 0 else {
      throw FireflyError("an entry of the archive is encrypted", at: "\(path): \(name)")
    }
    guard method == 0 || allowsDeflate && method == 8 else {
      throw FireflyError(
        "an entry of the archive is compressed", at: "\(path): \(name)",
        expected: allowsDeflate ? "stored or deflated entries" : "stored entries, as torch.save writes them",
        found: method == 8 ? "deflate" : "method \(method)",
        fix: allowsDeflate ? "Pack the archive anew with zip." : "Save the file again with torch.save.")
    }
  }

  /// Numbers that are all ones stand in the extra field 1 instead, in this order.
  private func widen(_ numbers: inout [UInt64], from extra: Range<Int>) throws {
    guard numbers.contains(UInt64(UInt32.max)) else { return }
    var position = extra.lowerBound
    while position + 4 <= extra.upperBound {
      let id = try number(UInt16.self, position)
      let end = position + 4 + Int(try number(UInt16.self, position + 2))
      if id == 1 {
        var next = position + 4
        for index in numbers.indices where numbers[index] == UInt64(UInt32.max) {
          guard next + 8 <= min(end, extra.upperBound) else { throw damaged("a 64-bit size is missing") }
          numbers[index] = try number(UInt64.self, next)
          next += 8
        }
        return
      }
      position = end
    }
    throw damaged("a 64-bit size is missing")
  }

  /// The bytes of an entry: they follow its local header, whose own name and extra field may be longer.
  private func contents(_ name: String, size: UInt64, localHeader: UInt64) throws -> Range<Int> {
    guard let header = Int(exactly: localHeader), header < bytes.count,
      bytes.littleEndian(UInt32.self, at: header) == Signature.localHeader
    else {
      throw damaged("the header of \(name) is missing")
    }
    let start =
      header + 30 + Int(try number(UInt16.self, header + 26)) + Int(try number(UInt16.self, header + 28))
    guard start <= bytes.count, size <= UInt64(bytes.count - start) else {
      throw damaged("\(name) lies outside the file")
    }
    return start..<start + Int(size)
  }

  private func number<Number: FixedWidthInteger>(_ type: Number.Type, _ position: Int) throws -> Number {
    guard let number = bytes.littleEndian(type, at: position) else { throw damaged("it is truncated") }
    return number
  }

  private func damaged(_ how: String) -> FireflyError {
    FireflyError(
      "the zip archive is damaged: \(how)", at: path,
      fix: "The file is truncated or damaged: download it again.")
  }
}

extension UnsafeRawBufferPointer {
  /// The little-endian number at `position`; nil when it does not lie within the bytes.
  func littleEndian<Number: FixedWidthInteger>(_ type: Number.Type, at position: Int) -> Number? {
    let size = Number.bitWidth / 8
    guard position >= 0, position <= count - size else { return nil }
    return Number(littleEndian: loadUnaligned(fromByteOffset: position, as: type))
  }
}
