import FireflyBase
import Foundation

/// A model in several GGUF files: NAME-00001-of-00003.gguf and so on. Source: llama.cpp's gguf-split.
///
/// Each part is a GGUF file with some of the tensors and says in its metadata which one it is (`split.no`, from 0), of how
/// many (`split.count`), and how many tensors all have (`split.tensors.count`). The first one has the model's metadata.
struct GGUFSplit {
  private enum Key {
    static let number = "split.no"
    static let count = "split.count"
    static let tensors = "split.tensors.count"
  }

  /// The path up to the part's number.
  let stem: String
  let count: Int

  /// The set that the file is one of; nil for a model in one file.
  ///
  /// - Throws: `FireflyError` when its name or its number is no part's.
  init?(_ file: GGUFFile) throws {
    guard let value = file.metadata[Key.count], value.int != 0 else { return nil }
    guard let count = value.int, (1...99_999).contains(count) else {
      throw FireflyError(
        "the number of parts is wrong", at: "\(file.path): \(Key.count)", expected: "1 to 99999",
        found: value.int.map(String.init) ?? value.kind)
    }
    guard let match = file.path.firstMatch(of: #/-([0-9]{5})-of-([0-9]{5})\.gguf$/#),
      let total = Int(match.2), total == count
    else {
      throw FireflyError(
        "the file is one of several parts and is not called so", at: file.path,
        expected: "a name that ends in \(GGUFSplit.ending(1, of: count)), or another part's number",
        fix: "Give the parts the names that they had.")
    }
    stem = String(file.path[..<match.range.lowerBound])
    self.count = count
  }

  init(stem: String, count: Int) {
    self.stem = stem
    self.count = count
  }

  /// The path of part `number`, from 1.
  func path(_ number: Int) -> String { stem + GGUFSplit.ending(number, of: count) }

  private static func ending(_ number: Int, of count: Int) -> String {
    String(format: "-%05d-of-%05d.gguf", number, count)
  }

  // MARK: - Reading

  /// All parts as one.
  ///
  /// - Parameter given: the one that was opened.
  /// - Throws: `FireflyError` when one is missing, belongs to another set or brings a tensor again.
  func joined(with given: GGUFFile) throws -> GGUFFile {
    let paths = (1...count).map(path)
    let missing = paths.filter { !FileManager.default.fileExists(atPath: $0) }
    guard missing.isEmpty else {
      let names = missing.prefix(4).map { ($0 as NSString).lastPathComponent }.joined(separator: ", ")
      throw FireflyError(
        "\(missing.count) of the model's \(count) parts are missing", at: given.path, found: names,
        fix: "Put all parts into one folder.")
    }
    let parts = try paths.map { try $0 == given.path ? given : GGUFFile(single: $0) }
    for (index, part) in parts.enumerated() {
      try check(part, Key.number, index)
      try check(part, Key.count, count)
    }
    let all = GGUFFile(parts)
    var places: [String: String] = [:]
    for tensor in all.tensors {
      if let other = places.updateValue(tensor.path, forKey: tensor.name) {
        throw FireflyError("the tensor is also in \(other)", at: "\(tensor.path): \(tensor.name)")
      }
    }
    if all.metadata[Key.tensors] != nil { try check(parts[0], Key.tensors, all.tensors.count) }
    return all
  }

  private func check(_ part: GGUFFile, _ key: String, _ expected: Int) throws {
    let found = part.metadata[key]
    guard found?.int == expected else {
      throw FireflyError(
        "the parts do not belong together", at: "\(part.path): \(key)", expected: "\(expected)",
        found: found.map { $0.int.map(String.init) ?? $0.kind } ?? "none",
        fix: "Take all parts from one place.")
    }
  }

  // MARK: - Writing

  /// What stands in the metadata of part `number`, from 1.
  func metadata(_ number: Int, tensors: Int) -> [(key: String, value: GGUFWriter.Value)] {
    [
      (Key.number, .uint16(number - 1)), (Key.count, .uint16(count)), (Key.tensors, .int32(tensors)),
    ]
  }
}

extension GGUFFile {
  /// Opens a file, or all parts of a model that is split by the path of any of them.
  ///
  /// - Throws: `FireflyError` when a file is missing, damaged, or holds a tensor of an unsupported type, or when parts do
  ///   not belong together.
  package init(_ path: String) throws {
    let file = try GGUFFile(single: path)
    self = try GGUFSplit(file).map { try $0.joined(with: file) } ?? file
  }
}

extension GGUFWriter {
  /// Writes a model in parts beside `path`: NAME.gguf becomes NAME-00001-of-00003.gguf and so on. The first, by which the
  /// others are found, is written last.
  ///
  /// - Parameters:
  ///   - limit: bytes of tensors in a part; one that is larger has a part of its own.
  ///   - check: called with the parts' paths before anything is written.
  ///   - progress: as of `write`.
  /// - Returns: the parts' paths.
  /// - Throws: `FireflyError` when a file cannot be written; the other parts are removed.
  package static func write(
    metadata: [(key: String, value: Value)], _ items: [Item], to path: String, partLimit limit: Int,
    check: ([String]) throws -> Void, progress: ((Double) throws -> Void)? = nil
  ) throws -> [String] {
    let groups = grouped(items, limit)
    let isNamed = path.lowercased().hasSuffix(".gguf")
    let split = GGUFSplit(stem: isNamed ? String(path.dropLast(5)) : path, count: groups.count)
    guard groups.count <= Int(UInt16.max) else {
      throw FireflyError(
        "the model would have too many parts", at: path, expected: "at most \(UInt16.max)",
        found: "\(groups.count)", fix: "Choose a larger size of a part.")
    }
    let paths = (1...groups.count).map(split.path)
    try check(paths)
    let total = items.reduce(0) { $0 + padded($1.byteCount) }
    var (done, written) = (0, [String]())
    do {
      for number in Array(1...groups.count).reversed() {
        let own = split.metadata(number, tensors: items.count)
        let part = Part(metadata: number == 1 ? metadata + own : own, items: groups[number - 1])
        try write(part, to: paths[number - 1]) { bytes in
          done += bytes
          try progress?(Double(done) / Double(total))
        }
        written.append(paths[number - 1])
      }
    } catch {
      written.forEach { unlink($0) }
      throw error
    }
    return paths
  }

  /// The items in their order, each group of at most `limit` bytes or of one item.
  private static func grouped(_ items: [Item], _ limit: Int) -> [[Item]] {
    var (groups, bytes): ([[Item]], Int) = ([[]], 0)
    for item in items {
      let size = padded(item.byteCount)
      if bytes > 0, bytes + size > limit {
        groups.append([])
        bytes = 0
      }
      groups[groups.count - 1].append(item)
      bytes += size
    }
    return groups
  }
}
