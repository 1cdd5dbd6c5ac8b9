import FireflyBase
import FireflyTensors
import Foundation

/// What llama.cpp's llama-imatrix notes of the inputs of a model's weights: their squares, summed over the rows of a text.
///
/// A GGUF file whose `general.type` is `imatrix`. For each weight, under its name in GGUF: `NAME.in_sum2`, float32
/// [matrices, columns], and `NAME.counts`, float32 [matrices, 1], the rows that each matrix saw; matrices are the experts, or
/// one. The older form, little-endian: the number of weights, i32; for each the length of its name, i32, the name, a number
/// of calls, i32, how many values, i32, and float32 values, means times the calls; then, where it goes on, the number of
/// chunks, i32, and the text's name.
package struct GGUFImportance: Sendable {
  private enum Key {
    static let type = "general.type"
    static let kind = "imatrix"
    static let datasets = "imatrix.datasets"
    static let chunks = "imatrix.chunk_count"
    static let chunkSize = "imatrix.chunk_size"
    static let squares = ".in_sum2"
    static let counts = ".counts"
  }

  /// The names of the texts' files.
  package let datasets: [String]
  /// Pieces of the text that the model read.
  package let chunks: Int
  /// By the weight's name, the mean squares of the columns' inputs, matrix by matrix.
  package let means: [String: [Float]]

  /// Reads either form.
  ///
  /// - Throws: `FireflyError` when the file is neither, damaged, or holds numbers that are no squares.
  package init(_ path: String) throws {
    let file = try MappedFile(path)
    self =
      try file.bytes.starts(with: "GGUF".utf8)
      ? GGUFImportance(GGUFFile(path)) : GGUFImportance(old: file)
    for (name, values) in means where !values.allSatisfy({ $0.isFinite && $0 >= 0 }) {
      throw FireflyError(
        "the importance matrix has a number that is no mean of squares", at: "\(path): \(name)",
        expected: "0 or more", fix: "Make the file again.")
    }
  }

  private init(_ file: GGUFFile) throws {
    guard file.metadata[Key.type]?.string == Key.kind else {
      throw FireflyError(
        "the file is no importance matrix", at: "\(file.path): \(Key.type)", expected: Key.kind,
        found: file.metadata[Key.type]?.string ?? "none", fix: "Give a file that llama-imatrix has written.")
    }
    let tensors = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0) })
    var means: [String: [Float]] = [:]
    for info in file.tensors where info.name.hasSuffix(Key.squares) {
      let name = String(info.name.dropLast(Key.squares.count))
      guard let other = tensors[name + Key.counts] else {
        throw FireflyError(
          "the tensor \(name + Key.counts) is missing", at: file.path, fix: "Make the file again.")
      }
      let counts = try file.stored(other).tensor(as: .float32).floats
      let squares = try file.stored(info).tensor(as: .float32).floats
      guard squares.count % counts.count == 0 else {
        throw FireflyError(
          "sums and counts do not belong together", at: "\(file.path): \(name)",
          expected: "as many rows", found: "\(info.shape) and \(other.shape)")
      }
      let columns = squares.count / counts.count
      // Of an expert that no row went through nothing is known: its columns count alike.
      means[name] = squares.enumerated().map { index, sum in
        let count = counts[index / columns]
        return count > 0 ? sum / count : 1
      }
    }
    self.means = means
    datasets = file.metadata[Key.datasets]?.strings ?? []
    chunks = file.metadata[Key.chunks]?.int ?? 0
  }

  private init(old file: MappedFile) throws {
    var cursor = GGUFCursor(file)
    var means: [String: [Float]] = [:]
    for index in 0..<(try cursor.shortCount("the number of weights", least: 16)) {
      let name = try cursor.shortString("the name of weight \(index)")
      let calls = Float(max(1, try cursor.number(Int32.self, "the calls of \(name)")))
      let count = try cursor.shortCount("the number of values of \(name)", least: 4)
      means[name] = try (0..<count).map { _ in
        Float(bitPattern: try cursor.number(UInt32.self, "the values of \(name)")) / calls
      }
    }
    self.means = means
    guard !cursor.isAtEnd else {
      (chunks, datasets) = (0, [])
      return
    }
    chunks = Int(try cursor.number(Int32.self, "the number of chunks"))
    let name = try cursor.isAtEnd ? "" : cursor.shortString("the text's name")
    datasets = name.isEmpty ? [] : [name]
  }

  // MARK: - Writing

  /// The rows that went through a weight's matrices, and the mean squares of their columns' inputs.
  package struct Entry: Sendable {
    package let name: String
    package let matrices: [(means: [Float], rows: Int)]

    /// - Parameter name: GGUF's.
    package init(name: String, matrices: [(means: [Float], rows: Int)]) {
      self.name = name
      self.matrices = matrices
    }
  }

  /// - Parameters:
  ///   - chunkSize: tokens of a chunk.
  ///   - path: replaced only when the new file is whole.
  package static func write(
    _ entries: [Entry], dataset: String, chunks: Int, chunkSize: Int, to path: String
  ) throws {
    let items = entries.sorted { $0.name < $1.name }.flatMap { entry in
      let columns = entry.matrices[0].means.count
      let sums = entry.matrices.flatMap { matrix in matrix.means.map { $0 * Float(matrix.rows) } }
      let counts = entry.matrices.map { Float($0.rows) }
      return [
        GGUFWriter.Item(
          name: entry.name + Key.squares, shape: [counts.count, columns], type: .float32
        ) { Tensor(sums, [counts.count, columns]) },
        GGUFWriter.Item(name: entry.name + Key.counts, shape: [counts.count, 1], type: .float32) {
          Tensor(counts, [counts.count, 1])
        },
      ]
    }
    let metadata: [(key: String, value: GGUFWriter.Value)] = [
      (Key.type, .string(Key.kind)), (Key.datasets, .strings([dataset])), (Key.chunks, .uint32(chunks)),
      (Key.chunkSize, .uint32(chunkSize)),
    ]
    try GGUFWriter.write(metadata: metadata, items, to: path)
  }
}

extension GGUFCursor {
  /// A count in four bytes of things of which each takes at least `least` bytes.
  fileprivate mutating func shortCount(_ what: String, least: Int) throws -> Int {
    let count = Int(try number(Int32.self, what))
    guard count >= 0, count <= left / least else {
      throw FireflyError(
        "\(what) is no count of what the file can hold", at: path, expected: "0 to \(left / least)",
        found: "\(count)",
        fix: "The file is damaged, or no importance matrix of llama.cpp.")
    }
    return count
  }

  fileprivate mutating func shortString(_ what: String) throws -> String {
    try text(what, length: shortCount("the length of \(what)", least: 1))
  }
}
