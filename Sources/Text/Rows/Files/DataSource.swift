import FireflyBase
import Foundation

/// The files that a data set is read from: one file, or for plain texts every file of a folder.
struct DataSource {
  let path: String
  let files: [String]

  /// - Parameter allowsFolder: whether `path` may be a folder; all .jsonl, .json, .csv, .tsv and .txt files in it are
  ///   taken, packed by gzip or not, those in folders within it too, in the order of their paths; but not those of its folder
  ///   "cache", which the original makes.
  init(_ path: String, allowsFolder: Bool) throws {
    self.path = path
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
      files = [path]
      return
    }
    guard allowsFolder else {
      throw FireflyError(
        "a folder holds no conversations", at: path, expected: "one file of rows, .jsonl, .json or .csv",
        fix: "Name its files: \"train_file\" may be a list.")
    }
    let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
    files = names.filter { name in
      DataContent.suffixes.contains { name.hasSuffix($0) || name.hasSuffix($0 + ".gz") }
    }
    .filter { !$0.hasPrefix("cache/") }
    .sorted().map { "\(path)/\($0)" }
    guard !files.isEmpty else {
      throw FireflyError(
        "the folder has no texts", at: path,
        expected: "files named *\(DataContent.suffixes.joined(separator: ", *"))")
    }
  }

  /// Bytes of all files.
  func byteCount() throws -> Int { try files.reduce(0) { try $0 + MappedFile($1).bytes.count } }
}
