import FireflyBase
import FireflyWeights
import Foundation

/// The files of a folder, or of a zip archive, by their paths in it.
struct FileTree {
  let path: String
  /// Names of the files, sorted; of a folder no hidden ones, and none that lie deeper than benchmarks come.
  let names: [String]
  private let archive: ZipArchive?

  /// - Parameter path: a folder or a zip archive; or a folder with nothing in it to read but one zip archive.
  /// - Throws: `FireflyError` when it is neither.
  init(_ path: String) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw FireflyError("there is no such file or folder", at: path)
    }
    guard isFolder.boolValue else {
      self.path = path
      let archive = try ZipArchive(MappedFile(path), allowsDeflate: true)
      self.archive = archive
      names = archive.entries.keys.filter { !$0.hasSuffix("/") }.sorted()
      return
    }
    let found = FileTree.found(in: path).sorted()
    let archives = found.filter { $0.lowercased().hasSuffix(".zip") }
    if archives.count == 1, !found.contains(where: { $0.lowercased().hasSuffix(".csv") }) {
      self = try FileTree("\(path)/\(archives[0])")
      return
    }
    self.path = path
    archive = nil
    names = found
  }

  /// Parts of the longest path that is looked at: `mmlu/data/test/anatomy_test.csv`.
  private static let deepest = 4

  private static func found(in path: String) -> [String] {
    guard let walk = FileManager.default.enumerator(atPath: path) else { return [] }
    var names: [String] = []
    while let name = walk.nextObject() as? String {
      let parts = name.split(separator: "/")
      if parts.last?.hasPrefix(".") == true {
        walk.skipDescendants()
        continue
      }
      if parts.count == deepest { walk.skipDescendants() }
      names.append(name)
    }
    return names
  }

  /// A file, as error messages name it.
  func place(_ name: String) -> String { archive == nil ? "\(path)/\(name)" : "\(path): \(name)" }

  func read(_ name: String) throws -> [UInt8] {
    guard let archive else {
      let file = try MappedFile("\(path)/\(name)")
      return withExtendedLifetime(file) { Array(file.bytes) }
    }
    return try archive.unpacked(name)
  }
}
