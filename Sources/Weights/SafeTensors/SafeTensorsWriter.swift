import FireflyBase
import FireflyTensors
import Foundation

/// Writes safetensors files that are complete or absent; tensors are made when their turn comes and let go.
///
/// In the file wider elements come first and each kind in order of names, as the reference writer does, so that every
/// tensor is aligned to its elements. Source: huggingface.co/docs/safetensors.
package enum SafeTensorsWriter {
  /// Tensors that are made together: one, or the parts of a 4-bit matrix. They stay in one file.
  package struct Item {
    /// What the header says of a tensor.
    package struct Entry: Equatable, Sendable {
      package var name: String
      package var type: StoredType
      package var shape: [Int]

      package init(name: String, type: StoredType, shape: [Int]) {
        self.name = name
        self.type = type
        self.shape = shape
      }

      var byteCount: Int { type.byteCount(of: shape) ?? 0 }
    }

    package var entries: [Entry]
    /// Of each of `entries`, in their order, the bytes that come next.
    package var pieces: [WrittenPiece<[Tensor]>]

    package init(entries: [Entry], pieces: [WrittenPiece<[Tensor]>]) {
      precondition(entries.allSatisfy { !$0.type.isBlock }, "safetensors holds plain types only")
      self.entries = entries
      self.pieces = pieces
    }

    /// An item of one piece.
    package init(entries: [Entry], make: @escaping () throws -> [Tensor]) {
      self.init(entries: entries, pieces: [WrittenPiece(make: make)])
    }

    /// An item of one tensor in pieces.
    package init(name: String, type: StoredType, shape: [Int], pieces: [WrittenPiece<Tensor>]) {
      self.init(
        entries: [Entry(name: name, type: type, shape: shape)],
        pieces: pieces.map { piece in WrittenPiece(release: piece.release) { [try piece.make()] } })
    }

    /// An item of one tensor.
    package init(name: String, shape: [Int], dtype: DType, make: @escaping () throws -> Tensor) {
      self.init(entries: [Entry(name: name, type: StoredType(dtype), shape: shape)]) { [try make()] }
    }

    var byteCount: Int { entries.reduce(0) { $0 + $1.byteCount } }
  }

  /// - Parameters:
  ///   - metadata: for `__metadata__`; `format` is `pt` unless given.
  ///   - path: replaced only when the new file is whole.
  /// - Throws: `FireflyError` when the file cannot be written.
  package static func write(
    _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:], to path: String
  ) throws {
    let items = tensors.map { name, tensor in
      Item(name: name, shape: tensor.shape, dtype: tensor.dtype) { tensor }
    }
    try write(items, metadata: metadata, to: path)
  }

  /// Writes tensors that are made when their turn comes: the peak is one piece.
  ///
  /// - Parameter progress: called with the bytes of each piece when it is written; what it throws ends the writing,
  ///   and nothing is left.
  package static func write(
    _ items: [Item], metadata: [String: String] = [:], to path: String,
    progress: ((Int) throws -> Void)? = nil
  ) throws {
    let header = Header(items.flatMap(\.entries), metadata: metadata)
    try AtomicFile.write(to: path) { file in
      try file.reserve(header.text.count + header.dataBytes)
      try file.write(header.text)
      for item in items {
        try write(item, of: header, to: file, progress)
      }
    }
  }

  private static func write(
    _ item: Item, of header: Header, to file: AsideFile, _ progress: ((Int) throws -> Void)?
  ) throws {
    var written = [Int](repeating: 0, count: item.entries.count)
    for piece in item.pieces {
      let tensors = try piece.make()
      precondition(tensors.count == item.entries.count, "\(tensors.count) of \(item.entries.count) tensors")
      for (index, tensor) in tensors.enumerated() {
        let start = header.text.count + (header.offsets[item.entries[index].name] ?? 0) + written[index]
        try tensor.withHostBytes { try file.write($0, at: start) }
        written[index] += tensor.byteCount
      }
      piece.release()
      try progress?(tensors.reduce(0) { $0 + $1.byteCount })
    }
    for (entry, bytes) in zip(item.entries, written) {
      precondition(
        bytes == entry.byteCount, "\(entry.name) has \(bytes) bytes, declared \(entry.type) \(entry.shape)")
    }
  }

  /// Length, JSON and the spaces that bring the data to a multiple of 8; where each tensor lies in the data.
  private struct Header {
    let text: Data
    let offsets: [String: Int]
    let dataBytes: Int

    init(_ entries: [Item.Entry], metadata: [String: String]) {
      precondition(Set(entries.map(\.name)).count == entries.count, "two tensors of one name")
      let ordered = entries.sorted { first, second in
        (second.type.blockBytes, first.name) < (first.type.blockBytes, second.name)
      }
      var members: [String: JSONValue] = [
        "__metadata__": .object(["format": "pt"].merging(metadata) { $1 }.mapValues { .string($0) })
      ]
      var offsets: [String: Int] = [:]
      var offset = 0
      for entry in ordered {
        offsets[entry.name] = offset
        members[entry.name] = .object([
          "dtype": .string(entry.type.rawValue),
          "shape": .array(entry.shape.map { .int($0) }),
          "data_offsets": .array([.int(offset), .int(offset + entry.byteCount)]),
        ])
        offset += entry.byteCount
      }
      var json = Data(JSONValue.object(members).text().utf8)
      json.append(Data(repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
      text = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + json
      self.offsets = offsets
      dataBytes = offset
    }
  }
}

extension SafeTensorsWriter {
  /// Writes a model's tensors into a folder: model.safetensors, or shards with their index.
  ///
  /// - Parameters:
  ///   - shardLimit: the most bytes of data of a shard; an item that is larger has a shard of its own.
  ///   - progress: called with the share done, 0…1; what it throws ends the writing.
  package static func writeModel(
    _ items: [Item], shardLimit: Int, to folder: String, progress: ((Double) throws -> Void)? = nil
  ) throws {
    let total = items.reduce(0) { $0 + $1.byteCount }
    var done = 0
    let report = { (bytes: Int) in
      done += bytes
      try progress?(Double(done) / Double(max(total, 1)))
    }
    let shards = split(items, limit: shardLimit)
    guard shards.count > 1 else {
      return try write(items, to: "\(folder)/\(ModelFiles.safeTensors.single)", progress: report)
    }
    var map: [String: JSONValue] = [:]
    for (index, shard) in shards.enumerated() {
      let name = "model-\(fiveDigits(index + 1))-of-\(fiveDigits(shards.count)).safetensors"
      for entry in shard.flatMap(\.entries) { map[entry.name] = .string(name) }
      try write(shard, to: "\(folder)/\(name)", progress: report)
    }
    let index = JSONValue.object([
      "metadata": .object(["total_size": .int(total)]), "weight_map": .object(map),
    ])
    try AtomicFile.write(index, to: "\(folder)/\(ModelFiles.safeTensors.index)")
  }

  private static func split(_ items: [Item], limit: Int) -> [[Item]] {
    var shards: [[Item]] = []
    var size = 0
    for item in items {
      if shards.isEmpty || size + item.byteCount > limit {
        shards.append([])
        size = 0
      }
      shards[shards.count - 1].append(item)
      size += item.byteCount
    }
    return shards
  }

  private static func fiveDigits(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }
}
