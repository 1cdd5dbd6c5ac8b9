import FireflyBase
import FireflyServer
import Foundation

/// What the file browser shows: files and folders of one folder at or below the studio's, and nothing outside of it.
struct FolderView {
  let root: String

  private static let mostEntries = 2000

  /// - Parameter folder: relative to the root; "" is the root itself.
  /// - Throws: `APIError` for a path that leads out of the root, be it by a link.
  func json(of folder: String) throws -> JSONValue {
    let parts = folder.split(separator: "/")
    guard !folder.hasPrefix("/"), !parts.contains("..") else { throw FolderView.outside(folder) }
    let path = parts.isEmpty ? root : "\(root)/\(parts.joined(separator: "/"))"
    let resolved = path.resolvedPath
    guard resolved == root || resolved.hasPrefix(root == "/" ? root : root + "/") else {
      throw FolderView.outside(folder)
    }
    let names = try listing(path).filter { !$0.hasPrefix(".") }.sorted {
      $0.localizedStandardCompare($1) == .orderedAscending
    }
    let entries = names.prefix(FolderView.mostEntries).compactMap { entry(path, $0) }
    return .object([
      "root": .string(root), "folder": .string(parts.joined(separator: "/")), "path": .string(path),
      "entries": .array(entries), "left_out": .int(names.count - min(names.count, FolderView.mostEntries)),
    ])
  }

  private func listing(_ path: String) throws -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
      throw FireflyError("the folder cannot be read: \(error.localizedDescription)", at: path)
    }
  }

  private func entry(_ folder: String, _ name: String) -> JSONValue? {
    let path = "\(folder)/\(name)"
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
    let bytes = (try? FileManager.default.attributesOfItem(atPath: path.resolvedPath))?[.size] as? Int
    return .object([
      "name": .string(name), "path": .string(path), "is_folder": .bool(isFolder.boolValue),
      "size": isFolder.boolValue ? .null : .string(Readable.bytes(bytes ?? 0)),
    ])
  }

  private static func outside(_ folder: String) -> APIError {
    APIError(
      status: 403, message: "\(folder.prefix(200)): only the studio's folder and what is below it is listed.",
      type: "permission_error", code: "outside_folder")
  }
}
