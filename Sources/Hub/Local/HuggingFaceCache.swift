import FireflyBase
import Foundation

/// What a cache has of a name.
enum Finding: Equatable {
  case nothing
  /// The model, but not the revision that is asked for: which ones there are instead.
  case otherRevisions([String])
  /// The folder with the model's files, be they all or not.
  case folder(String)
}

/// Hugging Face's cache of models, which huggingface_hub, transformers and others share:
///
///     models--Org--Name/blobs/HASH                     the files, by the hashes of their contents
///     models--Org--Name/snapshots/COMMIT/config.json   a link into blobs
///     models--Org--Name/refs/main                      the commit that a revision's name stands for
///     .locks/models--Org--Name/HASH.lock               held by who writes blobs/HASH
package struct HuggingFaceCache {
  package let root: String

  package init(root: String) { self.root = root }

  package func folder(of repository: String) -> String {
    "\(root)/models--" + repository.split(separator: "/").joined(separator: "--")
  }

  package func blob(_ hash: String, of repository: String) -> String {
    "\(folder(of: repository))/blobs/\(hash)"
  }

  package func lock(_ hash: String, of repository: String) -> String {
    "\(root)/.locks/models--" + repository.split(separator: "/").joined(separator: "--") + "/\(hash).lock"
  }

  func snapshot(_ commit: String, of repository: String) -> String {
    "\(folder(of: repository))/snapshots/\(commit)"
  }

  func reference(_ revision: String, of repository: String) -> String {
    "\(folder(of: repository))/refs/\(revision)"
  }

  /// Where a name's files are.
  func find(_ name: ModelName) -> Finding {
    let revision = name.revision ?? "main"
    let commit = commit(of: revision, in: name.repository) ?? revision
    let snapshot = snapshot(commit, of: name.repository)
    if FileManager.default.fileExists(atPath: snapshot) { return .folder(snapshot) }
    let known = revisions(of: name.repository)
    return known.isEmpty ? .nothing : .otherRevisions(known)
  }

  /// The commit that a branch or tag stood for when it was fetched.
  private func commit(of revision: String, in repository: String) -> String? {
    let content = try? String(contentsOfFile: reference(revision, of: repository), encoding: .utf8)
    let commit = content?.trimmingCharacters(in: .whitespacesAndNewlines)
    return commit.flatMap { Hex.isHex($0, count: 40) ? $0 : nil }
  }

  /// Names of revisions and commits that snapshots are there of.
  private func revisions(of repository: String) -> [String] {
    let manager = FileManager.default
    let folder = folder(of: repository)
    let commits = Set((try? manager.contentsOfDirectory(atPath: "\(folder)/snapshots")) ?? [])
    let names = ((try? manager.subpathsOfDirectory(atPath: "\(folder)/refs")) ?? []).filter {
      commit(of: $0, in: repository).map(commits.contains) ?? false
    }
    return names.sorted() + commits.sorted()
  }
}
