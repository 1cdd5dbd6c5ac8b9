import FireflyBase
import Foundation

/// A TensorBoard event file, appended to and flushed record by record.
///
/// A record is: length (8 bytes, little-endian), masked CRC-32C of those 8 bytes (4), the event (length),
/// masked CRC-32C of the event (4). An event is a protocol buffer: 1 wall time (double), 2 step (varint),
/// 3 file version (string, in the first record only), 5 summary { 1 value { 1 tag, 2 simple value (float) } },
/// 7 session log { 1 status: 1 = start }.
package final class EventFile {
  private let handle: FileHandle
  private let path: String
  private let clock: () -> Double

  /// Makes `events.out.tfevents.…` in `folder`, and the folder.
  ///
  /// - Parameters:
  ///   - resumedStep: a continued run's last step: TensorBoard forgets what an earlier file of the folder
  ///     says of later ones.
  ///   - clock: seconds since 1970.
  package init(
    folder: String, resumedStep: Int? = nil, clock: @escaping () -> Double = { Date().timeIntervalSince1970 }
  ) throws {
    try AtomicFile.makeFolder(folder)
    self.clock = clock
    (path, handle) = try EventFile.create(in: folder, time: clock())
    var version = ProtocolBuffer()
    version.append(3, "brain.Event:2")
    try append(version)
    if let resumedStep {
      var session = ProtocolBuffer()
      session.append(1, varint: 1)
      var event = ProtocolBuffer()
      event.append(2, varint: UInt64(resumedStep + 1))
      event.append(7, session)
      try append(event)
    }
  }

  /// Writes one point of each tag; NaN is written as NaN.
  package func write(_ scalars: [(tag: String, value: Double)], step: Int) throws {
    var summary = ProtocolBuffer()
    for scalar in scalars {
      var value = ProtocolBuffer()
      value.append(1, scalar.tag)
      value.append(2, float: Float(scalar.value))
      summary.append(1, value)
    }
    var event = ProtocolBuffer()
    event.append(2, varint: UInt64(step))
    event.append(5, summary)
    try append(event)
  }

  private func append(_ event: ProtocolBuffer) throws {
    var timed = ProtocolBuffer()
    timed.append(1, double: clock())
    timed.bytes += event.bytes
    do {
      try handle.write(contentsOf: Data(EventFile.record(timed.bytes)))
    } catch {
      throw FireflyError("cannot write the event file: \(error.localizedDescription)", at: path)
    }
  }

  /// The bytes of one record around `event`.
  package static func record(_ event: [UInt8]) -> [UInt8] {
    let length = littleEndian(UInt64(event.count))
    return length + littleEndian(masked(crc32c(length))) + event + littleEndian(masked(crc32c(event)))
  }

  private static func masked(_ crc: UInt32) -> UInt32 { (crc >> 15 | crc << 17) &+ 0xa282_ead8 }

  private static func create(in folder: String, time: Double) throws -> (String, FileHandle) {
    let name = "events.out.tfevents.\(Int(time)).\(ProcessInfo.processInfo.hostName).\(getpid())"
    for number in 0..<1000 {
      let path = "\(folder)/\(name).\(number)"
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
      if descriptor >= 0 { return (path, FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)) }
      guard errno == EEXIST else { break }
    }
    throw FireflyError("cannot make the event file: \(String(cString: strerror(errno)))", at: folder)
  }
}

/// A run's folder of event files: `runs/Nov24_08-06-15_host`, as transformers names it.
package func eventFolderName(_ date: Date) -> String {
  var seconds = time_t(date.timeIntervalSince1970)
  var parts = tm()
  localtime_r(&seconds, &parts)
  let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
  let two = { (number: Int32) in number < 10 ? "0\(number)" : "\(number)" }
  let day = months[Int(parts.tm_mon)] + two(parts.tm_mday)
  return "\(day)_\(two(parts.tm_hour))-\(two(parts.tm_min))-\(two(parts.tm_sec))_"
    + ProcessInfo.processInfo.hostName
}

/// The few wire types of protocol buffers that events need.
struct ProtocolBuffer {
  var bytes: [UInt8] = []

  mutating func append(_ field: UInt64, varint value: UInt64) {
    append(field << 3)
    append(value)
  }

  mutating func append(_ field: UInt64, double value: Double) {
    append(field << 3 | 1)
    bytes += littleEndian(value.bitPattern)
  }

  mutating func append(_ field: UInt64, float value: Float) {
    append(field << 3 | 5)
    bytes += littleEndian(value.bitPattern)
  }

  mutating func append(_ field: UInt64, _ text: String) { append(field, contents: Array(text.utf8)) }

  mutating func append(_ field: UInt64, _ message: ProtocolBuffer) { append(field, contents: message.bytes) }

  private mutating func append(_ field: UInt64, contents: [UInt8]) {
    append(field << 3 | 2)
    append(UInt64(contents.count))
    bytes += contents
  }

  /// A base-128 number, low groups first.
  private mutating func append(_ varint: UInt64) {
    var rest = varint
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

private func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), as RFC 3720 uses it.
package func crc32c(_ bytes: [UInt8]) -> UInt32 {
  var crc = ~UInt32(0)
  for byte in bytes { crc = crc32cTable[Int((crc ^ UInt32(byte)) & 0xff)] ^ crc >> 8 }
  return ~crc
}

private let crc32cTable: [UInt32] = (0..<256).map { index in
  (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
}
