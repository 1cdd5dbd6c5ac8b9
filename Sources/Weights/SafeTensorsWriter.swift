import FireflyBase
import FireflyTensors
import Foundation

/// Writes safetensors files that are complete or absent; tensors go out one by one.
///
/// Wider elements come first and each kind in order of names, as the reference writer does, so that every tensor is
/// aligned to its elements. Source: huggingface.co/docs/safetensors.
public enum SafeTensorsWriter {
  /// A tensor to write; `make` is called when its turn comes, so only one need exist at a time.
  public struct Item {
    public var name: String
    public var shape: [Int]
    public var dtype: DType
    public var make: () throws -> Tensor

    public init(name: String, shape: [Int], dtype: DType, make: @escaping () throws -> Tensor) {
      self.name = name
      self.shape = shape
      self.dtype = dtype
      self.make = make
    }
  }

  /// - Parameters:
  ///   - metadata: for `__metadata__`; `format` is `pt` unless given.
  ///   - path: replaced only when the new file is whole.
  /// - Throws: `FireflyError` when the file cannot be written.
  public static func write(
    _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:], to path: String
  ) throws {
    let items = tensors.map { name, tensor in
      Item(name: name, shape: tensor.shape, dtype: tensor.dtype) { tensor }
    }
    try write(items, metadata: metadata, to: path)
  }

  /// As above, with tensors made when their turn comes.
  public static func write(_ items: [Item], metadata: [String: String] = [:], to path: String) throws {
    precondition(Set(items.map(\.name)).count == items.count, "two tensors of one name")
    let ordered = items.sorted { first, second in
      (second.dtype.byteCount, first.name) < (first.dtype.byteCount, second.name)
    }
    try AtomicFile.write(to: path) { file in
      try file.write(header(ordered, metadata: metadata))
      for item in ordered {
        let tensor = try item.make()
        precondition(
          tensor.shape == item.shape && tensor.dtype == item.dtype,
          "\(item.name) is \(tensor.dtype) \(tensor.shape), declared \(item.dtype) \(item.shape)")
        try withExtendedLifetime(tensor) { try file.write(UnsafeRawBufferPointer(tensor.bytes)) }
      }
    }
  }

  /// Length, JSON and the spaces that bring the data to a multiple of 8.
  private static func header(_ items: [Item], metadata: [String: String]) -> Data {
    var members: [String: JSONValue] = [
      "__metadata__": .object(["format": "pt"].merging(metadata) { $1 }.mapValues { .string($0) })
    ]
    var offset = 0
    for item in items {
      let end = offset + item.shape.reduce(1, *) * item.dtype.byteCount
      members[item.name] = .object([
        "dtype": .string(StoredType(item.dtype).rawValue),
        "shape": .array(item.shape.map { .int($0) }),
        "data_offsets": .array([.int(offset), .int(end)]),
      ])
      offset = end
    }
    var text = Data(JSONValue.object(members).text().utf8)
    text.append(Data(repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8))
    return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Data($0) } + text
  }
}
