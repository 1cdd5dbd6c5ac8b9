import FireflyBase
import FireflyTensors
import Foundation

extension Storage {
  /// Writable bytes in one file of `folder`, mapped and shared, so that the system can write pages out and take the memory;
  /// zero at first.
  ///
  /// The file has no name once it is open: its room is free again when the process ends, however it ends.
  /// - Parameters:
  ///   - owner: whose bytes they are, for messages: "the optimizer".
  ///   - remedy: what to do instead where the disk has no room.
  /// - Throws: `FireflyError` when the disk has no room for all of it.
  package static func paged(
    _ byteCount: Int, in folder: String, for owner: String, otherwise remedy: String
  ) throws -> Storage {
    let file = try UnnamedFile(folder: folder, byteCount: byteCount, owner: owner, remedy: remedy)
    return Storage(lending: file.bytes, owner: file)
  }
}

/// Writable bytes of a file that is deleted as soon as it is open.
private final class UnnamedFile {
  let bytes: UnsafeMutableRawBufferPointer

  init(folder: String, byteCount: Int, owner: String, remedy: String) throws {
    guard byteCount > 0 else {
      bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
      return
    }
    // Other processes of the run may have theirs in the same folder, from other machines too.
    var path = Array("\(folder)/.paged-XXXXXX".utf8CString)
    let descriptor = mkstemp(&path)
    guard descriptor >= 0 else { throw UnnamedFile.error("cannot make \(owner)'s file", errno, folder) }
    defer { close(descriptor) }
    unlink(path)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    let status = posix_fallocate(descriptor, 0, off_t(byteCount))
    guard status == 0 else {
      throw UnnamedFile.error(
        "no room for \(owner)'s \(Readable.bytes(byteCount))", status, folder,
        fix: "Free disk space, or \(remedy).")
    }
    guard let base = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      base != MAP_FAILED
    else { throw UnnamedFile.error("cannot map \(owner)'s file", errno, folder) }
    bytes = UnsafeMutableRawBufferPointer(start: base, count: byteCount)
  }

  deinit {
    if let base = bytes.baseAddress { munmap(base, bytes.count) }
  }

  private static func error(_ what: String, _ code: Int32, _ place: String, fix: String? = nil)
    -> FireflyError
  {
    FireflyError("\(what): \(String(cString: strerror(code)))", at: place, fix: fix)
  }
}
