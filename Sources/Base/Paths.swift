import Foundation

extension String {
  /// The folder that a path's last component lies in: "" for a name alone, "/" for what lies at the root and the root.
  ///
  /// Foundation's `NSString.deletingLastPathComponent` stops the program on Linux when the path is one character.
  package var parentFolder: String {
    let components = split(separator: "/")
    guard components.count > 1 else { return hasPrefix("/") ? "/" : "" }
    return String(self[..<components[components.count - 2].endIndex])
  }

  /// The absolute path without symbolic links: equal for two names of one file.
  package var resolvedPath: String {
    URL(fileURLWithPath: self).resolvingSymlinksInPath().standardizedFileURL.path
  }
}
