import FireflyBase
import Foundation

/// A lock that one process at a time has, as huggingface_hub's: flock on a file that stays.
package final class FileLock {
  private let descriptor: Int32

  /// nil while another has it.
  ///
  /// - Throws: `FireflyError` when the lock's file cannot be made.
  package init?(_ path: String) throws {
    try AtomicFile.makeFolder(path.parentFolder)
    // Others of a group that shares the cache may lock too.
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o664)
    try AtomicFile.check(descriptor, "cannot make the lock", path)
    // File systems without locks let everyone pass: contents are checked all the same.
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 && [EWOULDBLOCK, EINTR].contains(errno) { return nil }
  }

  deinit { close(descriptor) }
}
