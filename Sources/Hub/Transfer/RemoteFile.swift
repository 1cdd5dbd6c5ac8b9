/// A file of a model as the hub lists it.
struct RemoteFile: Equatable, Sendable {
  /// Within the repository.
  let path: String
  /// Bytes.
  let size: Int
  /// What the hub says of the content; nil on a mirror that says nothing.
  let digest: FileDigest?
  /// The hub's name of the content: the digest's, or the `ETag` of a mirror.
  let tag: String
}

/// A repository at one commit.
struct RemoteModel: Sendable {
  let commit: String
  /// Names of all files, and what the listing tells of each: nothing on some mirrors.
  let files: [(path: String, known: RemoteFile?)]

  var paths: [String] { files.map(\.path) }
}

/// A hash that the hub knows a file's content by.
enum FileDigest: Equatable, Sendable {
  /// Of large files: Git LFS's.
  case sha256(String)
  /// Of small files: git's name of the blob.
  case gitBlob(String)

  var text: String {
    switch self {
    case .sha256(let text), .gitBlob(let text): text
    }
  }

  /// Told by its length, as in `ETag` headers; nil for what is neither.
  init?(_ text: String) {
    if Hex.isHex(text, count: 64) {
      self = .sha256(text)
    } else if Hex.isHex(text, count: 40) {
      self = .gitBlob(text)
    } else {
      return nil
    }
  }
}
