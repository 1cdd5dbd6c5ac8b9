import Foundation

/// Files and folders that are complete or absent: written aside, synchronised, renamed.
package enum AtomicFile {
  /// Writes `data` to `path` so that a reader sees the old file or the new one, never a part.
  package static func write(_ data: Data, to path: String) throws {
    try write(to: path) { handle in try handle.write(data) }
  }

  /// Writes a JSON document as people read it: indented, with a line end behind it.
  package static func write(_ json: JSONValue, to path: String) throws {
    try write(Data((json.text(indent: 2) + "\n").utf8), to: path)
  }

  /// Writes `path` through `body`; on any error the file aside is removed and `path` is untouched.
  ///
  /// - Returns: what `body` returns.
  @discardableResult
  package static func write<Result>(to path: String, _ body: (AsideFile) throws -> Result) throws -> Result {
    let aside = path + ".partial-\(getpid())"
    do {
      let file = try AsideFile(aside, finally: path)
      let result = try body(file)
      try LostFile.check()
      try file.finish()
      try check(rename(aside, path), "cannot rename the finished file", path)
      try synchronizeFolder(of: path)
      return result
    } catch {
      unlink(aside)
      throw error
    }
  }

  /// Fills a file that has no name, so that nothing is left of it when the program ends, however it ends.
  ///
  /// - Parameter path: what errors call it.
  /// - Returns: its content, and what `body` returns.
  package static func mapNameless<Result>(
    as path: String, _ body: (AsideFile) throws -> Result
  ) throws -> (content: MappedFile, result: Result) {
    let file = try AsideFile(namelessAs: path)
    let result = try body(file)
    return (try file.mapped(), result)
  }

  /// Builds the folder `path` through `body`, which gets the folder to fill; replaces an older one only when whole.
  package static func writeFolder(_ path: String, _ body: (String) throws -> Void) throws {
    let aside = path + ".partial-\(getpid())"
    let manager = FileManager.default
    try? manager.removeItem(atPath: aside)
    do {
      try makeFolder(aside)
      try body(aside)
      try LostFile.check()
      try synchronizeFolder(aside)
      if manager.fileExists(atPath: path) {
        let old = path + ".old-\(getpid())"
        try check(rename(path, old), "cannot move the old folder aside", path)
        try check(rename(aside, path), "cannot rename the finished folder", path)
        try? manager.removeItem(atPath: old)
      } else {
        try check(rename(aside, path), "cannot rename the finished folder", path)
      }
      try synchronizeFolder(of: path)
    } catch {
      try? manager.removeItem(atPath: aside)
      throw error
    }
  }

  /// Makes the folder and its parents.
  package static func makeFolder(_ path: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw FireflyError(
        "cannot make the folder: \(String(cString: strerror(errno)))", at: path,
        fix: "Choose a folder that you may write to.")
    }
  }

  private static func synchronizeFolder(of path: String) throws {
    let folder = path.parentFolder
    try synchronizeFolder(folder.isEmpty ? "." : folder)
  }

  private static func synchronizeFolder(_ folder: String) throws {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY)
    try check(descriptor, "cannot open the folder", folder)
    defer { close(descriptor) }
    try check(fsync(descriptor), "cannot synchronise the folder", folder)
  }

  /// What a user can do about a system call's failure.
  fileprivate static func advice(_ failure: Int32) -> String? {
    switch failure {
    case ENOSPC, EDQUOT: "Free disk space, or choose another place."
    case EACCES, EPERM, EROFS: "Choose a place that you may write to."
    default: nil
    }
  }

  /// Throws what a system call that gave `result` below 0 left in errno.
  package static func check(_ result: Int32, _ what: String, _ path: String) throws {
    if result < 0 { throw failed(what, path, errno) }
  }

  /// What a system call that left `failure` in errno comes to for the user.
  package static func failed(_ what: String, _ path: String, _ failure: Int32) -> FireflyError {
    FireflyError("\(what): \(String(cString: strerror(failure)))", at: path, fix: advice(failure))
  }
}

/// Writes all of `bytes` to a file or stream that is open.
///
/// - Returns: nil, or why the system cannot write: `errno`.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32? {
  var done = 0
  while done < bytes.count {
    let count = write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
    if count < 0 && errno == EINTR { continue }
    guard count > 0 else { return count < 0 ? errno : EIO }
    done += count
  }
  return nil
}

package func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
  bytes.withUnsafeBytes { writeAll($0, to: descriptor) }
}

/// The file that `AtomicFile.write` fills; errors name the file it will become.
package final class AsideFile {
  private var descriptor: Int32
  private let path: String

  fileprivate init(_ aside: String, finally path: String) throws {
    self.path = path
    // What lies there is a dead process's, or somebody's who wants another file written in its place.
    unlink(aside)
    descriptor = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
    try AtomicFile.check(descriptor, "cannot write the file", path)
  }

  /// A file in the folder for temporary files whose name is gone at once.
  fileprivate init(namelessAs path: String) throws {
    self.path = path
    let folder = FileManager.default.temporaryDirectory.path
    var name = Array("\(folder)/firefly-XXXXXX".utf8CString)
    descriptor = mkstemp(&name)
    try AtomicFile.check(descriptor, "cannot write a temporary file for \(path)", folder)
    unlink(name)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  fileprivate func mapped() throws -> MappedFile { try MappedFile(descriptor, as: path) }

  /// Appends all of `bytes`.
  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    if let failure = writeAll(bytes, to: descriptor) {
      throw AtomicFile.failed("cannot write the file", path, failure)
    }
  }

  /// Gives the file its final size, so that a disk that is too full is known before the work is done.
  package func reserve(_ byteCount: Int) throws {
    guard byteCount > 0 else { return }
    let failure = posix_fallocate(descriptor, 0, off_t(byteCount))
    guard failure == 0 else {
      throw FireflyError(
        "cannot write \(byteCount) bytes: \(String(cString: strerror(failure)))", at: path,
        fix: AtomicFile.advice(failure))
    }
  }

  /// Writes all of `bytes` at `offset`; what `write(_:)` appends does not move.
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
    var done = 0
    while done < bytes.count {
      let count = pwrite(
        descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
      if count < 0 && errno == EINTR { continue }
      try AtomicFile.check(Int32(truncatingIfNeeded: min(count, 1)), "cannot write the file", path)
      done += count
    }
  }

  package func write(_ data: Data) throws {
    try data.withUnsafeBytes { try write($0) }
  }

  fileprivate func finish() throws {
    try AtomicFile.check(fsync(descriptor), "cannot write the file", path)
    let result = close(descriptor)
    descriptor = -1
    try AtomicFile.check(result, "cannot write the file", path)
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }
}
