import CBuild
import Foundation

/// What this program is; the number stands in Sources/CLI/VERSION alone.
package enum Version {
  package static let number = String(decoding: PackageResources.VERSION, as: UTF8.self)
    .trimmingCharacters(in: .whitespacesAndNewlines)

  /// The commit that it was built from; nil where the build was not told: the Makefile's builds are.
  package static let commit = build_commit().map { String(cString: $0) }
}
