import CMappings
import Synchronization

/// Files that have become shorter while they were mapped.
package enum LostFile {
  private static let isAccepted = Atomic(false)

  /// From now on, in the whole process, such a file reads as zeros where it has no bytes any more, and `check` tells; without
  /// it, the process ends at once.
  package static func watch() { mappings_watch() }

  /// To be called before what was made of mapped files is kept or shown.
  ///
  /// - Throws: `FireflyError` when one of them has lost bytes that were read.
  package static func check() throws {
    guard let path = mappings_lost(), !isAccepted.load(ordering: .relaxed) else { return }
    throw FireflyError(
      "the file has become shorter while it was in use", at: String(cString: path),
      fix: "Bring it back and start again. To replace a file that is in use, rename another one to its name.")
  }

  /// Lets `body` keep what was not made of the lost file.
  package static func accepted<Result>(_ body: () throws -> Result) rethrows -> Result {
    isAccepted.store(true, ordering: .relaxed)
    defer { isAccepted.store(false, ordering: .relaxed) }
    return try body()
  }
}
