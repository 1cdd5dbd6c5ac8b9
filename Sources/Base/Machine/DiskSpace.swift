import Foundation

/// Room on disks.
package enum DiskSpace {
  /// Bytes that may still be written to the file system of `folder`, or of the nearest one above it that exists; nil when
  /// the system does not tell.
  package static func freeBytes(at folder: String) -> Int? {
    var status = statvfs()
    guard statvfs(nearestFolder(folder), &status) == 0 else { return nil }
    return Int(clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).0)
  }

  /// `path` itself, or the nearest above it that exists.
  package static func nearestFolder(_ path: String) -> String {
    var folder = URL(fileURLWithPath: path).standardizedFileURL.path
    while !FileManager.default.fileExists(atPath: folder), folder != "/" { folder = folder.parentFolder }
    return folder
  }
}
