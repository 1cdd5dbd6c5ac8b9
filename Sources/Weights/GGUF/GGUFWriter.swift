import FireflyBase
import FireflyTensors
import Foundation

/// Writes GGUF files (version 3) that are complete or absent; tensors are made when their turn comes and let go.
///
/// `GGUFFile` describes the format.
package enum GGUFWriter {
  /// A metadata value with its type in the file.
  package enum Value: Sendable {
    case uint16(Int)
    case uint32(Int)
    case int32(Int)
    case uint64(UInt64)
    case int64(Int)
    case int32s([Int])
    case float32(Float)
    case float64(Double)
    case float32s([Float])
    case bool(Bool)
    case string(String)
    case strings([String])
  }

  /// A tensor to write.
  package struct Item {
    package var name: String
    /// The sizes, outermost first.
    package var shape: [Int]
    package var type: StoredType
    /// The tensor's bytes in the type, in pieces that are made when their turn comes.
    package var pieces: [WrittenPiece<Tensor>]

    /// A tensor of one piece.
    package init(name: String, shape: [Int], type: StoredType, make: @escaping () throws -> Tensor) {
      self.init(name: name, shape: shape, type: type, pieces: [WrittenPiece(make: make)])
    }

    /// - Parameter type: one that GGUF has, whose blocks divide a row.
    package init(name: String, shape: [Int], type: StoredType, pieces: [WrittenPiece<Tensor>]) {
      precondition(type.ggml != nil && type.byteCount(of: shape) != nil, "\(name): \(type) of \(shape)")
      self.name = name
      self.shape = shape
      self.type = type
      self.pieces = pieces
    }

    package var byteCount: Int { type.byteCount(of: shape) ?? 0 }
  }

  /// What is written in one file: a whole model, or a part of one.
  struct Part {
    let metadata: [(key: String, value: Value)]
    let items: [Item]

    var header: Data { GGUFWriter.header(metadata, items) }

    /// Bytes of the tensors and what pads them.
    var bodyCount: Int { items.reduce(0) { $0 + GGUFWriter.padded($1.byteCount) } }
  }

  private static let alignment = 32

  /// - Parameters:
  ///   - metadata: keys and values in the file's order.
  ///   - path: replaced only when the new file is whole.
  ///   - progress: called with the share done, 0…1; what it throws ends the writing, and nothing is left.
  /// - Throws: `FireflyError` when the file cannot be written.
  package static func write(
    metadata: [(key: String, value: Value)], _ items: [Item], to path: String,
    progress: ((Double) throws -> Void)? = nil
  ) throws {
    let part = Part(metadata: metadata, items: items)
    var done = 0
    try write(part, to: path) { bytes in
      done += bytes
      try progress?(Double(done) / Double(part.bodyCount))
    }
  }

  /// - Parameter advanced: called with the bytes of each tensor that was written.
  static func write(_ part: Part, to path: String, advanced: (Int) throws -> Void) throws {
    let header = part.header
    try AtomicFile.write(to: path) { file in
      try file.reserve(header.count + part.bodyCount)
      try file.write(header)
      for item in part.items {
        var bytes = 0
        for piece in item.pieces {
          let tensor = try piece.make()
          try tensor.withHostBytes { try file.write($0) }
          piece.release()
          bytes += tensor.byteCount
        }
        precondition(bytes == item.byteCount, "\(item.name) has \(bytes) bytes of \(item.byteCount)")
        try file.write(Data(count: padded(item.byteCount) - item.byteCount))
        try advanced(padded(item.byteCount))
      }
    }
  }

  static func padded(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

  private static func header(_ metadata: [(key: String, value: Value)], _ items: [Item]) -> Data {
    var bytes = GGUFBytes()
    bytes.data += Data("GGUF".utf8)
    bytes.append(UInt32(3))
    bytes.append(UInt64(items.count))
    bytes.append(UInt64(metadata.count))
    for (key, value) in metadata {
      bytes.append(key)
      bytes.append(value)
    }
    var offset = 0
    for item in items {
      bytes.append(item.name)
      bytes.append(UInt32(item.shape.count))
      for dimension in item.shape.reversed() { bytes.append(UInt64(dimension)) }
      bytes.append(item.type.ggml ?? 0)
      bytes.append(UInt64(offset))
      offset += padded(item.byteCount)
    }
    bytes.data.append(Data(count: padded(bytes.data.count) - bytes.data.count))
    return bytes.data
  }
}

/// A header under construction.
private struct GGUFBytes {
  var data = Data()

  mutating func append(_ number: some FixedWidthInteger) {
    withUnsafeBytes(of: number.littleEndian) { data.append(contentsOf: $0) }
  }

  mutating func append(_ text: String) {
    append(UInt64(text.utf8.count))
    data.append(contentsOf: text.utf8)
  }

  /// Appends the value's type and the value.
  mutating func append(_ value: GGUFWriter.Value) {
    switch value {
    case .uint16(let number):
      append(UInt32(2))
      append(UInt16(number))
    case .int32(let number):
      append(UInt32(5))
      append(Int32(number))
    case .uint64(let number):
      append(UInt32(10))
      append(number)
    case .int64(let number):
      append(UInt32(11))
      append(Int64(number))
    case .float64(let number):
      append(UInt32(12))
      append(number.bitPattern)
    case .uint32(let number):
      append(UInt32(4))
      append(UInt32(number))
    case .float32(let number):
      append(UInt32(6))
      append(number.bitPattern)
    case .bool(let flag):
      append(UInt32(7))
      append(UInt8(flag ? 1 : 0))
    case .string(let text):
      append(UInt32(8))
      append(text)
    case .int32s(let numbers):
      appendArray(type: 5, count: numbers.count)
      for number in numbers { append(Int32(number)) }
    case .float32s(let numbers):
      appendArray(type: 6, count: numbers.count)
      for number in numbers { append(number.bitPattern) }
    case .strings(let texts):
      appendArray(type: 8, count: texts.count)
      for text in texts { append(text) }
    }
  }

  private mutating func appendArray(type: UInt32, count: Int) {
    append(UInt32(9))
    append(type)
    append(UInt64(count))
  }
}
