import FireflyBase
import Foundation

/// A file on its way: what has come is kept as `….incomplete`, under the name that huggingface_hub gave it, so that
/// another try goes on from there; it gets its own name when size and hash are right.
final class PartialFile {
  let path: String
  let file: RemoteFile
  /// Bytes that have come.
  private(set) var count = 0
  /// Whether some of them are from an earlier try.
  private(set) var isResumed = false
  private var descriptor: Int32 = -1
  private var digest: Digest?

  /// Opens what an earlier try left, or a new one.
  ///
  /// - Parameter path: where the bytes are kept until they are all there.
  init(_ path: String, for file: RemoteFile) throws {
    self.path = path
    self.file = file
    try AtomicFile.makeFolder(path.parentFolder)
    try open()
    try takeWhatIsThere()
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Bytes that an earlier try left under `path`.
  static func count(at path: String) -> Int {
    let size = try? FileManager.default.attributesOfItem(atPath: path)[.size]
    return (size as? Int) ?? 0
  }

  private func open() throws {
    descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    try AtomicFile.check(descriptor, "cannot write the file", path)
    digest = file.digest.map { Digest(like: $0, size: file.size) }
    count = 0
    isResumed = false
  }

  private func takeWhatIsThere() throws {
    let there = PartialFile.count(at: path)
    if there > file.size { return try startAnew() }
    guard there > 0 else { return }
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while count < there {
      let got = Foundation.read(descriptor, &buffer, min(buffer.count, there - count))
      if got < 0 && errno == EINTR { continue }
      try AtomicFile.check(Int32(clamping: got), "cannot read the file", path)
      guard got > 0 else { break }
      buffer[..<got].withUnsafeBytes { digest?.add($0) }
      count += got
    }
    isResumed = count > 0
  }

  /// Forgets what has come. The file is another one then, never the same cut off: whoever may still write to the old one,
  /// on a file system without locks, does no harm.
  func startAnew() throws {
    try AtomicFile.check(unlink(path), "cannot remove the file", path)
    close(descriptor)
    try open()
  }

  /// Appends what came.
  ///
  /// - Throws: `FireflyError` when the disk is full, and for more than the file's size.
  func write(_ bytes: UnsafeRawBufferPointer) throws {
    guard count + bytes.count <= file.size else { throw wrongSize("more") }
    if let failure = writeAll(bytes, to: descriptor) {
      throw AtomicFile.failed("cannot write the file", path, failure)
    }
    digest?.add(bytes)
    count += bytes.count
  }

  /// Whether all bytes are there and the hash is the hub's; to be asked once.
  func isRight() -> Bool {
    guard count == file.size else { return false }
    return digest?.finish() == file.digest?.text
  }

  /// Gives the file its own name.
  func finish(as final: String) throws {
    try AtomicFile.check(fsync(descriptor), "cannot write the file", path)
    try AtomicFile.makeFolder(final.parentFolder)
    try AtomicFile.check(rename(path, final), "cannot rename the finished file", final)
  }

  /// Nothing is kept of what has come.
  func discard() { unlink(path) }

  private func wrongSize(_ found: String) -> FireflyError {
    FireflyError(
      "the file is not the one that the hub lists", at: file.path, expected: "\(file.size) bytes",
      found: found, fix: "Try again later, or without HF_ENDPOINT if a mirror is set.")
  }
}
