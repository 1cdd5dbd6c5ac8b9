import CZlib
import FireflyBase
import FireflyWeights
import Foundation

extension ZipArchive {
  /// The largest entry that is unpacked, in bytes: many times the largest table of a benchmark, and small enough for one
  /// that is nothing but commas.
  private static var largest: Int { 16 << 20 }

  /// An entry's content.
  ///
  /// - Throws: `FireflyError` when there is no such entry, or it is too large or damaged.
  package func unpacked(_ name: String) throws -> [UInt8] {
    let place = "\(file.path): \(name)"
    guard let entry = entries[name] else {
      throw FireflyError("the archive has no such entry", at: place)
    }
    guard max(entry.size, entry.range.count) <= ZipArchive.largest else {
      throw FireflyError(
        "the entry is too large", at: place, expected: "at most \(ZipArchive.largest) bytes",
        found: "\(entry.size)")
    }
    let packed = UnsafeRawBufferPointer(rebasing: file.bytes[entry.range])
    let content = entry.isDeflated ? inflated(packed, size: entry.size) : Array(packed)
    let sum = content.map { bytes in
      bytes.withUnsafeBufferPointer { crc32(0, $0.baseAddress, uInt($0.count)) }
    }
    guard let content, content.count == entry.size, sum == uLong(entry.checksum) else {
      throw FireflyError(
        "the entry is damaged: its size or checksum is wrong", at: place, fix: "Download the archive again.")
    }
    return content
  }

  /// nil when the bytes are not a deflated stream of that size.
  private func inflated(_ packed: UnsafeRawBufferPointer, size: Int) -> [UInt8]? {
    guard size > 0 else { return [] }
    var stream = z_stream()
    // Minus: raw deflate, without zlib's header.
    guard inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return nil }
    defer { inflateEnd(&stream) }
    var result = Z_OK
    let content = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      stream.next_in = UnsafeMutablePointer(mutating: packed.bindMemory(to: UInt8.self).baseAddress)
      stream.avail_in = uInt(packed.count)
      stream.next_out = buffer.baseAddress
      stream.avail_out = uInt(size)
      result = inflate(&stream, Z_FINISH)
      count = size - Int(stream.avail_out)
    }
    return result == Z_STREAM_END ? content : nil
  }
}
