import Foundation

/// Files of rows that a process which was killed has left.
enum AbandonedRows {
  /// A file that grows is written to all the time.
  private static let age: TimeInterval = 24 * 3600

  /// Removes those of a folder of caches or of temporary files.
  static func remove(in folder: String) {
    let manager = FileManager.default
    for name in (try? manager.contentsOfDirectory(atPath: folder)) ?? [] where isOurs(name) {
      let path = "\(folder)/\(name)"
      let date = (try? manager.attributesOfItem(atPath: path))?[.modificationDate] as? Date
      if let date, -date.timeIntervalSinceNow > age { try? manager.removeItem(atPath: path) }
    }
  }

  /// Half-written, or finished and only for one process.
  private static func isOurs(_ name: String) -> Bool {
    name.contains(".rows.partial-") || (name.hasPrefix("firefly-") && name.hasSuffix(".rows"))
  }
}
