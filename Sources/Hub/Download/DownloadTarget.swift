import FireflyBase
import Foundation

/// Where fetched files go, and what they are called until they are whole.
protocol DownloadTarget {
  /// What is opened when all is there.
  var folder: String { get }
  /// The file's bytes, whole.
  func content(_ file: RemoteFile) -> String
  /// The file's bytes so far.
  func partial(_ file: RemoteFile) -> String
  /// Held by who writes them.
  func lock(_ file: RemoteFile) -> String
  /// Whether the file is there already, whole.
  func has(_ file: RemoteFile) throws -> Bool
  /// Puts a file whose content is there under its path in `folder`.
  func publish(_ file: RemoteFile) throws
  /// Called before the first file.
  func begin() throws
  /// Called when all files are there.
  func finish() throws
}

/// Hugging Face's cache, so that transformers and others find the model too.
struct CacheTarget: DownloadTarget {
  let cache: HuggingFaceCache
  let name: ModelName
  let commit: String
  /// What is written aside is called after the process: its threads take turns.
  private static let turn = NSLock()

  var folder: String { cache.snapshot(commit, of: name.repository) }
  func content(_ file: RemoteFile) -> String { cache.blob(file.tag, of: name.repository) }
  func partial(_ file: RemoteFile) -> String { content(file) + ".incomplete" }
  func lock(_ file: RemoteFile) -> String { cache.lock(file.tag, of: name.repository) }

  func has(_ file: RemoteFile) -> Bool {
    // Where links are impossible, others put the file itself into the snapshot.
    [content(file), "\(folder)/\(file.path)"].contains { FileManager.default.size(of: $0) == file.size }
  }

  /// A link into blobs, relative so that the cache can be moved.
  func publish(_ file: RemoteFile) throws {
    CacheTarget.turn.lock()
    defer { CacheTarget.turn.unlock() }
    let link = "\(folder)/\(file.path)"
    guard FileManager.default.size(of: link) != file.size else { return }
    let depth = file.path.split(separator: "/").count + 1
    let destination = String(repeating: "../", count: depth) + "blobs/\(file.tag)"
    try AtomicFile.makeFolder(link.parentFolder)
    let aside = "\(link).link-\(getpid())"
    unlink(aside)
    guard symlink(destination, aside) == 0 else {
      let reason = String(cString: strerror(errno))
      throw FireflyError(
        "the cache cannot hold links: \(reason)", at: cache.root,
        fix: "Choose a cache on another file system (HF_HUB_CACHE), or a plain folder (--to).")
    }
    try AtomicFile.check(rename(aside, link), "cannot make the link", link)
  }

  private var reference: String { cache.reference(name.revision ?? "main", of: name.repository) }

  /// A model that was not there is one whose files are missing from now on.
  func begin() throws {
    if !FileManager.default.fileExists(atPath: reference) { try finish() }
  }

  /// The revision's name stands for this commit: if it stood for an older one, that stays usable until all is there.
  func finish() throws {
    CacheTarget.turn.lock()
    defer { CacheTarget.turn.unlock() }
    // A cache that may only be read is fine when there is nothing to change.
    let current = try? String(contentsOfFile: reference, encoding: .utf8)
    guard name.revision != commit, current != commit else { return }
    try AtomicFile.makeFolder(reference.parentFolder)
    try AtomicFile.write(Data(commit.utf8), to: reference)
  }
}

/// A plain folder.
final class FolderTarget: DownloadTarget {
  let folder: String
  /// Files that were there and have been read through.
  private var checked: Set<String> = []
  private var aside: String { "\(folder)/.cache/huggingface/download" }

  init(_ folder: String) { self.folder = folder }

  func content(_ file: RemoteFile) -> String { "\(folder)/\(file.path)" }
  func partial(_ file: RemoteFile) -> String { "\(aside)/\(file.tag).incomplete" }
  func lock(_ file: RemoteFile) -> String { "\(aside)/\(file.tag).lock" }

  /// - Throws: `FireflyError` when another file has the name.
  func has(_ file: RemoteFile) throws -> Bool {
    let path = content(file)
    guard !checked.contains(path) else { return true }
    guard let size = FileManager.default.size(of: path) else { return false }
    guard size == file.size, try isRight(path, file) else {
      throw FireflyError(
        "another file of this name is there", at: path, expected: "the hub's, of \(file.size) bytes",
        found: "one of \(size) bytes", fix: "Remove it, or choose another folder.")
    }
    checked.insert(path)
    return true
  }

  private func isRight(_ path: String, _ file: RemoteFile) throws -> Bool {
    guard let expected = file.digest else { return true }
    let digest = Digest(like: expected, size: file.size)
    let mapped = try MappedFile(path)
    let slice = 16 << 20
    for start in stride(from: 0, to: mapped.bytes.count, by: slice) {
      let range = start..<min(start + slice, mapped.bytes.count)
      digest.add(UnsafeRawBufferPointer(rebasing: mapped.bytes[range]))
      mapped.discard(range)
    }
    return digest.finish() == expected.text
  }

  func begin() {}

  func publish(_ file: RemoteFile) { unlink(lock(file)) }

  /// Takes away the folder for what was on its way, unless another process has something there.
  func finish() {
    for folder in [aside, aside.parentFolder, aside.parentFolder.parentFolder] { rmdir(folder) }
  }
}

extension FileManager {
  /// Bytes of the file, or of the one that it links to; nil when there is none.
  func size(of path: String) -> Int? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
  }
}
