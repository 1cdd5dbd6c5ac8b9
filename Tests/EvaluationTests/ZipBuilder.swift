import CZlib
import Foundation

/// Makes zip archives.
enum ZipBuilder {
  /// - Parameters:
  ///   - method: 0 stores, 8 deflates.
  ///   - declared: the method that the archive says; `method` when nil.
  ///   - flags: the general purpose bits.
  static func archive(_ files: [String: String], method: Int, declared: Int? = nil, flags: Int = 0) -> Data {
    var data = Data()
    var directory = Data()
    for (name, text) in files.sorted(by: { $0.key < $1.key }) {
      let content = Array(text.utf8)
      let packed = method == 8 ? deflated(content) : content
      let sum = Int(crc32(0, content, uInt(content.count)))
      let common =
        number(20, 2) + number(flags, 2) + number(declared ?? method, 2) + number(0, 4) + number(sum, 4)
        + number(packed.count, 4) + number(content.count, 4) + number(name.utf8.count, 2) + number(0, 2)
      directory +=
        number(0x0201_4B50, 4) + number(20, 2) + common + number(0, 2) + number(0, 2)
        + number(0, 2) + number(0, 4) + number(data.count, 4) + Data(name.utf8)
      data += number(0x0403_4B50, 4) + common + Data(name.utf8) + Data(packed)
    }
    let end =
      number(0x0605_4B50, 4) + number(0, 4) + number(files.count, 2) + number(files.count, 2)
      + number(directory.count, 4) + number(data.count, 4) + number(0, 2)
    return data + directory + end
  }

  private static func number(_ value: Int, _ bytes: Int) -> Data {
    Data((0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
  }

  private static func deflated(_ content: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    deflateInit2_(
      &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    defer { deflateEnd(&stream) }
    var input = content
    return [UInt8](unsafeUninitializedCapacity: content.count + 100) { buffer, count in
      input.withUnsafeMutableBufferPointer { input in
        stream.next_in = input.baseAddress
        stream.avail_in = uInt(input.count)
        stream.next_out = buffer.baseAddress
        stream.avail_out = uInt(buffer.count)
        deflate(&stream, Z_FINISH)
        count = buffer.count - Int(stream.avail_out)
      }
    }
  }
}
