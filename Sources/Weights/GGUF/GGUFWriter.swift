import FireflyBase
import FireflyTensors
import Foundation

/// Writes GGUF files (version 3) that are complete or absent; tensors are made when their turn comes and let go.
///
/// `GGUFFile` describes the format.
package enum GGUFWriter {
  /// A metadata value with its type in the file.
  package enum Value: Sendable {
    case uint32(Int)
    case int32s([Int])
    case float32(Float)
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
    /// The tensor's bytes in the type.
    package var make: () throws -> Tensor

    /// - Parameter type: one that GGUF has, whose blocks divide a row.
    package init(name: String, shape: [Int], type: StoredType, make: @escaping () throws -> Tensor) {
      precondition(type.ggml != nil && type.byteCount(of: shape) != nil, "\(name): \(type) of \(shape)")
      self.name = name
      self.shape = shape
      self.type = type
      self.make = make
    }

    var byteCount: Int { type.byteCount(of: shape) ?? 0 }
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
    let header = header(metadata, items)
    let total = header.count + items.reduce(0) { $0 + padded($1.byteCount) }
    try AtomicFile.write(to: path) { file in
      try file.reserve(total)
      try file.write(header)
      var done = header.count
      for item in items {
        let tensor = try item.make()
        precondition(
          tensor.byteCount == item.byteCount,
          "\(item.name) has \(tensor.byteCount) bytes of \(item.byteCount)")
        try tensor.withHostBytes { try file.write($0) }
        try file.write(Data(count: padded(item.byteCount) - item.byteCount))
        done += padded(item.byteCount)
        try progress?(Double(done) / Double(total))
      }
    }
  }

  private static func padded(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

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
