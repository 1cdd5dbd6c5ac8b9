import Foundation

/// ModelScope's cache of models. Its layout has changed over the years, and each is read:
///
///     models/Org--Name/snapshots/REVISION/   since 2026
///     models/Org/Name/                       before; a dot in a name is written `___`
///     Org/Name/                              the first
///
/// each in the cache's folder or in `hub` within it.
struct ModelScopeCache {
  let roots: [String]
  private static let usualRevisions = ["master", "main"]

  init(roots: [String]) { self.roots = roots }

  /// Where a name's files are.
  func find(_ name: ModelName) -> Finding {
    let owned = name.repository.contains("/")
    guard owned else { return .nothing }  // every model there has an owner
    for root in roots {
      let finding = snapshot(of: name, in: root)
      if finding != .nothing { return finding }
    }
    // A plain folder does not tell its revision: it is the usual one.
    guard name.revision.map(ModelScopeCache.usualRevisions.contains) ?? true else { return .nothing }
    return plainFolders(of: name).first(where: ModelScopeCache.hasFiles).map(Finding.folder) ?? .nothing
  }

  private func snapshot(of name: ModelName, in root: String) -> Finding {
    let folder =
      "\(root)/models/" + name.repository.split(separator: "/").joined(separator: "--") + "/snapshots"
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter {
      ModelScopeCache.hasFiles("\(folder)/\($0)")
    }
    let wanted = name.revision.map { [$0] } ?? ModelScopeCache.usualRevisions
    if let revision = wanted.first(where: names.contains) ?? (name.revision == nil ? only(names) : nil) {
      return .folder("\(folder)/\(revision)")
    }
    return names.isEmpty ? .nothing : .otherRevisions(names.sorted())
  }

  private func only(_ names: [String]) -> String? { names.count == 1 ? names[0] : nil }

  /// In which a model of this name may lie, the usual one first.
  func plainFolders(of name: ModelName) -> [String] {
    let parts = name.repository.split(separator: "/").map(String.init)
    let masked = parts.map { $0.replacingOccurrences(of: ".", with: "___") }
    let names = [masked, [parts[0], masked[parts.count - 1]], parts].map { $0.joined(separator: "/") }
    var folders: [String] = []
    for root in roots.reversed() {
      for middle in ["/models/", "/"] {
        for name in names where !folders.contains(root + middle + name) {
          folders.append(root + middle + name)
        }
      }
    }
    return folders
  }

  private static func hasFiles(_ folder: String) -> Bool {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.contains { !$0.hasPrefix(".") }
  }
}
