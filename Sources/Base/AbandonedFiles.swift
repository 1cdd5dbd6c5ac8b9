import Foundation

/// Files that processes which were killed have left half-written.
package enum AbandonedFiles {
  /// A file that grows is written to all the time.
  private static let age: TimeInterval = 24 * 3600

  /// Removes those of a folder whose names `isOurs` knows and that nobody has written to for a day.
  package static func remove(in folder: String, where isOurs: (String) -> Bool) {
    let manager = FileManager.default
    for name in (try? manager.contentsOfDirectory(atPath: folder)) ?? [] where isOurs(name) {
      let path = "\(folder)/\(name)"
      let date = (try? manager.attributesOfItem(atPath: path))?[.modificationDate] as? Date
      if let date, -date.timeIntervalSinceNow > age { try? manager.removeItem(atPath: path) }
    }
  }
}
